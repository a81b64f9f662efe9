import assert from "node:assert/strict";
import { ascii, binary, concat, utf8 } from "../../lib/streams/bytes.ts";
import { changedLayer } from "../../lib/rootfs/changed_layer.ts";
import { NODE } from "../../lib/rootfs/path_index.ts";
import { type ScanOptions, scanRootfs } from "../../lib/rootfs/scan.ts";
import { rootfsEntries } from "../../lib/rootfs/rootfs_entries.ts";
import { toStream } from "../../lib/streams/source.ts";
import { FIELD, numberField } from "../../lib/tar/block.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { countTime } from "../support/processor_time.ts";
import { paxHeader, type TarEntry, tarOf } from "../support/tar_writer.ts";

const DIRECTORY = { type: "5", mode: 0o755 };

/** Scans a tar of these entries. */
async function scanned(
  entries: (TarEntry | Uint8Array)[],
  options?: ScanOptions,
) {
  const source = new Blob([tarOf(entries) as Uint8Array<ArrayBuffer>]);
  return await scanRootfs(source, options);
}

/** What is below rootfs/ then: a line for each entry. */
async function rootfs(
  entries: (TarEntry | Uint8Array)[],
  options?: Partial<ScanOptions>,
): Promise<string[]> {
  const { source, tree, rootfsSize } = await scanned(entries, options);
  const lines: string[] = [];
  let size = 0;
  async function* counted() {
    for await (const chunk of rootfsEntries(source, tree)) {
      size += chunk.length;
      yield chunk;
    }
  }
  for await (const { entry, bytes } of entriesOf(toStream(counted()))) {
    const mode = numberField(bytes, FIELD.mode, entry.header)!.toString(8);
    const link = entry.link.length > 0 ? ` -> ${binary(entry.link)}` : "";
    const path = binary(entry.path).replace("rootfs/", "");
    lines.push(`${path} ${entry.kind} ${mode} ${entry.size}${link}`);
  }
  assert.equal(size, rootfsSize, "The size was foretold");
  return lines;
}

Deno.test("Tree keeps the global records that held for a hard link's target", async () => {
  const { source, tree } = await scanned([
    paxHeader([["uid", "5"]], "g"),
    { name: "a", data: "data" },
    paxHeader([["uid", "6"]], "g"),
    { name: "b", type: "1", link: "a" },
    { name: "c" },
  ]);
  const owners: string[] = [];
  const entries = toStream(rootfsEntries(source, tree));
  for await (const { entry } of entriesOf(entries)) {
    const uid = new Map(entry.records).get("uid")!;
    owners.push(`${binary(entry.path)} ${binary(uid)}`);
  }
  assert.deepEqual(owners, ["rootfs/a 5", "rootfs/b 5", "rootfs/c 6"]);
});

Deno.test("Tree gives hard links the metadata of what a chain of them leads to", async () => {
  assert.deepEqual(
    await rootfs([
      { name: "a", data: "data", mode: 0o755 },
      { name: "b", type: "1", link: "a", mode: 0o600 },
      // The same as the one before, but not as the file.
      { name: "c", type: "1", link: "b", mode: 0o600 },
      { name: "d", type: "1", link: "c", mode: 0o755 },
    ]),
    [
      "a file 755 4",
      "b hardlink 755 0 -> rootfs/a",
      "c hardlink 755 0 -> rootfs/b",
      "d hardlink 755 0 -> rootfs/c",
    ],
  );
});

Deno.test("Tree follows long chains of hard links in little time", async () => {
  const links = Array.from({ length: 20_000 }, (_, i): TarEntry => ({
    name: `l${i + 1}`,
    type: "1",
    link: `l${i}`,
  }));
  const tooLong = countTime();
  const lines = await rootfs([{ name: "l0", data: "x" }, ...links]);
  // Each link by way of all before it would be 200 million steps: minutes.
  assert.equal(tooLong(), undefined);
  assert.equal(lines.length, 20_001);
  for (const [i, line] of lines.slice(1).entries()) {
    // Some lead right to the file.
    assert.match(
      line,
      new RegExp(`^l${i + 1} hardlink .* -> rootfs/l(0|${i})$`),
    );
  }
});

Deno.test("Tree lets the first link that is left take a replaced file's contents", async () => {
  assert.deepEqual(
    await rootfs([
      { name: "a", data: "old data", mode: 0o750 },
      { name: "gone", type: "1", link: "a", mode: 0o750 },
      { ...DIRECTORY, name: "d" },
      { name: "d/heir", type: "1", link: "gone", mode: 0o750 },
      { name: "next", type: "1", link: "a", mode: 0o750 },
      { name: "a", data: "new" },
      { name: "gone", data: "no link" },
      { name: "late", type: "1", link: "a" },
    ]),
    [
      "d/heir file 750 8",
      "d/ directory 755 0",
      "next hardlink 750 0 -> rootfs/d/heir",
      "a file 644 3",
      "gone file 644 7",
      "late hardlink 644 0 -> rootfs/a",
    ],
  );
});

Deno.test("Tree leaves out the earlier entries of a path", async () => {
  assert.deepEqual(
    await rootfs([
      { name: "a", data: "one" },
      { ...DIRECTORY, name: "d", mode: 0o700 },
      { name: "d/x", data: "x" },
      { name: "./a", data: "two!" },
      { ...DIRECTORY, name: "./d/", mode: 0o711 },
      { name: "/a", type: "2", link: "three" },
    ]),
    [
      "d/ directory 711 0",
      "d/x file 644 1",
      "a symlink 644 0 -> three",
    ],
  );
});

Deno.test("Tree puts in the directories that have no entry", async () => {
  assert.deepEqual(
    await rootfs([
      { name: "a/b/c", data: "c" },
      { name: "a/d", data: "d" },
      { ...DIRECTORY, name: "a/e/f", mode: 0o700 },
      // This one comes late, and is written before what is in it.
      { ...DIRECTORY, name: "a/b", mode: 0o711 },
    ]),
    [
      "a/ directory 755 0",
      "a/b/ directory 711 0",
      "a/b/c file 644 1",
      "a/d file 644 1",
      "a/e/ directory 755 0",
      "a/e/f/ directory 700 0",
    ],
  );
});

Deno.test("Tree moves entries to where symlinks above them lead", async () => {
  assert.deepEqual(
    await rootfs([
      { ...DIRECTORY, name: "usr" },
      { ...DIRECTORY, name: "usr/lib" },
      { name: "lib", type: "2", link: "usr/lib" },
      { name: "usr/up", type: "2", link: "../../../lib" },
      { name: "lib/x", data: "x" },
      { name: "usr/up/y", type: "1", link: "lib/x" },
      { name: "run", type: "2", link: "/var/run/" },
      { name: "run/z", data: "z" },
    ]),
    [
      "usr/ directory 755 0",
      "usr/lib/ directory 755 0",
      "lib symlink 644 0 -> usr/lib",
      "usr/up symlink 644 0 -> ../../../lib",
      "usr/lib/x file 644 1",
      "usr/lib/y hardlink 644 0 -> rootfs/usr/lib/x",
      "run symlink 644 0 -> /var/run/",
      "var/ directory 755 0",
      "var/run/ directory 755 0",
      "var/run/z file 644 1",
    ],
  );
});

Deno.test("Tree makes a symlink of its own of a hard link to one", async () => {
  assert.deepEqual(
    await rootfs([
      { name: "a", type: "2", link: "b", mode: 0o777 },
      { name: "c", type: "1", link: "a", mode: 0o600 },
    ]),
    ["a symlink 777 0 -> b", "c symlink 777 0 -> b"],
  );
});

Deno.test("scanRootfs() hides devices from rkt, and all hard links to them", async () => {
  const { visible } = await scanned([
    { name: "null", type: "3", device: [1, 3] },
    { name: "zero", type: "3", device: [1, 5] },
    { name: "link", type: "1", link: "zero" },
    { ...DIRECTORY, name: "d" },
    { name: "d/disk", type: "4", device: [8, 1] },
  ]);
  assert.deepEqual(visible, ["/null", "/d/disk"]);
});

Deno.test("RootfsTree.climbing names a symlink that leads out of the archive", async () => {
  const climbing = async (name: string, link: string) => {
    const { tree } = await scanned([{ name, type: "2", link }]);
    return tree.climbing;
  };
  // Of the archive, not of the root file system, which is a directory in it.
  assert.equal(await climbing("a", "../x"), undefined);
  assert.equal(await climbing("a", "../../x"), '"a"');
  assert.equal(await climbing("d/e/a", "../../../x"), undefined);
  assert.equal(await climbing("d/e/a", "../../../../x"), '"d/e/a"');
  assert.equal(await climbing("a", "b/../../../c"), '"a"');
  assert.equal(await climbing("a", "/../x"), undefined);
});

Deno.test("TreeFiles.read() reads through symlinks and hard links", async () => {
  const { tree } = await scanned([
    { name: "file", data: "the contents", mode: 0o755 },
    { name: "hard", type: "1", link: "file", mode: 0o755 },
    { ...DIRECTORY, name: "d" },
    { name: "d/soft", type: "2", link: "../hard" },
    { name: "loop", type: "2", link: "loop" },
  ]);
  const read = async (path: string, limit = 100) => {
    const file = await tree.files.read(ascii(path), limit);
    return file && [binary(file.bytes), file.mode];
  };
  assert.deepEqual(await read("/d/soft"), ["the contents", 0o755]);
  assert.deepEqual(await read("hard", 3), ["the", 0o755]);
  for (const path of ["d", "loop", "none", "file/x"]) {
    assert.equal(await read(path), undefined, path);
  }
  assert.equal(tree.files.nodeAt(ascii("d")), NODE.directory);
});

Deno.test("scanRootfs() fills holes up to a limit", async () => {
  const sparse = (name: string): TarEntry => ({
    name,
    pax: [["GNU.sparse.size", "600"], ["GNU.sparse.map", ""]],
  });
  const entries = [sparse("a"), sparse("b")];
  const { changes } = await scanned(entries, { maxUnpacked: 1200 });
  assert.deepEqual([...changes], [["sparse-files", utf8("a")]]);
  await assert.rejects(scanned(entries, { maxUnpacked: 1199 }), {
    name: "InputError",
    message: /"b": .*more than 1199 bytes.*--max-unpacked/,
  });
});

/** Why the layer of these entries is changed. */
async function changesOf(
  entries: (TarEntry | Uint8Array)[],
  options?: Partial<ScanOptions>,
): Promise<[string, string][]> {
  const { changes } = await scanned(entries, options);
  return [...changes].map(([reason, path]) => [reason, binary(path)]);
}

Deno.test("RootfsTree has the layer get entries for missing directories", async () => {
  assert.deepEqual(await changesOf([{ name: "usr/bin/x" }]), [
    ["missing-directories", "usr"],
  ]);
  // An entry may come late.
  const late = [{ name: "usr/bin/x" }, { ...DIRECTORY, name: "usr" }];
  assert.deepEqual(await changesOf(late), [
    ["missing-directories", "usr/bin"],
  ]);
  assert.deepEqual(
    await changesOf([...late, { ...DIRECTORY, name: "usr/bin" }]),
    [],
  );
});

Deno.test("RootfsTree leaves overlayfs's deletions and attributes out", async () => {
  const entries: TarEntry[] = [
    {
      ...DIRECTORY,
      name: "./",
      pax: [["SCHILY.xattr.trusted.overlay.opaque", "y"]],
    },
    {
      ...DIRECTORY,
      name: "d",
      pax: [
        ["SCHILY.xattr.trusted.overlay.opaque", "y"],
        ["SCHILY.xattr.user.kept", "1"],
      ],
    },
    { name: "d/gone", type: "3", device: [0, 0] },
    { name: "null", type: "3", device: [1, 3] },
  ];
  assert.deepEqual(await changesOf(entries), [
    ["overlay-attributes", "./"],
    ["overlay-whiteouts", "d/gone"],
  ]);
  assert.deepEqual(await rootfs(entries), [
    "d/ directory 755 0",
    "null device 644 0",
  ]);
  const { source, tree } = await scanned(entries);
  const keys: string[] = [];
  for await (
    const { entry } of entriesOf(toStream(changedLayer(source, tree)))
  ) keys.push(...entry.records.map(([key]) => key));
  assert.deepEqual(keys, ["SCHILY.xattr.user.kept"]);
  // Who wants such names gets the devices as well.
  const kept = await rootfs(entries, { allowWhiteouts: true });
  assert.ok(kept.includes("d/gone device 644 0"));
});

Deno.test("RootfsTree leaves out what aufs has left, but not the files' contents", async () => {
  const entries: TarEntry[] = [
    { name: ".wh..wh.plnk/1.2", data: "shared" },
    { name: ".wh..wh.aufs" },
    { ...DIRECTORY, name: ".wh..wh.orph" },
    { name: "a", type: "1", link: ".wh..wh.plnk/1.2" },
    { name: "b", type: "1", link: ".wh..wh.plnk/1.2" },
  ];
  assert.deepEqual(await changesOf(entries), [
    ["aufs-leftovers", ".wh..wh.plnk"],
  ]);
  assert.deepEqual(await rootfs(entries), [
    "a file 644 6",
    "b hardlink 644 0 -> rootfs/a",
  ]);
});

Deno.test("RootfsTree notes the first time that Docker does not keep", async () => {
  const { tree } = await scanned([
    { name: "a" },
    { name: "b", mtime: -1 },
    { name: "c", mtime: -2 },
  ]);
  assert.equal(tree.oddTime, '"b"');
});

Deno.test("The layer has names that libarchive cuts with ./ in front", async () => {
  const { source, tree, changes } = await scanned([
    { name: "c:\\x", data: "x" },
    { name: "\\y", type: "1", link: "c:\\x" },
    { name: "./d:", data: "d" },
  ]);
  assert.deepEqual([...changes], [["odd-headers", ascii("c:\\x")]]);
  const names: string[] = [];
  for await (
    const { entry } of entriesOf(toStream(changedLayer(source, tree)))
  ) names.push(binary(entry.path), binary(entry.link));
  assert.deepEqual(names, ["./c:\\x", "", "./\\y", "./c:\\x", "./d:", ""]);
});

Deno.test("scanRootfs() takes a GNU dump's directory without its list", async () => {
  const entries: TarEntry[] = [
    { name: "d/", type: "D", data: "Yfile\0\0", mode: 0o755, dialect: "gnu" },
    { name: "d/file", data: "data" },
  ];
  assert.deepEqual(await changesOf(entries), [["entry-types", "d/"]]);
  assert.deepEqual(await rootfs(entries), [
    "d/ directory 755 0",
    "d/file file 644 4",
  ]);
});

Deno.test("scanRootfs() says what comes after the archive's end", async () => {
  const tar = (name: string) => tarOf([{ name }]);
  const scan = (...parts: Uint8Array[]) =>
    scanRootfs(new Blob([concat(parts).slice()]));
  assert.deepEqual((await scan(tar("a"))).notes, []);
  const { notes, changes } = await scan(tar("a"), tar("b"), tar("c"));
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, /readers stop; they are taken in.*first one is "b"/);
  assert.ok(changes.has("several-archives"));
  const junk = await scan(tar("a"), new Uint8Array(700).fill(0x6a));
  assert.match(junk.notes[0]!, /^700 bytes after the archive's end are no tar/);
});

Deno.test("scanRootfs() says what a tar without entries is", async () => {
  await assert.rejects(
    scanRootfs(new Blob([new Uint8Array(1024)])),
    /no entries, only 1024 bytes of zeros; archive a tree/,
  );
  await assert.rejects(
    scanRootfs(new Blob([])),
    /The input is empty; make or fetch it again/,
  );
});
