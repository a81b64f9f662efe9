import assert from "node:assert/strict";
import {
  escapedJson,
  shown,
  shownList,
  shownWord,
} from "../../lib/errors/shown.ts";

Deno.test("shown quotes text, and leaves letters of any language alone", () => {
  assert.equal(shown("✂ größe 東"), '"✂ größe 東"');
  assert.equal(shown('a"b\\c'), '"a\\"b\\\\c"');
});

Deno.test("shown escapes what a terminal acts on or what hides text", () => {
  for (
    const code of [
      0x00,
      0x07,
      0x1b,
      0x7f,
      0x85,
      0x9b,
      0xad,
      0x61c,
      0x200b,
      0x200f,
      0x2028,
      0x202e,
      0x2066,
      0xfeff,
      0xe0041,
      0xd800,
    ]
  ) {
    assert.match(shown(String.fromCodePoint(code)), /^"\\u[{0-9a-f}]+"$/);
  }
  assert.equal(shown("\n\t\r"), '"\\n\\t\\r"');
});

Deno.test("shown cuts long text by characters, text and bytes alike", () => {
  assert.equal(shown("a".repeat(1e6)), `"${"a".repeat(200)}"…`);
  assert.equal(shown("😀😀😀", 2), '"😀😀"…');
  assert.equal(shown(new TextEncoder().encode("😀😀😀"), 2), '"😀😀"…');
  assert.equal(shown("😀😀", 2), '"😀😀"');
  assert.equal(shown(Uint8Array.of(0xff, 0x61)), '"\ufffda"');
});

Deno.test("shown says what a value is that is no text", () => {
  assert.equal(shown(undefined), "undefined");
  assert.equal(shown(null), "null");
  assert.equal(shown(5), "5");
  assert.equal(shown(["\x1b"]), "a list");
  assert.equal(shown({ a: "\x1b" }), "an object");
});

Deno.test("shownWord leaves out the quotes of plain words only", () => {
  assert.equal(shownWord("linux/arm64"), "linux/arm64");
  for (const odd of ["", "a b", "\u202e", "x".repeat(201), "a\n", '"']) {
    assert.equal(shownWord(odd), shown(odd));
  }
});

Deno.test("shownList shows the first few, and counts the rest", () => {
  assert.equal(shownList([]), "");
  assert.equal(shownList(["a", "b"]), '"a", "b"');
  const many = shownList(new Array(160_000).fill("linux/arm64"));
  assert.match(many, / and 159992 more$/);
  assert.ok(many.length < 200);
});

Deno.test("escapedJson is JSON, whatever the text, and harmless", () => {
  const value = ["\x1b\x7f\x9b\u202e\u{e0041}\ud800", "✂ größe"];
  const text = escapedJson(value);
  assert.deepEqual(JSON.parse(text), value);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f\u202e]|[\u{e0041}\ud800]/u);
});
