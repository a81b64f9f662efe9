import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import {
  BLOCK,
  checksumMatches,
  dialectOf,
  FIELD,
  isZeroBlock,
  numberField,
  padded,
  putChecksum,
  putNumber,
  putText,
  textField,
} from "../../lib/tar/block.ts";
import { entryOf } from "../support/tar_writer.ts";

/** Reads text as a number field. */
function read(text: string): number | undefined {
  return numberField(ascii(text), [0, text.length]);
}

/** Writes a number into a field of that many bytes. */
function written(value: number, length: number): string {
  const block = new Uint8Array(length);
  putNumber(block, [0, length], value);
  return binary(block);
}

Deno.test("padded() counts whole blocks", () => {
  assert.deepEqual([0, 1, 511, 512, 513].map(padded), [0, 512, 512, 512, 1024]);
  // No overflow at 32 bits.
  assert.equal(padded(2 ** 33 + 1), 2 ** 33 + BLOCK);
});

Deno.test("dialectOf() reads the magic field", () => {
  const magic = (text: string, trailer = "") => {
    const block = new Uint8Array(2 * BLOCK);
    block.set(ascii(text), BLOCK + 257);
    block.set(ascii(trailer), BLOCK + 508);
    return dialectOf(block, BLOCK);
  };
  assert.equal(magic(""), "v7");
  assert.equal(magic("ustar\x0000"), "ustar");
  // Some writers leave the version out.
  assert.equal(magic("ustar\0\0\0"), "ustar");
  assert.equal(magic("ustar\x0000", "tar\0"), "star");
  assert.equal(magic("ustar  \0"), "gnu");
  assert.equal(magic("ustar 00"), "v7");
  assert.equal(magic("USTAR\x0000"), "v7");
});

Deno.test("isZeroBlock() looks at one block", () => {
  const bytes = new Uint8Array(3 * BLOCK);
  bytes[BLOCK - 1] = 1;
  bytes[2 * BLOCK] = 1;
  assert.deepEqual([0, 1, 2].map((i) => isZeroBlock(bytes, i * BLOCK)), [
    false,
    true,
    false,
  ]);
});

Deno.test("textField() ends at the first NUL, or at the field's end", () => {
  const block = ascii("abcdef\0gh");
  assert.equal(binary(textField(block, [1, 3])), "bcd");
  assert.equal(binary(textField(block, [2, 7])), "cdef");
  assert.equal(binary(textField(block, [0, 2], 4)), "ef");
});

Deno.test("numberField() reads octal digits, padded in any way", () => {
  for (
    const text of [
      "0000644\0",
      "   644 \0",
      "644\0\0\0\0\0",
      "000644 \0",
      "644",
    ]
  ) assert.equal(read(text), 0o644, JSON.stringify(text));
  for (const text of ["\0\0\0\0", "    ", "0", " \0"]) {
    assert.equal(read(text), 0, JSON.stringify(text));
  }
  assert.equal(read("777777777777"), 0o777777777777);
});

Deno.test("numberField() reads GNU's base 256", () => {
  assert.equal(read("\x80\0\0\0\0\0\0\x02\0\0\0\x01"), 2 ** 33 + 1);
  assert.equal(read("\xff\xff\xff\xff\xff\xff\xff\xff"), -1);
  assert.equal(read("\xff\xff\xff\xff\x80\0\0\0"), -(2 ** 31));
  assert.equal(read("\x80\0\0\0\0\x20\0\0"), 2097152);
});

Deno.test("numberField() refuses what readers do not agree on", () => {
  for (
    const text of ["8", "12x", "-1", "0x10", "1 2", "\x001", "6.4", "1\x002"]
  ) {
    // What follows the closing NUL is left over from before.
    const expected = text === "1\x002" ? 1 : undefined;
    assert.equal(read(text), expected, JSON.stringify(text));
  }
  // More than a double holds exactly.
  assert.equal(read("\x80\0\0\0\x20\0\0\0\0\0\0\x01"), undefined);
});

Deno.test("putNumber() writes what numberField() reads", () => {
  assert.equal(written(0o644, 8), "0000644\0");
  assert.equal(written(2097151, 8), "7777777\0");
  assert.equal(written(2097152, 8), "\x80\0\0\0\0\x20\0\0");
  assert.equal(written(-1, 12), "\xff".repeat(12));
  for (const value of [0, 1, 8 ** 11 - 1, 8 ** 11, -1, -(2 ** 40), 2 ** 52]) {
    assert.equal(read(written(value, 12)), value);
  }
});

Deno.test("putText() fills the field", () => {
  const block = ascii("xxxxxxxx");
  putText(block, [1, 4], ascii("ab"));
  assert.equal(binary(block), "xab\0\0xxx");
  putText(block, [0, 3], ascii("12345"), 5);
  assert.equal(binary(block), "xab\0\x00123");
});

Deno.test("checksumMatches() takes sums of signed bytes as well", () => {
  const block = entryOf({ name: "caf\xe9" });
  assert.ok(checksumMatches(block));
  const sum = numberField(block, FIELD.checksum)!;
  putNumber(block, FIELD.checksum, sum - 256);
  assert.ok(checksumMatches(block));
  putNumber(block, FIELD.checksum, sum - 1);
  assert.ok(!checksumMatches(block));
  assert.ok(!checksumMatches(new Uint8Array(BLOCK)));
});

Deno.test("putChecksum() writes the sum that readers expect", () => {
  const expected = entryOf({ name: "name", data: "" });
  const bytes = new Uint8Array(2 * BLOCK);
  bytes.set(expected, BLOCK);
  bytes.fill(0x78, BLOCK + 148, BLOCK + 156);
  putChecksum(bytes, BLOCK);
  assert.ok(checksumMatches(bytes, BLOCK));
  assert.match(binary(bytes.slice(BLOCK + 148, BLOCK + 156)), /^[0-7]{6}\0 $/);
});
