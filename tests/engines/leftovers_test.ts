// Runs alone: what other tests start would pass for leftovers.
//
// The load-* scripts leave nothing on the machine: no file, mount, cgroup, network
// or process.

import assert from "node:assert/strict";
import { ciso, ROOT } from "../support/ciso.ts";
import { required } from "../support/required.ts";
import { run } from "../support/run.ts";

const TEXT = "make container not war";
const ENGINES = [
  ...["docker", "containerd", "podman", "buildah", "skopeo", "umoci", "runc"],
  ...["nspawn", "lxd", "rkt"],
];
/** Where engines keep state, whatever their options say. */
const PLACES = [
  ...["containerd", "docker", "lxc", "lxd", "runc", "crun", "rkt", "systemd"],
  ...["netns", "containers", "libpod", "buildah"],
].flatMap((name) => [`/run/${name}`, `/var/lib/${name}`, `/etc/${name}`]);

/** All that an engine could leave, a line each. */
async function snapshot(): Promise<Set<string>> {
  const script = `
    find "$0" ${
    PLACES.join(" ")
  } -xdev -maxdepth 4 -printf 'file %p\\n' 2>/dev/null
    find /sys/fs/cgroup -type d -printf 'cgroup %p\\n'
    grep -F "$0" /proc/mounts | sed 's/^/mount /'
    ls /sys/class/net | sed 's/^/network /'
    pgrep -fa "$0" | grep -v ' bash -c ' | sed 's/^/process /'
    true`;
  return new Set((await run("bash", ["-c", script, work])).split("\n"));
}

async function load(engine: string, archive: string) {
  const { code, stderr } = await new Deno.Command(
    `${ROOT}/scripts/load-${engine}`,
    { args: [archive, TEXT], stdin: "null", env: { TMPDIR: work } },
  ).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

// podman takes short paths alone.
const work = await Deno.makeTempDir({ prefix: "lo-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
const archive = `${work}/hello.isoc`;
const rootfs = `${work}/rootfs.tar`;
// Another user is root in some containers.
await Deno.chmod(work, 0o755);
const ignore = Deno.uid() !== 0;
if (!ignore) {
  await run(`${ROOT}/scripts/rootfs`, ["busybox", rootfs]);
  const args = ["-q", rootfs, "-t", "isoc/hello:1.0", "-o", archive];
  await ciso([...args, "--", "/bin/echo", ...TEXT.split(" ")]);
}

for (const engine of ENGINES) {
  Deno.test({
    name: `load-${engine} leaves nothing on the machine`,
    ignore,
    async fn() {
      const before = await snapshot();
      const { code, stderr } = await load(engine, archive);
      // An engine that is not for this machine leaves nothing either.
      if (code !== 77 || required.includes(engine)) {
        assert.equal(code, 0, stderr);
      }
      const left = (await snapshot()).difference(before);
      assert.deepEqual([...left], []);
    },
  });
}

Deno.test({
  name: "isolated runs beside another one, each as the first process of a tree",
  ignore,
  async fn() {
    const isolated = (command: string) =>
      new Deno.Command("unshare", {
        args: [
          ...["--pid", "--fork", "--mount-proc", "--kill-child"],
          ...[`${ROOT}/scripts/isolated`, "-u", "sh", "-c", command],
        ],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    const first = isolated("echo started; cat");
    const reader = first.stdout.getReader();
    await reader.read();
    const child = isolated("echo done");
    await child.stdin.close();
    const second = await child.output();
    assert.equal(new TextDecoder().decode(second.stderr), "");
    assert.equal(new TextDecoder().decode(second.stdout), "done\n");
    await first.stdin.close();
    await reader.cancel();
    await first.stderr.cancel();
    assert.equal((await first.status).code, 0);
  },
});
