import assert from "node:assert/strict";
import { screenOf, svgOf } from "../../scripts/terminal_svg.ts";
import { ROOT } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { lacking, unlessMissing } from "../support/runtimes.ts";

const textOf = (output: string, columns: number) =>
  screenOf(output, columns).map((row) =>
    row.map(({ sign }) => sign).join("").trimEnd()
  );

Deno.test({
  ...unlessMissing(
    "docs/ciso.svg is what scripts/picture draws",
    lacking("script"),
  ),
  async fn() {
    assert.equal(await run(`${ROOT}/scripts/picture`, ["--check"]), "");
  },
});

Deno.test("A screen wraps, returns and erases as a terminal does", () => {
  assert.deepEqual(textOf("abcdef\r\ng\r\n", 4), ["abcd", "ef", "g"]);
  assert.deepEqual(textOf("abcd\r\ne", 4), ["abcd", "e"]);
  assert.deepEqual(textOf("50%\r100%\r\x1b[Kdone", 20), ["done"]);
  assert.deepEqual(textOf("abc\x1b[0G\x1b[2K\x1b[Jx", 20), ["x"]);
  assert.throws(() => screenOf("\x1b[35mx", 9), /SGR 35 is not known/);
  assert.throws(() => screenOf("\x1b]0;x", 9), /unknown/);
});

Deno.test("A drawing has each word in its place, and no markup of the text", () => {
  const rows = screenOf('\x1b[32m$\x1b[0m  a <b>  "c"', 20);
  const svg = svgOf(rows, 20, "a & b");
  assert.match(svg, /<title id="title">a &#38; b<\/title>/);
  assert.match(svg, /<text x="20" [^>]* class="green">\$<\/text>/);
  assert.match(
    svg,
    /<text x="45.2" y="35" textLength="42" [^>]*>a &#60;b&#62;</,
  );
  assert.match(svg, /<text x="104" [^>]*>&#34;c&#34;</);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.doesNotMatch(svg, /font-face|https?:(?!\/\/www\.w3\.org\/2000\/svg)/);
});
