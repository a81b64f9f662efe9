import assert from "node:assert/strict";
import { ascii, binary, concat } from "../../lib/streams/bytes.ts";
import { BLOCK } from "../../lib/tar/block.ts";
import type { Entry } from "../../lib/tar/entry.ts";
import { readEntry } from "../../lib/tar/read_entry.ts";
import { parsePax, type PaxRecord } from "../../lib/tar/pax.ts";
import {
  entryOf,
  paxHeader,
  paxRecord,
  type TarEntry,
} from "../support/tar_writer.ts";

/** Reads the first item of some bytes. */
function item(bytes: Uint8Array, globals: PaxRecord[] = []) {
  return readEntry(bytes, 0, globals);
}

/** Reads an entry, which it must be. */
function read(
  entry: TarEntry | Uint8Array,
  globals: [string, string][] = [],
): Entry {
  const bytes = entry instanceof Uint8Array ? entry : entryOf(entry);
  const records = globals.map(([key, value]): PaxRecord => [key, ascii(value)]);
  const found = item(bytes, records);
  assert.ok(typeof found === "object" && "kind" in found, `${found}`);
  return found;
}

/** Asserts that an entry is refused. */
function refused(entry: TarEntry | Uint8Array, message: RegExp): void {
  assert.throws(() => read(entry), { name: "InputError", message });
}

Deno.test("readEntry() tells kinds apart", () => {
  const kinds = Object.fromEntries(
    [..."\x0001234567SV"].filter((type) => type !== "S")
      .map((type) => [type, read({ name: "x", type }).kind]),
  );
  assert.deepEqual(kinds, {
    "\0": "file",
    0: "file",
    1: "hardlink",
    2: "symlink",
    3: "device",
    4: "device",
    5: "directory",
    6: "fifo",
    7: "file",
    V: "label",
  });
  // As directories were before POSIX.
  assert.equal(read({ name: "x/", type: "0" }).kind, "directory");
  assert.equal(read({ name: "x/", type: "\0" }).kind, "directory");
});

Deno.test("readEntry() tells where header and data are", () => {
  const entry = read({ name: "x", data: "d".repeat(600) });
  const { start, header, end, size, stored, pax } = entry;
  assert.deepEqual([start, header, end, size, stored, pax], [
    0,
    0,
    BLOCK,
    600,
    600,
    -1,
  ]);
  const long = read({ name: "x", pax: [["path", "y"]], longLink: "z" });
  assert.deepEqual([long.start, long.pax, long.header, long.end], [
    0,
    0,
    4 * BLOCK,
    5 * BLOCK,
  ]);
});

Deno.test("readEntry() joins prefix and name, where the dialect has a prefix", () => {
  const path = (entry: TarEntry) => binary(read(entry).path);
  assert.equal(path({ name: "n", prefix: "a/b" }), "a/b/n");
  assert.equal(path({ name: "n".repeat(100) }), "n".repeat(100));
  assert.equal(
    path({ name: "n".repeat(100), prefix: "p".repeat(155) }),
    `${"p".repeat(155)}/${"n".repeat(100)}`,
  );
  // GNU has times there, old headers anything.
  const times: TarEntry["raw"] = [[345, "12534776046\x0012534776046\0"]];
  assert.equal(path({ name: "n", dialect: "gnu", raw: times }), "n");
  assert.equal(path({ name: "n", dialect: "v7", raw: times }), "n");
  // Schily's star has a shorter one, and times after it.
  assert.equal(
    path({
      name: "n",
      prefix: "p",
      raw: [[476, "12534776046 12534776046 "], [508, "tar\0"]],
    }),
    "p/n",
  );
});

Deno.test("readEntry() takes GNU long names and links, in any order", () => {
  const name = "n".repeat(300);
  const link = "l".repeat(200);
  const entry = read({
    ...{ name: "x", type: "2", longName: name, longLink: link },
    dialect: "gnu",
  });
  assert.equal(binary(entry.path), name);
  assert.equal(binary(entry.link), link);
  assert.ok(entry.longName && entry.longLink);
  const long = (type: string, data: string) =>
    entryOf({ name: "././@LongLink", type, data, dialect: "gnu" });
  const swapped = read(concat([
    long("L", "n\0"),
    // Without the NUL at its end.
    long("K", "l"),
    entryOf({ name: "x", type: "2", link: "y", dialect: "gnu" }),
  ]));
  assert.equal(binary(swapped.path), "n");
  assert.equal(binary(swapped.link), "l");
});

Deno.test("readEntry() lets PAX records win over the header", () => {
  const entry = read({
    name: "x",
    pax: [["path", "p1"], ["linkpath", "l"], ["size", "4"], ["path", "p2"]],
    size: 0,
  });
  assert.equal(binary(entry.path), "p2");
  assert.equal(binary(entry.link), "l");
  assert.deepEqual([entry.size, entry.stored], [4, 4]);
  assert.equal(entry.records.length, 4);
});

Deno.test("readEntry() lets its own records win over global ones", () => {
  const globals: [string, string][] = [["path", "global"], ["size", "1"]];
  assert.equal(binary(read({ name: "x" }, globals).path), "global");
  const entry = read({ name: "x", pax: [["path", "own"]] }, globals);
  assert.equal(binary(entry.path), "own");
  assert.equal(entry.size, 1);
  assert.deepEqual(entry.records.map(([key]) => key), ["path"]);
});

Deno.test("readEntry() gives global headers as such", () => {
  const bytes = paxHeader([["comment", "x"]], "g");
  const found = item(bytes);
  assert.ok(typeof found === "object" && "globals" in found);
  assert.deepEqual(found.globals, parsePax(ascii(paxRecord("comment", "x"))));
  assert.equal(found.end, bytes.length);
});

Deno.test("readEntry() tells zeros, junk and unfinished headers apart", () => {
  assert.equal(item(new Uint8Array(BLOCK)), "zero");
  assert.equal(item(new Uint8Array(BLOCK).fill(0x6a)), "junk");
  const bytes = entryOf({
    ...{ name: "x", longName: "n".repeat(600), longLink: "l" },
    pax: [["mtime", "1"]],
  });
  for (let length = 0; length < bytes.length; length += 100) {
    assert.equal(item(bytes.subarray(0, length)), "more", `${length}`);
  }
  assert.equal(binary(read(bytes).link), "l");
});

Deno.test("readEntry() reads sparse files of version 1.0 without their map", () => {
  const map = "2\n0\n5\n1000\n3\n".padEnd(BLOCK, "\0");
  const entry = read({
    name: "GNUSparseFile.1/x",
    pax: [
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.name", "real"],
      ["GNU.sparse.realsize", "1003"],
    ],
    data: `${map}helloend`,
  });
  assert.equal(binary(entry.path), "real");
  assert.equal(entry.size, 1003);
  assert.equal(entry.stored, 8);
  assert.equal(entry.end, entry.header + 2 * BLOCK);
  assert.deepEqual(entry.sparse?.segments, [[0, 5], [1000, 3]]);
});

Deno.test("readEntry() reads sparse files of type S", () => {
  const entry = read({
    name: "x",
    type: "S",
    dialect: "gnu",
    data: "hello",
    raw: [
      [386, "00000000144\x0000000000005\0"],
      [483, "00000001750\0"],
    ],
  });
  assert.equal(entry.kind, "file");
  assert.deepEqual([entry.size, entry.stored], [1000, 5]);
  assert.deepEqual(entry.sparse?.segments, [[100, 5]]);
});

Deno.test("readEntry() refuses sparse files that do not add up", () => {
  const sparse = { name: "x", data: "hello" };
  const size: [string, string] = ["GNU.sparse.size", "100"];
  refused({ ...sparse, pax: [size, ["GNU.sparse.map", "0,4"]] }, /add up/);
  refused({ ...sparse, pax: [["GNU.sparse.map", "0,5"]] }, /no file size/);
  refused(
    { ...sparse, pax: [["GNU.sparse.major", "2"]] },
    /version "2\." is not known/,
  );
  refused(
    {
      ...sparse,
      pax: [["GNU.sparse.major", "1"], ["GNU.sparse.realsize", "9"]],
    },
    /version "1\." is not known/,
  );
  refused(
    {
      ...sparse,
      pax: [
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.realsize", "9"],
      ],
    },
    /Bad number "h" in a sparse map/,
  );
});

Deno.test("readEntry() refuses sparse files that readers disagree on", () => {
  // Python takes the size for the file's, Go's reader does not.
  refused(
    { name: "x", data: "hello", pax: [["GNU.sparse.realsize", "100"]] },
    /A sparse file has no map/,
  );
  refused(
    { name: "x", pax: [["GNU.sparse.minor", "0"]] },
    /version "\.0" is not known/,
  );
  refused(
    { name: "x/", type: "5", pax: [["GNU.sparse.name", "y"]] },
    /A directory with a sparse map/,
  );
  refused(
    {
      ...{ name: "x", type: "S", dialect: "gnu" },
      pax: [["GNU.sparse.map", ""]],
    },
    /two maps/,
  );
});

Deno.test("readEntry() takes a hard link's size for its target's", () => {
  const entry = read({ name: "x", type: "1", link: "y", size: 1000 });
  assert.deepEqual([entry.size, entry.stored], [0, 0]);
});

Deno.test("readEntry() takes no data from what cannot have any", () => {
  for (const type of "2346") {
    const entry = read({ name: "x", type, link: "y", size: 1000 });
    assert.deepEqual([entry.size, entry.stored, entry.claimed], [0, 0, 1000]);
    // GNU tar passes over data of these.
    assert.ok(entry.odd, type);
  }
  const directory = read({ name: "x", type: "5", size: 4096 });
  assert.deepEqual([directory.size, directory.stored], [0, 0]);
  assert.equal(directory.odd, false);
  refused(
    { name: "x/", data: "d" },
    /name ends with a slash, but it has 1 byte/,
  );
});

Deno.test("readEntry() takes a directory of a GNU dump, without its list", () => {
  const entry = read({ name: "dump/", type: "D", data: "Yfile\0\0" });
  assert.deepEqual([entry.kind, entry.size, entry.stored], ["directory", 0, 7]);
});

Deno.test("readEntry() refuses star's sparse files by their name", () => {
  const message = /in star's own format.*"x"/;
  refused({ name: "x", type: "S", raw: [[508, "tar\0"]] }, message);
  refused({ name: "x", pax: [["SCHILY.filetype", "sparse"]] }, message);
});

Deno.test("readEntry() refuses types that are no files, with the reason", () => {
  refused({ name: "rest", type: "M" }, /multi-volume/);
  refused({ name: "x", type: "Z" }, /Entry type "Z" cannot be in a rootfs/);
});

Deno.test("readEntry() refuses repeated and stray extension headers", () => {
  const pax = paxHeader([["mtime", "1"]]);
  const long = (type: string) =>
    entryOf({ name: "././@LongLink", type, data: "x\0", dialect: "gnu" });
  const end = entryOf({ name: "x" });
  refused(concat([pax, pax, end]), /more than one PAX header/);
  refused(concat([long("L"), long("L"), end]), /more than one GNU long name/);
  refused(concat([long("K"), long("K"), end]), /more than one GNU long link/);
  // GNU tar goes by the record, Go's reader by the long name.
  refused({ name: "x", longName: "y", pax: [["path", "z"]] }, /two long names/);
  const zeros = new Uint8Array(2 * BLOCK);
  refused(concat([pax, zeros]), /No entry comes after an extension header/);
  refused(concat([pax, paxHeader([["a", "b"]], "g"), end]), /global header/);
  refused(
    concat([pax, entryOf({ name: "x", badChecksum: true })]),
    /Bad header checksum after an extension header/,
  );
});

Deno.test("readEntry() refuses numbers that readers reject", () => {
  refused({ name: "x", raw: [[100, "x"]] }, /Bad mode field/);
  refused(
    { name: "x", raw: [[108, "\xff".repeat(8)]] },
    /The uid field says -1; Linux takes 0/,
  );
  refused({ name: "x", raw: [[116, "9"]] }, /Bad gid field/);
  refused({ name: "x", raw: [[136, "12a"]] }, /Bad mtime field: .*"12a/);
  refused({ name: "x", raw: [[100, " ".repeat(8)]] }, /Bad mode field/);
  refused({ name: "x", raw: [[124, " ".repeat(12)]] }, /Bad size field/);
  refused({ name: "x", raw: [[329, "-1"]] }, /Bad devmajor field/);
  refused({ name: "x", raw: [[337, "x"]] }, /Bad devminor field/);
  // Also in headers that only extend another.
  const long = { name: "L", type: "L", data: "x\0", raw: [[108, "x"]] };
  refused(
    concat([entryOf(long as TarEntry), entryOf({ name: "x" })]),
    /Bad uid field/,
  );
  // Files have no device numbers.
  read({ name: "x", raw: [[329, " ".repeat(16)]] });
  // Old headers have no device numbers: what is there means nothing.
  read({ name: "x", dialect: "v7", raw: [[329, "garbage"]] });
});

Deno.test("readEntry() refuses extension headers that are too large", () => {
  const large = (type: string, size: number) =>
    entryOf({ name: "x", type, size, dialect: "gnu" });
  refused(large("x", (1 << 20) + 1), /An extension header of 1048577 bytes/);
  refused(large("L", (1 << 16) + 1), /at most 65536 are taken/);
});
