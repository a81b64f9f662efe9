import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input_error.ts";
import {
  BLOCK,
  FIELD,
  numberField,
  oddNumber,
  putChecksum,
} from "../../lib/tar/block.ts";
import {
  checkEachNumber,
  hasLeftovers,
  plainNumbers,
  sizeOf,
} from "../../lib/tar/header_numbers.ts";
import { ascii } from "../../lib/streams/bytes.ts";
import { readPlainEntry } from "../../lib/tar/plain_entry.ts";
import { readAnyEntry, readEntry } from "../../lib/tar/read_entry.ts";
import { seededRandom } from "../support/random.ts";
import { entryOf } from "../support/tar_writer.ts";

const random = seededRandom(5);

/** Bytes that mean something in a header. */
const TELLING = [
  ..."\0\0\0  001234567789/./xSLKgx".split("").map((c) => c.charCodeAt(0)),
  ...[0x80, 0xbf, 0xff],
];
const OFFSETS = [...Object.values(FIELD).flat(), 345, 357, 475, 476, 488, 508];

/** A header like many, with up to three changes. */
function someHeader(): Uint8Array {
  const block = entryOf({
    name: ["x", "a/b", "./usr/lib/x", "d/", "n".repeat(100), ""][random(6)]!,
    type: "0000125537SLxgV\0"[random(16)]!,
    link: ["", "", "a/b", "l".repeat(100)][random(4)]!,
    mode: [0o644, 0o100755, 0o7777777][random(3)]!,
    uid: [0, 1000, 0, 0, 2 ** 31][random(5)]!,
    size: [0, 0, 0, 0, 5, 700, 8 ** 11][random(7)]!,
    mtime: [0, 1e9, 1e9, 1e9, -1, 1e11][random(6)]!,
    dialect: (["gnu", "ustar", "ustar", "v7"] as const)[random(4)]!,
    prefix: ["", "", "", "p/q"][random(4)]!,
  }).subarray(0, BLOCK);
  for (let i = random(5) - 1; i > 0; i--) {
    const at = OFFSETS[random(OFFSETS.length)]! + random(13);
    block[at % BLOCK] = TELLING[random(TELLING.length)]!;
  }
  if (random(20) > 0) putChecksum(block);
  return block;
}

/** What a call gives or throws. */
function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message;
  }
}

Deno.test("readPlainEntry() finds what readAnyEntry() finds, or nothing", () => {
  let plain = 0;
  for (let i = 0; i < 20_000; i++) {
    const block = someHeader();
    const found = outcome(() => readPlainEntry(block, 0));
    if (found === undefined) continue;
    plain++;
    assert.deepEqual(found, outcome(() => readAnyEntry(block, 0, [])));
  }
  // It would be of no use otherwise.
  assert.ok(plain > 1_000, `${plain}`);
});

Deno.test("readPlainEntry() needs the whole block, and no more", () => {
  const block = entryOf({ name: "x" });
  assert.equal(readPlainEntry(block.subarray(0, BLOCK - 1), 0), undefined);
  assert.equal(readPlainEntry(block, 0)!.end, BLOCK);
});

Deno.test("readEntry() looks closely where a global header holds", () => {
  const block = entryOf({ name: "x" });
  const entry = readEntry(block, 0, [["SCHILY.realsize", ascii("99")]]);
  assert.ok(typeof entry === "object" && "kind" in entry && entry.odd);
});

Deno.test("plainNumbers() is right that nothing is at fault", () => {
  for (let i = 0; i < 20_000; i++) {
    const block = someHeader();
    if (!plainNumbers(block, 0)) continue;
    checkEachNumber(block, 0, "ustar");
    assert.ok(sizeOf(block, 0) >= 0);
    assert.ok(!hasLeftovers(block, 0));
  }
});

Deno.test("numberField() reads plain fields as it reads any", () => {
  for (let i = 0; i < 20_000; i++) {
    const block = new Uint8Array(12);
    const field = [0, [8, 12][random(2)]!] as const;
    const digits = random(14);
    for (let at = 0; at < 12; at++) {
      block[at] = at < digits
        ? 0x30 + random(8)
        : TELLING[random(random(3) ? 5 : TELLING.length)]!;
    }
    assert.equal(numberField(block, field), oddNumber(block, field));
  }
});
