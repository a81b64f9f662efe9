import { run } from "./run.ts";

/** What the script of 2015 did, written anew. */
const SCRIPT = `
set -euo pipefail
in=$1 out=$2 name=$3
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
mkdir rootfs
cat "$in" >layer.tar
id=$(sha256sum layer.tar | cut -d ' ' -f 1)
tar -xpf layer.tar -C rootfs
mv layer.tar rootfs/
printf 1.0 >rootfs/VERSION
printf '{"id":"%s","created":"2015-06-07T08:09:10Z","config":{"Cmd":%s}}' "$id" "$4" >rootfs/json
printf '{"%s":{"latest":"%s"}}' "$name" "$id" >repositories
printf '{"acKind":"ImageManifest","acVersion":"0.5.2","name":"%s","labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":%s,"user":"0","group":"0"}}' "$name" "$4" >manifest
{
  printf '%s\\n' repositories manifest rootfs/VERSION rootfs/layer.tar rootfs/json
  ls -A rootfs | grep -vxE 'VERSION|json|layer[.]tar' | sed s,^,rootfs/,
} | tar -cf "$out" --numeric-owner -T -
`;

/**
 * Makes an isoc as the script of 2015 did: the same entries in the same order.
 *
 * @param rootfs A tar.
 * @param isoc Where the archive goes.
 */
export async function isocOf2015(
  rootfs: string,
  isoc: string,
  name: string,
  command: string[],
): Promise<void> {
  const args = [rootfs, isoc, name, JSON.stringify(command)];
  await run("bash", ["-c", SCRIPT, "isoc", ...args]);
}
