import assert from "node:assert/strict";
import {
  ascii,
  asciiText,
  binary,
  concat,
  equalBytes,
  isUtf8,
  startsWith,
  utf8,
} from "../../lib/streams/bytes.ts";

/** One character for each byte that there is. */
const ALL = String.fromCharCode(...Array(256).keys());

Deno.test("utf8() encodes", () => {
  assert.deepEqual(utf8("é"), new Uint8Array([0xc3, 0xa9]));
});

Deno.test("ascii() and binary() map characters to bytes and back", () => {
  assert.deepEqual(ascii(ALL), new Uint8Array(Array(256).keys()));
  assert.equal(binary(ascii(ALL)), ALL);
});

Deno.test("asciiText() decodes ASCII", () => {
  assert.equal(asciiText(ascii("12,34\n")), "12,34\n");
});

Deno.test("isUtf8() knows well-formed bytes", () => {
  for (const text of ["", "plain", "é", "日本", "🙂"]) {
    assert.ok(isUtf8(utf8(text)), text);
  }
  for (const bytes of ["\xff", "caf\xe9", "\xc3", "\xc0\x80", "\xed\xa0\x80"]) {
    assert.ok(!isUtf8(ascii(bytes)), JSON.stringify(bytes));
  }
});

Deno.test("concat() joins parts into a new array", () => {
  const part = ascii("ab");
  const whole = concat([part, ascii(""), ascii("c")]);
  assert.equal(binary(whole), "abc");
  assert.notEqual(whole.buffer, part.buffer);
  assert.deepEqual(concat([]), new Uint8Array(0));
});

Deno.test("equalBytes() and startsWith() compare bytes", () => {
  assert.ok(equalBytes(ascii("ab"), ascii("ab")));
  assert.ok(!equalBytes(ascii("ab"), ascii("ac")));
  assert.ok(!equalBytes(ascii("ab"), ascii("abc")));
  assert.ok(startsWith(ascii("ab"), ascii("ab")));
  assert.ok(startsWith(ascii("ab"), ascii("")));
  assert.ok(!startsWith(ascii("ab"), ascii("abc")));
  assert.ok(!startsWith(ascii("ab"), ascii("b")));
});

Deno.test("equalBytes() compares long bytes, wherever they begin", () => {
  const bytes = new Uint8Array(1003).map((_, i) => i);
  for (const start of [0, 1, 4]) {
    const other = new Uint8Array(1010).subarray(start, start + bytes.length);
    other.set(bytes);
    assert.ok(equalBytes(bytes, other));
    for (const at of [0, 500, 1002]) {
      other[at]! ^= 1;
      assert.ok(!equalBytes(bytes, other), `${start} ${at}`);
      other[at]! ^= 1;
    }
  }
});
