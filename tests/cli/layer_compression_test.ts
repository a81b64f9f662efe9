// --layer-compression and --for, under all runtimes: the layers of the faces
// docker and oci are compressed, their diff IDs stay, and the way back gives the
// same tar.

import assert from "node:assert/strict";
import { ciso } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  allRuntimes,
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";

const IMAGE = ["-t", "isoc/hello:1.0", "--created=0", "-q"];
const COMMAND = ["--", "/bin/sh"];
const ALLOWED = "--allow-run=zstd,xz";

const work = await Deno.makeTempDir({ prefix: "isoc-layers-test-" });
const rootfs = `${work}/rootfs.tar`;
const RUNTIMES = await allRuntimes(ALLOWED);

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

await Deno.mkdir(`${work}/tree/bin`, { recursive: true });
await Deno.copyFile(Deno.execPath(), `${work}/tree/bin/sh`);
await run("truncate", ["-s", "3500000", `${work}/tree/bin/sh`]);
await run("tar", ["--sort=name", "-C", `${work}/tree`, "-cf", rootfs, "."]);
const diffId = (await run("sha256sum", [rootfs])).slice(0, 64);

/** A document of an archive. */
async function read(archive: string, path: string) {
  return JSON.parse(await run("tar", ["-xOf", archive, path]));
}

for (const runtime of RUNTIMES) {
  const { command } = runtime;
  for (const method of ["gzip", "zstd"]) {
    const needed = [runtime, lacking(method)];
    Deno.test({
      ...unlessMissing(
        `--layer-compression ${method} keeps diff IDs, under ${runtime.name}`,
        ...needed,
      ),
      async fn() {
        assertNothingMissing(...needed);
        const file = `${work}/out.isoc`;
        const args = [rootfs, ...IMAGE, "-o", file, "--json"];
        const option = `--layer-compression=${method}`;
        const made = await ciso([...args, option, ...COMMAND], { command });
        assert.equal(made.stderr, "");
        const [layer] = JSON.parse(made.stdout).layers;
        assert.equal(layer.digest, `sha256:${diffId}`);
        assert.equal(layer.compressed.method, method);
        const hex = layer.compressed.digest.slice(7);
        const blob = `blobs/sha256/${hex}`;
        const script = 'tar -xOf "$1" "$2" | "$0" -dc | cmp - "$3"';
        await run("sh", ["-c", script, method, file, blob, rootfs]);
        const [docker] = await read(file, "manifest.json");
        assert.deepEqual(docker.Layers, [blob]);
        const config = await read(file, docker.Config);
        assert.deepEqual(config.rootfs.diff_ids, [`sha256:${diffId}`]);
        const [{ digest }] = (await read(file, "index.json")).manifests;
        const path = `blobs/sha256/${digest.slice(7)}`;
        assert.deepEqual((await read(file, path)).layers, [{
          mediaType: `application/vnd.oci.image.layer.v1.tar+${method}`,
          digest: `sha256:${hex}`,
          size: layer.compressed.size,
        }]);
        const verified = await ciso(["verify", file], { command });
        assert.match(
          verified.stdout,
          /no findings; faces appc, docker, oci, b/,
        );
        const back = `${work}/back.isoc`;
        const again = `${work}/again.tar`;
        await ciso(["convert", file, "-q", "-o", back], { command });
        await ciso(["export", back, "--as=rootfs", "-o", again], { command });
        assert.equal(await run("cmp", [again, rootfs]), "");
        for (const path of [file, back, again]) await Deno.remove(path);
      },
    });
  }
}

Deno.test("ciso export compresses the layers of docker and oci", async () => {
  const plain = `${work}/plain.isoc`;
  await ciso([rootfs, ...IMAGE, "-o", plain, ...COMMAND]);
  for (const face of ["docker", "oci"]) {
    const out = `${work}/${face}.tar`;
    const args = ["export", plain, "--as", face, "-q", "-o", out];
    const { stderr } = await ciso([...args, "--layer-compression=gzip"]);
    assert.equal(stderr, "");
    const names = await run("tar", ["-tf", out]);
    assert.equal(names.includes("index.json"), face === "oci");
    assert.match(names, /^manifest\.json$/m);
    assert.doesNotMatch(names, /rootfs/);
    assert.match((await ciso(["verify", out])).stdout, /no findings/);
  }
  // And takes the compression off, if it must.
  const packed = `${work}/docker.tar`;
  const back = `${work}/back.tar`;
  const none = ["--layer-compression=none", "-q", "-o", back];
  await ciso(["export", packed, "--as=docker", ...none]);
  const digest = (await run("sha256sum", [rootfs])).slice(0, 64);
  const names = await run("tar", ["-tf", back]);
  assert.ok(names.includes(`blobs/sha256/${digest}`), names);
  const appc = ["export", plain, "--as=appc", "-o", `${work}/x`];
  const refused = await ciso([...appc, "--layer-compression=gzip"]);
  assert.match(refused.stderr, /goes with --as docker, oci or isoc/);
  assert.equal(refused.code, 2);
});

Deno.test("--layer-compression leaves the face docker-v1 out, and says so", async () => {
  const args = [rootfs, "-t", "x", "--created=0", "--layer-compression=gzip"];
  const output = ["-o", `${work}/v1.isoc`];
  const { stderr } = await ciso([...args, ...output, ...COMMAND]);
  assert.equal(
    stderr,
    "ciso: The face docker-v1 is left out: Docker 1.9 takes no compressed layers\n",
  );
  for (const faces of ["docker-v1,docker", "appc"]) {
    const wrong = [...args, "--faces", faces, "-o", `${work}/no.isoc`];
    const { code, stderr } = await ciso([...wrong, ...COMMAND]);
    assert.match(stderr, /takes no compressed layers|have layers to compress/);
    assert.equal(code, 2);
  }
});

for (
  const [engine, faces, layers, start] of [
    ["docker", /^manifest\.json$/m, "+gzip", "index.json"],
    ["podman", /^manifest\.json$/m, "+zstd", "index.json"],
    ["ctr", /^oci-layout$/m, "+zstd", "index.json"],
    ["rkt", /^manifest$/m, "", "\x1f\x8b"],
    ["incus", /^metadata\.yaml$/m, "", "\x1f\x8b"],
  ] as const
) {
  Deno.test(`--for ${engine} chooses, and says what`, async () => {
    const file = `${work}/for.isoc`;
    const args = [rootfs, "-t", "x", "--created=0", "--for", engine];
    const { stderr } = await ciso([...args, "-o", file, ...COMMAND]);
    assert.match(stderr, /^ciso: for [\w-]+: --faces [\w,]+ --[\w-]+ \w+\n$/);
    assert.match(await run("tar", ["-tf", file]), faces);
    if (layers) {
      const text = await run("tar", ["-xOf", file, "manifest.json"]);
      assert.ok(text);
      const [{ digest }] = (await read(file, "index.json")).manifests;
      const manifest = await read(file, `blobs/sha256/${digest.slice(7)}`);
      assert.ok(manifest.layers[0].mediaType.endsWith(layers));
    } else {
      const bytes = await Deno.readFile(file);
      assert.equal(String.fromCharCode(bytes[0]!, bytes[1]!), start);
    }
  });
}

Deno.test("--for refuses what the engine does not take", async () => {
  for (
    const [words, message] of [
      [["--for=moby"], /--for: "moby" is not one of docker, podman/],
      [
        ["--for=docker", "--compress=zstd"],
        /not every version takes a file with zstd \(all take gzip and xz\)/,
      ],
      [
        ["--for=containerd", "--compress=gzip"],
        /a file with gzip; leave --for out/,
      ],
      [
        ["--for=umoci", "--compress=zstd", "--window=512M"],
        /takes zstd with a window above 128M; leave --for out/,
      ],
      [["--for=docker", "--layout=classic"], /exclude each other/],
    ] as const
  ) {
    const args = [rootfs, ...IMAGE, ...words, "-o", `${work}/no.isoc`];
    const { code, stderr } = await ciso([...args, ...COMMAND]);
    assert.match(stderr, message);
    assert.equal(code, 2);
  }
});
