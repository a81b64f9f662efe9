import assert from "node:assert/strict";
import { shown } from "../../lib/errors/shown.ts";

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
