// Images of several platforms: what podman and skopeo push, ciso copies and pulls.
import assert from "node:assert/strict";
import { CISO, ciso, temporary } from "../support/ciso.ts";
import {
  missingForRegistry,
  startRegistry,
} from "../support/docker_registry.ts";
import { isInstalled, run } from "../support/run.ts";

const withNet = [...CISO.slice(0, 3), "-A", ...CISO.slice(3)].filter((word) =>
  !/^--allow/.test(word)
);
const ignore = missingForRegistry() !== undefined || !isInstalled("podman");

async function must(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ciso(args, { command: withNet });
  assert.equal(code, 0, stderr);
  return stdout;
}

const raw = (place: string) =>
  run("skopeo", ["inspect", "--tls-verify=false", "--raw", place]);

Deno.test({
  name:
    "ciso copies a manifest list of podman with its digest, and pulls of it",
  ignore,
  async fn() {
    await using folder = await temporary();
    const work = folder.path;
    await using registry = await startRegistry({ work });
    const podman = (...args: string[]) =>
      run("podman", [
        ...["--root", `${work}/podman`, "--runroot", `${work}/run`],
        ...["--storage-driver", "vfs", "--cgroup-manager=cgroupfs", ...args],
      ]);
    await podman("manifest", "create", "both");
    for (const arch of ["amd64", "arm64"]) {
      await Deno.writeTextFile(`${work}/${arch}`, `for ${arch}`);
      await run("tar", ["-C", work, "-cf", `${work}/${arch}.tar`, arch]);
      await must([
        ...[`${work}/${arch}.tar`, "-t", `me/app:${arch}`, "-q"],
        ...["--platform", `linux/${arch}`, "-o", `${work}/${arch}.isoc`],
        ...["--", `/${arch}`],
      ]);
      await podman(
        "manifest",
        "add",
        "both",
        `docker-archive:${work}/${arch}.isoc`,
      );
    }
    const first = `docker://${registry.host}/by/podman:1`;
    await podman(
      "manifest",
      "push",
      "--all",
      "--tls-verify=false",
      "both",
      first,
    );
    await podman("rmi", "-af");
    const index = await raw(first);

    // Within a registry nothing is sent.
    const second = `docker://${registry.host}/by/ciso:1`;
    const copied = JSON.parse(
      await must(["copy", "--all-platforms", first, second, "--json"]),
    );
    assert.deepEqual([copied.bytesSent, copied.blobs.mounted], [0, 4]);
    // Without a tag, too, what is there is not taken over anew.
    const untagged = `docker://${registry.host}/by/nobody`;
    const counts = [];
    for (let i = 0; i < 2; i++) {
      const { blobs } = JSON.parse(
        await must([
          "copy",
          first,
          untagged,
          "--platform",
          "linux/amd64",
          "--json",
        ]),
      );
      counts.push(blobs);
    }
    assert.deepEqual(counts, [
      { uploaded: 0, mounted: 2, present: 0 },
      { uploaded: 0, mounted: 0, present: 2 },
    ]);
    assert.equal(await raw(second), index);

    // Through a layout and a tar of one, back to the registry.
    await must(["copy", "--all-platforms", second, `oci:${work}/layout:1`]);
    assert.equal(await raw(`oci:${work}/layout:1`), index);
    const tar = `oci-archive:${work}/layout.tar:x`;
    await must(["copy", "--all-platforms", `oci:${work}/layout:1`, tar]);
    assert.equal(await raw(tar), index);
    const third = `docker://${registry.host}/by/tar:1`;
    await must(["copy", "--all-platforms", tar, third]);
    assert.equal(await raw(third), index);

    // skopeo takes all of it from there, and one platform of it is an image.
    const fourth = `docker://${registry.host}/by/skopeo:1`;
    await run("skopeo", [
      ...["copy", "--src-tls-verify=false", "--dest-tls-verify=false"],
      ...["--multi-arch", "all", third, fourth],
    ]);
    for (const arch of ["amd64", "arm64"]) {
      const out = `${work}/pulled.isoc`;
      const reference = fourth.replace("docker://", "");
      await must([
        "pull",
        reference,
        "--platform",
        `linux/${arch}`,
        "-qo",
        out,
      ]);
      assert.equal(await must(["cat", out, arch]), `for ${arch}`);
    }
    // All of them in one archive, which goes back as one index.
    const all = `${work}/all.isoc`;
    const reference = fourth.replace("docker://", "");
    await must(["pull", reference, "--platform", "all", "-qo", all]);
    const fifth = `${registry.host}/by/all:1`;
    const alone = await ciso(["push", all, fifth], { command: withNet });
    assert.match(alone.stderr, /linux\/amd64, linux\/arm64\): --all-platforms/);
    await must(["push", "--all-platforms", all, fifth]);
    const { manifests } = JSON.parse(await raw(`docker://${fifth}`));
    assert.deepEqual(
      manifests.map(({ platform }: { platform: { architecture: string } }) =>
        platform.architecture
      ),
      ["amd64", "arm64"],
    );
    // Of several, that of this machine; of one, that one.
    const { architecture } = JSON.parse(
      await run("skopeo", ["inspect", "--config", `oci:${work}/layout:1`]),
    );
    await must(["pull", reference, "-qo", `${work}/own.isoc`]);
    assert.equal(
      await must(["cat", `${work}/own.isoc`, architecture]),
      `for ${architecture}`,
    );
    const one = `docker://${registry.host}/by/one:1`;
    await must(["copy", "--platform", "linux/arm64", fourth, one]);
    const [, arm] = JSON.parse(index).manifests;
    const digest = await run("skopeo", [
      ...["inspect", "--tls-verify=false", "--format", "{{.Digest}}"],
      ...["--override-arch", "arm64", one],
    ]);
    assert.equal(digest.trim(), arm.digest);
  },
});
