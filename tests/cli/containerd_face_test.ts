// The face containerd: readers of tar see the isoc, decoders of zstd see the same
// image's face oci alone; a view of anything else is a finding.

import assert from "node:assert/strict";
import { putChecksum } from "../../lib/tar/block.ts";
import { ciso } from "../support/ciso.ts";
import { isInstalled, run } from "../support/run.ts";
import {
  allRuntimes,
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";

const IMAGE = ["-t", "isoc/hello:1.0", "--created=0", "-q"];
const COMMAND = ["--", "/bin/sh"];

const work = await Deno.makeTempDir({ prefix: "isoc-containerd-test-" });
const rootfs = `${work}/rootfs.tar`;
const plain = `${work}/plain.isoc`;
const viewed = `${work}/viewed.isoc`;
const zstd = lacking("zstd");
const ALLOWED = "--allow-run=zstd";
const RUNTIMES = await allRuntimes(ALLOWED);

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

await Deno.mkdir(`${work}/tree/bin`, { recursive: true });
await Deno.copyFile("/bin/sh", `${work}/tree/bin/sh`);
await run("tar", ["--sort=name", "-C", `${work}/tree`, "-cf", rootfs, "."]);
await ciso([rootfs, ...IMAGE, "-o", plain, ...COMMAND]);
const FACES = ["--faces", "all,containerd"];
await ciso([rootfs, ...IMAGE, ...FACES, "-o", viewed, ...COMMAND]);

/** Paths and digests of a tar's files. */
async function filesOf(tar: string): Promise<Map<string, string>> {
  const script = 'tar -xf "$1" --to-command=\'echo "$(sha256sum | head -c 64)' +
    " $TAR_FILENAME\"'";
  const lines = (await run("bash", ["-c", script, "files", tar])).trim();
  return new Map(
    lines.split("\n").map((line) => [line.slice(65), line.slice(0, 64)]),
  );
}

for (const runtime of RUNTIMES) {
  const { command } = runtime;
  Deno.test({
    ...unlessMissing(
      `both views of the face containerd hold the same image, under ${runtime.name}`,
      runtime,
      zstd,
    ),
    async fn() {
      assertNothingMissing(runtime, zstd);
      const file = `${work}/out.isoc`;
      const args = [rootfs, ...IMAGE, ...FACES, "-o", file];
      const made = await ciso([...args, ...COMMAND], { command });
      assert.equal(made.stderr, "");
      const inner = `${work}/inner.tar`;
      await run("sh", ["-c", 'zstd -dqc <"$0" >"$1"', file, inner]);
      const outside = await filesOf(file);
      const inside = await filesOf(inner);
      // Config, layer and manifest, and the three that name them.
      assert.equal(inside.size, 6);
      for (const [path, digest] of inside) {
        assert.equal(outside.get(path), digest, path);
        if (path.startsWith("blobs/")) assert.ok(path.endsWith(digest));
      }
      // Two tars that differ in nothing but the header before the first entry.
      const text = await run("tar", ["-tvf", file]);
      assert.equal(text, await run("tar", ["-tvf", plain]));
      const { stdout } = await ciso(["verify", file], { command });
      assert.match(stdout, /no findings; faces [\w, -]*, containerd;/);
      for (const face of ["oci", "appc", "docker", "rootfs"]) {
        const one = `${work}/one`;
        const two = `${work}/two`;
        await ciso(["export", file, "--as", face, "-o", one], { command });
        await ciso(["export", plain, "--as", face, "-o", two]);
        assert.equal(await run("cmp", [one, two]), "");
      }
      const back = `${work}/back.isoc`;
      const convert = ["convert", file, "-q", "-o", back];
      assert.equal((await ciso(convert, { command })).stderr, "");
      assert.equal(await run("cmp", [back, plain]), "");
    },
  });
}

const TREES = RUNTIMES.filter(({ name }) => name !== "oldest node");

Deno.test({
  ...unlessMissing(
    "the face containerd is the same bytes everywhere",
    ...TREES,
  ),
  async fn() {
    assertNothingMissing(...TREES);
    for (const { command } of TREES) {
      const file = `${work}/same.isoc`;
      const args = [rootfs, ...IMAGE, ...FACES, "-o", file];
      await ciso([...args, ...COMMAND], { command });
      assert.equal(await run("cmp", [file, viewed]), "");
    }
  },
});

Deno.test("ciso export --as isoc and convert make the face containerd anew", async () => {
  const file = `${work}/anew.isoc`;
  for (const words of [["convert"], ["export", "--as=isoc"]]) {
    const args = [...words, viewed, "-q", ...FACES, "-o", file];
    assert.equal((await ciso(args)).stderr, "");
    assert.equal(await run("cmp", [file, viewed]), "");
  }
  const args = ["export", viewed, "--as=oci", ...FACES, "-o", file];
  const { code, stderr } = await ciso(args);
  assert.match(stderr, /--faces goes with --as isoc/);
  assert.equal(code, 2);
});

Deno.test("ciso inspect knows the face containerd", async () => {
  const { stdout } = await ciso(["inspect", viewed]);
  assert.match(stdout, /faces .*containerd \(/);
  assert.match(stdout, /a tar of its own, with zstd +containerd/);
  assert.doesNotMatch(stdout, /are no tar/);
});

/** A copy of the archive with another view, or changed bytes. */
async function changed(
  change: (bytes: Uint8Array, tar: number) => Promise<Uint8Array> | Uint8Array,
): Promise<string> {
  const bytes = await Deno.readFile(viewed);
  const tar = 8 + new DataView(bytes.buffer).getUint32(4, true);
  const path = `${work}/changed.isoc`;
  await Deno.writeFile(path, await change(bytes, tar));
  return path;
}

/** The archive with the zstd frame of another tar. */
function withView(view: string): Promise<string> {
  return changed(async (bytes, tar) => {
    const frame = `${work}/frame.zst`;
    await run("zstd", ["-qf", view, "-o", frame]);
    const end = await Deno.readFile(frame);
    return new Uint8Array([...bytes.subarray(0, tar), ...end]);
  });
}

async function assertFinding(file: string, message: RegExp): Promise<void> {
  const { code, stdout } = await ciso(["verify", file]);
  assert.match(stdout, message);
  assert.match(stdout, /error zstd-view/);
  assert.equal(code, 1);
}

Deno.test({
  name:
    "verify finds another image in the zstd frame, and export takes the tar's",
  ignore: !isInstalled("zstd"),
  async fn() {
    const other = `${work}/other.tar`;
    const image = [rootfs, "-t", "isoc/evil", "--created=1", "-q"];
    const made = ["--faces=docker,oci", "-o", other, "--", "/bin/evil"];
    assert.equal((await ciso([...image, ...made])).code, 0);
    const evil = await withView(other);
    await assertFinding(evil, /"index\.json" is not that of the archive/);
    const face = `${work}/face`;
    const own = `${work}/own`;
    await ciso(["export", evil, "--as=oci", "-o", face]);
    await ciso(["export", plain, "--as=oci", "-o", own]);
    assert.equal(await run("cmp", [face, own]), "");
    const back = `${work}/evil-back.isoc`;
    await ciso(["convert", evil, "-q", "-o", back]);
    assert.equal(await run("cmp", [back, plain]), "");
    // One that lacks a document, and one with a further file.
    const docker = `${work}/docker.tar`;
    await ciso(["export", plain, "--as=docker", "-o", docker]);
    await assertFinding(
      await withView(docker),
      /"index\.json" is missing in it/,
    );
    await run("tar", ["-rf", own, "-C", `${work}/tree`, "bin/sh"]);
    await assertFinding(await withView(own), /"bin\/sh" is not that of/);
  },
});

Deno.test("verify finds a frame that skips to another place, or is damaged", async () => {
  await assertFinding(
    await changed((bytes) => {
      new DataView(bytes.buffer).setUint32(4, 2040, true);
      putChecksum(bytes);
      return bytes;
    }),
    /decoders skip, and they get to byte 2048, which is not where the tar ends/,
  );
  await assertFinding(
    await changed((bytes, tar) => bytes.slice(0, tar)),
    /they get to its end, which is not where the tar ends/,
  );
  await assertFinding(
    await changed((bytes) => bytes.slice(0, bytes.length - 9)),
    /the zstd data are (damaged or )?cut short/,
  );
});

Deno.test("ciso refuses a rootfs that zstd decoders skip", async () => {
  const bytes = await Deno.readFile(viewed);
  const path = `${work}/skipped.tar`;
  const tree = await Deno.readFile(rootfs);
  await Deno.writeFile(
    path,
    new Uint8Array([...bytes.subarray(0, 1024), ...tree]),
  );
  const args = [path, ...IMAGE, "-o", `${work}/no.isoc`, ...COMMAND];
  const { code, stderr } = await ciso(args);
  assert.match(stderr, /It starts as a zstd frame that decoders skip/);
  assert.equal(code, 1);
});

Deno.test("--faces containerd needs oci, and a file that is not compressed", async () => {
  for (
    const [words, message] of [
      [["--faces=appc,containerd"], /is another view of the face oci/],
      [[...FACES, "--compress=gzip"], /is for a file that is not compressed/],
      [["--faces=all,foo"], /"foo" is not one of appc, .*, containerd, all$/m],
    ] as const
  ) {
    const args = [rootfs, ...IMAGE, ...words, "-o", `${work}/no.isoc`];
    const { code, stderr } = await ciso([...args, ...COMMAND]);
    assert.match(stderr, message);
    assert.equal(code, 2);
  }
});
