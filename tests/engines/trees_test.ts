import assert from "node:assert/strict";
import { startDocker } from "../support/dockerd.ts";
import { isInstalled, run } from "../support/run.ts";
import {
  appcManifest,
  appcTree,
  appcValidate,
  bundleTree,
  diffTrees,
  dockerTree,
  extractGnu,
  listTree,
  LOSSES,
  type TreeOptions,
  umociTree,
} from "../support/tree.ts";
import { required } from "../support/required.ts";

const ROOT = `${import.meta.dirname}/../..`;

/** Why these tests cannot run here, if they cannot: all need root for owners and devices. */
const obstacle = Deno.uid() !== 0
  ? "not run by root"
  : ["python3", "tar", "go", "skopeo", "umoci"]
    .filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (obstacle) console.warn(`Trees are not compared: ${obstacle}`);

const ignore = obstacle !== undefined && !required.includes("appc");

/** A directory for one test. */
async function workDir() {
  const path = await Deno.makeTempDir({ prefix: "isoc-trees-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Makes tests/support/odd_tree.py's tree in a directory and returns its path. */
async function oddTree(folder: string): Promise<string> {
  await run("python3", [
    `${import.meta.dirname}/../support/odd_tree.py`,
    `${folder}/odd`,
  ]);
  return `${folder}/odd`;
}

/** Builds an isoc from a tar with the command line tool and returns its path. */
async function build(tar: string): Promise<string> {
  const archive = tar.replace(/\.tar$/, ".isoc");
  await run(Deno.execPath(), [
    "run",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    `${ROOT}/main.ts`,
    tar,
    "--tag=isoc/hello",
    `--output=${archive}`,
    "--",
    "/bin/echo",
    "make",
    "container",
    "not",
    "war",
  ]);
  return archive;
}

interface Entry {
  name: string;
  /** Type flag of the tar header, `0` (a regular file) unless given. */
  type?: string;
  link?: string;
  mode?: number;
  text?: string;
}

/** Writes a tar, without any check, so that it can be a wrong one. */
function tarOf(entries: Entry[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (
    const { name, type = "0", link = "", mode = 0o644, text = "" } of entries
  ) {
    const data = new TextEncoder().encode(text);
    const block = new Uint8Array(512 + Math.ceil(data.length / 512) * 512);
    const put = (at: number, value: string) =>
      block.set(new TextEncoder().encode(value), at);
    const octal = (at: number, value: number) =>
      put(at, value.toString(8).padStart(7, "0"));
    put(0, name);
    octal(100, mode);
    octal(108, 0);
    octal(116, 0);
    put(124, data.length.toString(8).padStart(11, "0"));
    put(136, "0".repeat(11));
    put(148, " ".repeat(8));
    put(156, type);
    put(157, link);
    put(257, "ustar\0" + "00");
    octal(148, block.subarray(0, 512).reduce((sum, byte) => sum + byte, 0));
    block.set(data, 512);
    chunks.push(block);
  }
  return new Uint8Array([
    ...chunks.flatMap((chunk) => [...chunk]),
    ...new Uint8Array(1024),
  ]);
}

const MANIFEST = {
  acKind: "ImageManifest",
  acVersion: "0.8.11",
  name: "isoc/hello",
  labels: [{ name: "os", value: "linux" }, { name: "arch", value: "amd64" }],
};
const MANIFEST_ENTRY = { name: "manifest", text: JSON.stringify(MANIFEST) };
const ROOTFS_ENTRY = { name: "rootfs", type: "5", mode: 0o755 };

/** Renders an image of these entries below rootfs/ with appc's code. */
async function renderedByAppc(
  folder: string,
  entries: Entry[],
): Promise<string> {
  const file = `${folder}/image.aci`;
  await Deno.writeFile(
    file,
    tarOf([MANIFEST_ENTRY, ROOTFS_ENTRY, ...entries]),
  );
  return await appcTree(file, {});
}

Deno.test({
  name: "diffTrees() names what differs in two listings of listTree()",
  ignore,
  async fn() {
    await using work = await workDir();
    const odd = await oddTree(work.path);
    const before = await listTree(odd);
    assert.equal(diffTrees(before, await listTree(odd)), "");
    const script = `
      chmod 0711 bin/setgid
      chown 3000000:4000001 etc/nothing; touch -d @0 etc/nothing
      touch -d @946684799.000000002 usr/lib
      printf 8 | dd of=etc/numbers conv=notrunc
      ln -sfn ../../x etc/relative; chown -h 7:8 etc/relative
      rm dev/null; mknod -m 666 dev/null c 1 5
      cp -a z-file copy; mv copy z-file
      rm lib-link; mkdir more
      python3 -c 'import os; os.setxattr("etc/acl", "user.x", b"y")'
      touch -h -d @1433664550.123456789 dev dev/null etc etc/numbers etc/relative more
      touch -d @1433664550.5 .
    `;
    await run("sh", ["-ec", `cd "$0"; ${script}`, odd]);
    const differences = diffTrees(before, await listTree(odd), ["old", "new"]);
    assert.deepEqual(differences.replace(/[0-9a-f]{64}/g, "#").split("\n"), [
      "bin/setgid: old: mode=2711; new: mode=0711",
      "dev/null: old: device=1:3; new: device=1:5",
      "etc/acl: old: -; new: xattr:user.x=79",
      "etc/nothing: old: owner=3000000:4000000; new: owner=3000000:4000001",
      "etc/numbers: old: sha256=#; new: sha256=#",
      "etc/relative: old: target=../..//x/; new: target=../../x",
      "lib-link: only in old: symlink mode=0777 owner=0:0 " +
      "mtime=1433664550123456789 target=usr/lib same-as=lib",
      "usr/lib: old: mtime=946684799000000001; new: mtime=946684799000000002",
      "z-file: old: same-as=a-link; new: sha256=#",
      "more: only in new: dir mode=0755 owner=0:0 mtime=1433664550123456789",
    ]);
  },
});

Deno.test({
  name: "listTree() leaves out what its options name",
  ignore,
  async fn() {
    await using work = await workDir();
    const odd = await oddTree(work.path);
    await run("tar", ["-C", odd, "-cf", `${work.path}/etc.tar`, "etc/acl"]);
    const all = await listTree(odd);
    const lost = async (options: TreeOptions) =>
      diffTrees(all, await listTree(odd, options), ["all", "some"]).split("\n");

    assert.deepEqual((await lost({ ignore: ["/dev/null", "lib"] })).length, 3);
    assert.deepEqual(await lost({ bare: ["."] }), [
      ".: all: mode=0711 owner=11:12 mtime=1433664550500000000; some: -",
    ]);
    assert.deepEqual(await lost({ bareMissing: `${work.path}/etc.tar` }), [
      ".: all: mode=0711 owner=11:12 mtime=1433664550500000000; some: -",
      "etc: all: mode=0755 owner=0:0 mtime=1433664550123456789; some: -",
    ]);
    assert.deepEqual(await lost({ ignoreMtime: ["usr/lib"] }), [
      "usr/lib: all: mtime=946684799000000001; some: -",
    ]);
    assert.deepEqual(await lost({ noNegativeMtime: true }), [
      "bin/unreadable: all: mtime=-315521754750000000; some: mtime=0",
    ]);
    assert.ok(
      (await lost({ noNs: true })).includes(
        "bin/unreadable: all: mtime=-315521754750000000; some: mtime=-315521755",
      ),
    );
    assert.equal(
      (await lost({ noMtimeOfDirs: true })).length,
      all.split("\n").filter((line) => line.includes(" dir ")).length,
    );
    assert.deepEqual(await lost({ noXattr: ["trusted.*"] }), [
      "etc/numbers: all: xattr:trusted.any=74; some: -",
    ]);
    assert.match(
      (await lost({ xattrsOfFilesOnly: true })).join(),
      /^var: [^,]*$/,
    );
    assert.deepEqual(
      (await lost({ noCapabilityOfLinks: true })).map((l) => l.split(":")[0]),
      ["bin/capable", "bin/capable2"],
    );
    assert.deepEqual(await lost({ noLinksOfSymlinks: true }), [
      "etc/dangling-link: all: same-as=etc/absolute; some: -",
      "lib-link: all: same-as=lib; some: -",
    ]);
  },
});

Deno.test({
  name: "appcTree() fails where rkt does",
  ignore,
  async fn() {
    await using work = await workDir();
    const file = { name: "rootfs/file", text: "text" };
    const cases: [RegExp, Entry[]][] = [
      [/unsupported type: 55/, [{ ...file, type: "7" }]],
      [/unsupported type: 90/, [{ ...file, type: "Z" }]],
      [/file exists/, [
        { name: "rootfs/a", type: "2", link: "b" },
        { name: "rootfs/a", type: "2", link: "c" },
      ]],
      [/file exists/, [
        file,
        { name: "rootfs/a", type: "1", link: "rootfs/file" },
        { name: "rootfs/a", type: "1", link: "rootfs/file" },
      ]],
      [/no such file/, [
        { name: "rootfs/a", type: "1", link: "rootfs/file" },
        file,
      ]],
      [/no such file/, [file, { name: "rootfs/a", type: "1", link: "file" }]],
      [/no such file/, [
        { name: "blobs/layer", text: "layer" },
        { name: "rootfs/layer.tar", type: "1", link: "blobs/layer" },
      ]],
      // The mode of a hard link is set through the symbolic link it is one to.
      [/no such file/, [
        { name: "rootfs/a", type: "2", link: "nowhere" },
        { name: "rootfs/b", type: "1", link: "rootfs/a" },
      ]],
      [/file exists/, [
        { name: "rootfs/lib/x" },
        { name: "rootfs/lib", type: "2", link: "usr/lib" },
      ]],
    ];
    for (const [message, entries] of cases) {
      await assert.rejects(
        renderedByAppc(work.path, entries),
        message,
        JSON.stringify(entries),
      );
    }
    const archive = tarOf([MANIFEST_ENTRY, ROOTFS_ENTRY, file]);
    const image = `${work.path}/image.aci`;
    await Deno.writeFile(image, archive.subarray(0, -512));
    await assert.rejects(appcTree(image), /two blocks of zeros/);
    await Deno.writeFile(image, archive.subarray(0, 1200));
    await assert.rejects(appcTree(image), /unexpected EOF/);
    await Deno.writeFile(image, tarOf([MANIFEST_ENTRY]));
    await assert.rejects(appcTree(image), /no directory rootfs/);
    await Deno.writeFile(image, tarOf([ROOTFS_ENTRY]));
    await assert.rejects(appcTree(image), /missing manifest/);
  },
});

Deno.test({
  name: "appcTree() shows what rkt loses without a word",
  ignore,
  async fn() {
    await using work = await workDir();
    const shown = async (entries: Entry[]) =>
      (await renderedByAppc(work.path, entries)).trim().split("\n")
        .map((line) => line.replace(/ owner=.*?(?= size| target|$)/, ""))
        .map((line) => line.replace(/ sha256=.*/, ""))
        .filter((line) => !line.startsWith(". "));
    assert.deepEqual(
      await shown([
        { name: "rootfs/a", text: "a longer text" },
        { name: "rootfs/a", text: "short" },
      ]),
      ["a file mode=0644 size=13"],
    );
    assert.deepEqual(
      await shown([
        { name: "rootfs/a", mode: 0o755 },
        { name: "rootfs/b", type: "1", link: "rootfs/a", mode: 0o644 },
      ]),
      ["a file mode=0644 size=0", "b file mode=0644 size=0 same-as=a"],
    );
    assert.deepEqual(
      await shown([
        { name: "rootfs/lib", type: "2", link: "usr/lib" },
        { name: "rootfs/lib/x" },
      ]),
      ["lib symlink mode=0777 target=usr/lib"],
    );
  },
});

Deno.test({
  name: "appcManifest() reads and checks the manifest",
  ignore,
  async fn() {
    await using work = await workDir();
    const image = `${work.path}/image.aci`;
    await Deno.writeFile(image, tarOf([MANIFEST_ENTRY, ROOTFS_ENTRY]));
    assert.deepEqual(await appcManifest(image), MANIFEST);
    const text = JSON.stringify({ ...MANIFEST, name: "Isoc" });
    await Deno.writeFile(image, tarOf([{ name: "manifest", text }]));
    await assert.rejects(appcManifest(image), /lower case/);
  },
});

Deno.test({
  name: "appcValidate() says what actool validate says",
  ignore,
  async fn() {
    await using work = await workDir();
    const image = `${work.path}/image.aci`;
    const entries = [MANIFEST_ENTRY, ROOTFS_ENTRY, { name: "rootfs/a" }];
    await Deno.writeFile(image, tarOf(entries));
    await appcValidate(image);
    await Deno.writeFile(image, tarOf([...entries, { name: "rootfs/a" }]));
    await assert.rejects(appcValidate(image), /duplicate file entry/);
    await Deno.writeFile(image, tarOf([...entries, { name: "blobs/x" }]));
    await assert.rejects(appcValidate(image), /unrecognized file path/);
  },
});

/**
 * Checks that every engine makes the same tree of an isoc as GNU tar of the
 * root file system it was built from.
 */
async function checkTrees(t: Deno.TestContext, tar: string): Promise<void> {
  const archive = await build(tar);
  await using reference = await extractGnu(tar);
  const equal = async (
    engine: keyof typeof LOSSES,
    list: (options: TreeOptions) => Promise<string>,
  ) => {
    // Directories without an entry are not the same in any two engines.
    const options = { ...LOSSES[engine], bareMissing: tar };
    const expected = await listTree(reference.root, options);
    assert.ok(expected.split("\n").length > 5, expected);
    assert.equal(
      diffTrees(expected, await list(options), ["input", engine]),
      "",
    );
  };

  await t.step("appc", () => equal("appc", (o) => appcTree(archive, o)));
  await t.step("umoci", () => equal("umoci", (o) => umociTree(archive, o)));
  await t.step("bundle", () => equal("bundle", (o) => bundleTree(archive, o)));
  await using docker = await startDocker();
  if (docker.reason) console.warn(`Docker is left out: ${docker.reason}`);
  await t.step({
    name: "docker",
    ignore: docker.reason !== undefined && !required.includes("docker"),
    fn: () => equal("docker", (o) => dockerTree(archive, docker.host, o)),
  });
}

for (
  const [kind, program, ...options] of [
    ["busybox", "busybox"],
    ["busybox", "busybox", "--plain-names"],
    ["debian", "debootstrap"],
  ] as [string, string, ...string[]][]
) {
  const what = [kind, ...options].join(" ");
  Deno.test({
    name: `ciso keeps the tree of scripts/rootfs ${what} in every engine`,
    ignore: ignore || !isInstalled(program),
    async fn(t) {
      await using work = await workDir();
      const tar = `${work.path}/${kind}.tar`;
      await run(`${ROOT}/scripts/rootfs`, [kind, tar, ...options]);
      await checkTrees(t, tar);
    },
  });
}

for (const format of ["gnu", "pax"]) {
  Deno.test({
    name:
      `ciso keeps odd metadata in GNU tar's ${format} format in every engine`,
    ignore,
    async fn(t) {
      await using work = await workDir();
      const tar = `${work.path}/${format}.tar`;
      const attributes = ["--xattrs", "--xattrs-include=*", "--acls"];
      await run("tar", [
        `--directory=${await oddTree(work.path)}`,
        "--create",
        `--file=${tar}`,
        `--format=${format}`,
        ...(format === "pax" ? attributes : []),
        ".",
      ]);
      await checkTrees(t, tar);
    },
  });
}
