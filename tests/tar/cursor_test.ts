import assert from "node:assert/strict";
import { binary, concat } from "../../lib/streams/bytes.ts";
import { BLOCK } from "../../lib/tar/block.ts";
import { carry, TarCursor } from "../../lib/tar/cursor.ts";
import { entryOf, paxHeader, tarOf } from "../support/tar_writer.ts";

const CLOSING = new Uint8Array(2 * BLOCK);

/** Feeds a cursor with a tar in buffers of that size; gives the paths. */
function pathsOf(
  tar: Uint8Array,
  size = tar.length,
  cursor = new TarCursor(),
): string[] {
  const paths: string[] = [];
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  for (let at = 0; at < tar.length; at += size) {
    const buffer = carry(rest, tar.subarray(at, at + size));
    cursor.feed(buffer, offset);
    for (let item; (item = cursor.next());) {
      if ("kind" in item) paths.push(binary(item.path));
    }
    const end = cursor.position - offset;
    rest = buffer.slice(end);
    offset += end;
    // What the cursor keeps must not be a view of it.
    if (buffer.buffer !== tar.buffer) buffer.fill(0xff);
  }
  cursor.finish(rest);
  return paths;
}

function shapeOf(tar: Uint8Array, size?: number): TarCursor["shape"] {
  const cursor = new TarCursor();
  pathsOf(tar, size, cursor);
  return cursor.shape;
}

const ENTRIES = [
  { name: "d/", type: "5", mode: 0o755 },
  { name: "large", data: "x".repeat(3000) },
  { name: "x", longName: "long/".repeat(200), type: "5" },
  { name: "empty" },
  { name: "y", pax: [["path", "p".repeat(90)]], data: "y" },
].map((entry) => entryOf(entry as Parameters<typeof entryOf>[0]));
const FILES = concat(ENTRIES);
const PLAIN = {
  concatenated: false,
  globals: false,
  junk: 0,
  ragged: false,
};

Deno.test("TarCursor finds the same entries in buffers of all sizes", () => {
  const tar = concat([FILES, CLOSING]);
  const expected = [
    "d/",
    "large",
    "long/".repeat(200),
    "empty",
    "p".repeat(90),
  ];
  assert.deepEqual(pathsOf(tar), expected);
  for (let size = BLOCK; size < tar.length; size += BLOCK) {
    assert.deepEqual(pathsOf(tar, size), expected, `${size}`);
    assert.deepEqual(shapeOf(tar, size), PLAIN);
  }
});

Deno.test("TarCursor tells how a tar ends", () => {
  const junk = new Uint8Array(700).fill(0x6a);
  const zeros = (size: number) => new Uint8Array(size);
  const shape = (...parts: Uint8Array[]) => {
    const tar = concat([FILES, ...parts]);
    const found = shapeOf(tar);
    assert.deepEqual(shapeOf(tar, BLOCK), found);
    return found;
  };
  for (const size of [0, BLOCK, 2 * BLOCK, 100 * BLOCK, 2 * BLOCK + 7]) {
    assert.deepEqual(shape(zeros(size)), PLAIN, `${size}`);
  }
  assert.deepEqual(shape(CLOSING, junk), { ...PLAIN, junk: 700 });
  assert.deepEqual(shape(zeros(BLOCK), junk), {
    ...PLAIN,
    junk: 700,
    ragged: true,
  });
  assert.deepEqual(shape(zeros(7)), { ...PLAIN, ragged: true });
  assert.deepEqual(shape(zeros(BLOCK + 7)), { ...PLAIN, ragged: true });
});

Deno.test("TarCursor goes on behind zeros that an entry follows", () => {
  for (const size of [BLOCK, 2 * BLOCK, 20 * BLOCK]) {
    const tar = concat([ENTRIES[0]!, new Uint8Array(size), ENTRIES[3]!]);
    assert.deepEqual(pathsOf(tar), ["d/", "empty"]);
    assert.deepEqual(shapeOf(tar), { ...PLAIN, concatenated: true });
  }
});

Deno.test("TarCursor collects the records of global headers", () => {
  const cursor = new TarCursor();
  const tar = concat([
    paxHeader([["comment", "x"], ["uname", "a"], ["uid", "5"]], "g"),
    entryOf({ name: "a" }),
    paxHeader([["uname", ""], ["gid", "6"]], "g"),
    entryOf({ name: "b" }),
    CLOSING,
  ]);
  assert.deepEqual(pathsOf(tar, BLOCK, cursor), ["a", "b"]);
  assert.deepEqual(
    [...cursor.globals].map(([key, value]) => `${key}=${binary(value)}`),
    ["uid=5", "gid=6"],
  );
  assert.ok(cursor.shape.globals);
});

Deno.test("TarCursor refuses global records without end", () => {
  const value = "v".repeat(2000);
  const headers = ["a", "b", "c"].map((key) => paxHeader([[key, value]], "g"));
  assert.throws(() => pathsOf(concat(headers)), /hold more than 4096 bytes/);
  // The same one again replaces the one before.
  pathsOf(concat([headers[0]!, headers[0]!, headers[0]!, FILES, CLOSING]));
});

Deno.test("TarCursor refuses global records that only one entry can have", () => {
  for (const key of ["path", "linkpath", "size", "GNU.sparse.size"]) {
    const header = paxHeader([[key, "1"]], "g");
    assert.throws(() => pathsOf(concat([header, FILES])), {
      name: "InputError",
      message: /gives all entries one/,
    });
  }
});

Deno.test("TarCursor refuses tars that are cut short", () => {
  const tar = tarOf([{ name: "first" }, {
    name: "cut",
    data: "x".repeat(900),
  }]);
  for (const length of [1100, 1537, 2000, 2047]) {
    for (const size of [BLOCK, 1 << 20]) {
      assert.throws(
        () => pathsOf(tar.subarray(0, length), size),
        { name: "InputError", message: /cut short: \d+ bytes of "cut"/ },
        `${length} ${size}`,
      );
    }
  }
  assert.throws(
    () => pathsOf(tar.subarray(0, 700)),
    /cut short: it ends inside a header, behind "first"/,
  );
});

Deno.test("TarCursor says where a header is bad", () => {
  const bad = entryOf({ name: "bad", badChecksum: true });
  assert.throws(
    () => pathsOf(concat([FILES, bad, CLOSING]), BLOCK),
    new RegExp(`Bad header checksum at byte ${FILES.length} of the input`),
  );
  assert.throws(
    () => pathsOf(concat([FILES, entryOf({ name: "x", type: "M" }), CLOSING])),
    new RegExp(`at byte ${FILES.length} of the input`),
  );
});

Deno.test("carry() joins what is left with what comes", () => {
  const next = new Uint8Array([3]);
  assert.equal(carry(new Uint8Array(0), next), next);
  assert.deepEqual(
    carry(new Uint8Array([1, 2]), next),
    new Uint8Array([1, 2, 3]),
  );
});
