import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import { ascii, concat } from "../../lib/streams/bytes.ts";
import { BLOCK } from "../../lib/tar/block.ts";
import type { PaxRecord } from "../../lib/tar/pax.ts";
import {
  MAX_SEGMENTS,
  readDataMap,
  readOldGnuMap,
  readPaxMap,
  type Segment,
  SparseExpander,
  type SparseMap,
  storedSize,
} from "../../lib/tar/sparse.ts";

const octal = (value: number) =>
  ascii(`${value.toString(8).padStart(11, "0")}\0`);

/** An old GNU header, with extension blocks for more than four segments. */
function oldGnu(realSize: number, segments: Segment[]): Uint8Array {
  const count = Math.ceil(Math.max(segments.length - 4, 0) / 21);
  const bytes = new Uint8Array((1 + count) * BLOCK);
  bytes.set(octal(realSize), 483);
  for (const [i, [offset, length]] of segments.entries()) {
    const at = i < 4
      ? 386 + i * 24
      : (1 + Math.floor((i - 4) / 21)) * BLOCK + (i - 4) % 21 * 24;
    bytes.set(octal(offset), at);
    bytes.set(octal(length), at + 12);
  }
  if (count > 0) bytes[482] = 1;
  for (let i = 1; i < count; i++) bytes[i * BLOCK + 504] = 1;
  return bytes;
}

function records(text: string): PaxRecord[] {
  return text.split(" ").map((word) => {
    const [key, value] = word.split("=") as [string, string];
    return [`GNU.sparse.${key}`, ascii(value)];
  });
}

/** What a map makes of stored bytes that come in pieces. */
function expanded(map: SparseMap, ...pieces: string[]): string {
  const expander = new SparseExpander(map);
  const parts: Uint8Array[] = [];
  for (const piece of pieces) {
    for (const part of expander.push(ascii(piece))) parts.push(part);
  }
  for (const part of expander.end()) parts.push(part);
  return new TextDecoder().decode(concat(parts));
}

const MANY = Array.from({ length: 26 }, (_, i): Segment => [i * 1024, 512]);

Deno.test("readOldGnuMap() reads four segments in the header", () => {
  const segments: Segment[] = [[512, 512], [4096, 1], [8192, 0]];
  assert.deepEqual(readOldGnuMap(oldGnu(8192, segments)), {
    map: { segments, realSize: 8192 },
    blocks: 0,
  });
  assert.deepEqual(readOldGnuMap(oldGnu(100, [])), {
    map: { segments: [], realSize: 100 },
    blocks: 0,
  });
});

Deno.test("readOldGnuMap() reads more in extension blocks, if they are there", () => {
  const bytes = oldGnu(1 << 20, MANY);
  assert.equal(bytes.length, 3 * BLOCK);
  assert.deepEqual(readOldGnuMap(bytes), {
    map: { segments: MANY, realSize: 1 << 20 },
    blocks: 2,
  });
  assert.equal(readOldGnuMap(bytes.subarray(0, 2 * BLOCK)), undefined);
});

Deno.test("readOldGnuMap() refuses maps that cannot be", () => {
  for (
    const [size, segments] of [
      [10, [[0, 11]]],
      [100, [[20, 10], [10, 5]]],
      [100, [[0, 10], [9, 5]]],
    ] as [number, Segment[]][]
  ) {
    assert.throws(() => readOldGnuMap(oldGnu(size, segments)), InputError);
  }
  const bytes = oldGnu(100, [[0, 10]]);
  bytes[390] = 0x78;
  assert.throws(
    () => readOldGnuMap(bytes),
    /Bad number "0000x000.* in a sparse map/,
  );
  bytes[390] = 0x30;
  bytes[483] = 0xff;
  assert.throws(() => readOldGnuMap(bytes), InputError);
});

Deno.test("readPaxMap() reads version 0.0, a pair of records a segment", () => {
  const text =
    "size=1000 numblocks=2 offset=0 numbytes=10 offset=500 numbytes=7";
  assert.deepEqual(readPaxMap(records(text)), {
    segments: [[0, 10], [500, 7]],
    realSize: 1000,
  });
});

Deno.test("readPaxMap() reads version 0.1, all numbers in one record", () => {
  const text = "size=1000 numblocks=2 map=0,10,500,7";
  assert.deepEqual(readPaxMap(records(text)), {
    segments: [[0, 10], [500, 7]],
    realSize: 1000,
  });
  assert.deepEqual(readPaxMap(records("size=5 numblocks=0 map=")), {
    segments: [],
    realSize: 5,
  });
});

Deno.test("readPaxMap() finds no map in other records", () => {
  assert.equal(readPaxMap([["mtime", ascii("1")]]), undefined);
});

Deno.test("readPaxMap() refuses maps that cannot be", () => {
  for (
    const text of [
      "numblocks=1 offset=0 numbytes=1",
      "size=1 numblocks=1 numbytes=1",
      "size=9 map=1,2,3",
      "size=9 map=-1,2",
      "size=9 map=1,x",
      "size=9 map=5,5",
      "size=99999999999999999 map=",
      "size=1e3 map=",
    ]
  ) assert.throws(() => readPaxMap(records(text)), InputError, text);
});

Deno.test("readDataMap() reads version 1.0, in front of the data", () => {
  const bytes = new Uint8Array(2 * BLOCK);
  bytes.set(ascii("2\n0\n10\n500\n7\n"));
  assert.deepEqual(readDataMap(bytes, 1000), {
    map: { segments: [[0, 10], [500, 7]], realSize: 1000 },
    size: BLOCK,
  });
});

Deno.test("readDataMap() asks for more where a map goes on", () => {
  const text = `${MANY.length * 4}\n` +
    Array.from({ length: 104 }, (_, i) => `${i * 1000}\n10\n`).join("");
  const bytes = new Uint8Array(Math.ceil(text.length / BLOCK) * BLOCK);
  bytes.set(ascii(text));
  for (let length = 0; length < bytes.length; length += BLOCK) {
    const start = bytes.subarray(0, length);
    assert.equal(readDataMap(start, 200_000), undefined);
  }
  assert.equal(readDataMap(bytes, 200_000)?.map.segments.length, 104);
});

Deno.test("readDataMap() refuses what is no map", () => {
  const read = (text: string) => {
    const bytes = new Uint8Array(BLOCK);
    bytes.set(ascii(text));
    return readDataMap(bytes, 1000);
  };
  for (const text of ["\n", "x\n", "1\n-5\n1\n", "1\n0\n1001\n", "1 \n", ""]) {
    assert.throws(() => read(text), InputError, JSON.stringify(text));
  }
  assert.throws(() => read(`${MAX_SEGMENTS + 1}\n`), {
    name: "InputError",
    message: /more than 262144 segments/,
  });
});

Deno.test("storedSize() adds up the segments", () => {
  assert.equal(storedSize({ segments: MANY, realSize: 1 << 20 }), 26 * 512);
});

Deno.test("SparseExpander fills holes and pads to a whole block", () => {
  const map: SparseMap = { segments: [[2, 3], [7, 2]], realSize: 12 };
  const expected = "\0\0abc\0\0de\0\0\0".padEnd(BLOCK, "\0");
  assert.equal(expanded(map, "abcde"), expected);
  // The stored bytes may come in any pieces.
  assert.equal(expanded(map, "a", "", "bcd", "e"), expected);
});

Deno.test("SparseExpander takes segments of no bytes, and files of holes", () => {
  const zeros = "\0".repeat(BLOCK);
  assert.equal(expanded({ segments: [], realSize: 5 }), zeros);
  assert.equal(expanded({ segments: [], realSize: 0 }), "");
  assert.equal(expanded({ segments: [[5, 0]], realSize: 5 }), zeros);
  assert.equal(
    expanded({ segments: [[0, 0], [1, 2], [4, 0]], realSize: 4 }, "ab"),
    "\0ab".padEnd(BLOCK, "\0"),
  );
});

Deno.test("SparseExpander gives large holes in small pieces", () => {
  const expander = new SparseExpander({ segments: [], realSize: 5_000_000 });
  let size = 0;
  for (const piece of expander.end()) {
    assert.ok(piece.length <= 1 << 20);
    size += piece.length;
  }
  assert.equal(size, Math.ceil(5_000_000 / BLOCK) * BLOCK);
});
