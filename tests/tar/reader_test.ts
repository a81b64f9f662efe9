import assert from "node:assert/strict";
import { binary, concat } from "../../lib/streams/bytes.ts";
import { BLOCK } from "../../lib/tar/block.ts";
import { TarReader } from "../../lib/tar/reader.ts";
import { entryOf, paxHeader, tarOf } from "../support/tar_writer.ts";

const CLOSING = new Uint8Array(2 * BLOCK);

/** Reads a tar in chunks of that size to its end; gives the paths. */
async function pathsOf(
  tar: Uint8Array,
  size = tar.length,
  reader = readerOf(tar, size),
): Promise<string[]> {
  const paths: string[] = [];
  for await (const buffer of reader.buffers()) {
    for (let item; (item = reader.next());) {
      if (item.part === "header") paths.push(binary(item.entry.path));
    }
    // What the reader keeps must not be a view of it.
    if (buffer.buffer !== tar.buffer) buffer.fill(0xff);
  }
  return paths;
}

/** A reader of a tar that comes in buffers of that size. */
function readerOf(tar: Uint8Array, size = tar.length): TarReader {
  async function* chunks() {
    for (let at = 0; at < tar.length; at += size) {
      yield await Promise.resolve(tar.slice(at, at + size));
    }
  }
  return new TarReader(chunks());
}

async function shapeOf(
  tar: Uint8Array,
  size?: number,
): Promise<TarReader["shape"]> {
  const reader = readerOf(tar, size);
  await pathsOf(tar, size, reader);
  return reader.shape;
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

Deno.test("TarReader finds the same entries in buffers of all sizes", async () => {
  const tar = concat([FILES, CLOSING]);
  const expected = [
    "d/",
    "large",
    "long/".repeat(200),
    "empty",
    "p".repeat(90),
  ];
  assert.deepEqual(await pathsOf(tar), expected);
  for (let size = BLOCK; size < tar.length; size += BLOCK) {
    assert.deepEqual(await pathsOf(tar, size), expected, `${size}`);
    assert.deepEqual(await shapeOf(tar, size), PLAIN);
  }
});

Deno.test("TarReader tells how a tar ends", async () => {
  const junk = new Uint8Array(700).fill(0x6a);
  const zeros = (size: number) => new Uint8Array(size);
  const shape = async (...parts: Uint8Array[]) => {
    const tar = concat([FILES, ...parts]);
    const found = await shapeOf(tar);
    assert.deepEqual(await shapeOf(tar, BLOCK), found);
    return found;
  };
  for (const size of [0, BLOCK, 2 * BLOCK, 100 * BLOCK, 2 * BLOCK + 7]) {
    assert.deepEqual(await shape(zeros(size)), PLAIN, `${size}`);
  }
  assert.deepEqual(await shape(CLOSING, junk), { ...PLAIN, junk: 700 });
  assert.deepEqual(await shape(zeros(BLOCK), junk), {
    ...PLAIN,
    junk: 700,
    ragged: true,
  });
  assert.deepEqual(await shape(zeros(7)), { ...PLAIN, ragged: true });
  assert.deepEqual(await shape(zeros(BLOCK + 7)), { ...PLAIN, ragged: true });
});

Deno.test("TarReader goes on after zeros that an entry follows", async () => {
  for (const size of [BLOCK, 2 * BLOCK, 20 * BLOCK]) {
    const tar = concat([ENTRIES[0]!, new Uint8Array(size), ENTRIES[3]!]);
    assert.deepEqual(await pathsOf(tar), ["d/", "empty"]);
    assert.deepEqual(await shapeOf(tar), { ...PLAIN, concatenated: true });
  }
});

Deno.test("TarReader collects the records of global headers", async () => {
  const tar = concat([
    paxHeader([["comment", "x"], ["uname", "a"], ["uid", "5"]], "g"),
    entryOf({ name: "a" }),
    paxHeader([["uname", ""], ["gid", "6"]], "g"),
    entryOf({ name: "b" }),
    CLOSING,
  ]);
  const reader = readerOf(tar, BLOCK);
  assert.deepEqual(await pathsOf(tar, BLOCK, reader), ["a", "b"]);
  assert.deepEqual(
    [...reader.globals].map(([key, value]) => `${key}=${binary(value)}`),
    ["uid=5", "gid=6"],
  );
  assert.ok(reader.shape.globals);
});

Deno.test("TarReader refuses global records without end", async () => {
  const value = "v".repeat(2000);
  const headers = ["a", "b", "c"].map((key) => paxHeader([[key, value]], "g"));
  await assert.rejects(
    () => pathsOf(concat(headers)),
    /hold more than 4096 bytes/,
  );
  // The same one again replaces the one before.
  await pathsOf(
    concat([headers[0]!, headers[0]!, headers[0]!, FILES, CLOSING]),
  );
});

Deno.test("TarReader refuses global records that only one entry can have", async () => {
  for (const key of ["path", "linkpath", "size", "GNU.sparse.size"]) {
    const header = paxHeader([[key, "1"]], "g");
    await assert.rejects(() => pathsOf(concat([header, FILES])), {
      name: "InputError",
      message: /gives all entries one/,
    });
  }
});

Deno.test("TarReader refuses tars that are cut short", async () => {
  const tar = tarOf([{ name: "first" }, {
    name: "cut",
    data: "x".repeat(900),
  }]);
  for (const length of [1100, 1537, 1800, 1923]) {
    for (const size of [BLOCK, 1 << 20]) {
      await assert.rejects(
        () => pathsOf(tar.subarray(0, length), size),
        {
          name: "CutShortError",
          message: /cut short: it ends \d+ bytes? before the data of "cut" do/,
        },
        `${length} ${size}`,
      );
    }
  }
  await assert.rejects(
    () => pathsOf(tar.subarray(0, 700)),
    /cut short: it ends inside a header, at byte 512, after "first"/,
  );
});

Deno.test("TarReader takes a last file without its padding, as umoci writes it", async () => {
  const tar = tarOf([{ name: "last", data: "x".repeat(900) }]);
  for (const size of [BLOCK, 1 << 20]) {
    for (const length of [BLOCK + 900, BLOCK + 901, 2 * BLOCK + 511]) {
      const reader = readerOf(tar.subarray(0, length), size);
      let covered = 0;
      let data = "";
      for await (const bytes of reader.buffers()) {
        for (let item; (item = reader.next());) {
          covered += item.end - item.start;
          if (item.part !== "data") continue;
          data += binary(bytes.subarray(item.start, item.dataEnd));
        }
      }
      assert.equal(data, "x".repeat(900), `${length}`);
      assert.equal(covered, 3 * BLOCK, "The padding is there");
      assert.ok(reader.shape.ragged);
    }
  }
});

Deno.test("TarReader says what an entry claimed when no header comes after it", async () => {
  const tar = tarOf([
    { name: "link", type: "2", link: "x", data: "data" },
    { name: "next" },
  ]);
  await assert.rejects(
    () => pathsOf(tar),
    /at byte 512 .*after "link", a symlink that says it has 4 bytes of data;/,
  );
});

Deno.test("TarReader says where a header is bad", async () => {
  const bad = entryOf({ name: "bad", badChecksum: true });
  await assert.rejects(
    () => pathsOf(concat([FILES, bad, CLOSING]), BLOCK),
    new RegExp(`Bad header checksum at byte ${FILES.length} of the input`),
  );
  await assert.rejects(
    () => pathsOf(concat([FILES, entryOf({ name: "x", type: "M" }), CLOSING])),
    new RegExp(`at byte ${FILES.length} of the input`),
  );
  await assert.rejects(
    () => pathsOf(concat([bad, CLOSING])),
    /Bad header checksum at byte 0 of the input; the tar is damaged/,
  );
});

Deno.test("TarReader covers every byte once, with headers, data and gaps", async () => {
  const tar = concat([FILES, CLOSING, new Uint8Array(700).fill(0x6a)]);
  for (const size of [BLOCK, 3 * BLOCK, 7 * BLOCK, tar.length]) {
    const reader = readerOf(tar, size);
    let position = 0;
    let data = "";
    for await (const buffer of reader.buffers()) {
      for (let item; (item = reader.next());) {
        assert.equal(reader.offset + item.start, position);
        position = reader.offset + item.end;
        if (item.part !== "data") continue;
        data += binary(buffer.subarray(item.start, item.dataEnd));
        if (item.done) data += ";";
      }
    }
    // Less than a block is left over.
    assert.equal(position, tar.length);
    assert.equal(data, `;${"x".repeat(3000)};;;y;`);
  }
});

Deno.test("TarReader releases what it has read, but for what is taken", async () => {
  const tar = concat([FILES, CLOSING]);
  for (const isOwner of [true, false]) {
    const buffers = [tar.slice(0, 4 * BLOCK), tar.slice(4 * BLOCK)];
    const kept = [...buffers];
    const reader = new TarReader(
      ReadableStream.from(buffers),
      isOwner,
    );
    let taken = false;
    for await (const buffer of reader.buffers()) {
      while (reader.next());
      if (!taken) assert.equal(reader.take(), buffer);
      taken = true;
    }
    assert.deepEqual(
      kept.map(({ length }) => length === 0),
      [false, isOwner],
    );
  }
});
