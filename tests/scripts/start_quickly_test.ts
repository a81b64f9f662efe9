// What a bundle's modules start with is compiled with the bundle, and all of it is
// ASCII.

import assert from "node:assert/strict";
import { compiledAtOnce, inAscii } from "../../scripts/start_quickly.ts";

Deno.test("functions that start modules get parentheses, others do not", () => {
  const once = "var m=(n,e)=>()=>(n&&(e=n(n=0)),e);";
  const bundle = (one: string, two: string) =>
    `${once}var text,a=m(${one}),b=m(${two});var c=once((e,t)=>{t=e});` +
    "function f(g){return g(()=>{})}a();";
  // A bracket in a text is no end.
  const one = "()=>{text=`})${f(()=>1)}`}";
  const two = "()=>{a();text=/\\)}/}";
  assert.equal(
    compiledAtOnce(bundle(one, two)),
    bundle(`(${one})`, `(${two})`),
  );
});

Deno.test("a bundle without such modules is an error", () => {
  assert.throws(() => compiledAtOnce("var a=f(1);b(()=>{});"), /no modules/);
});

Deno.test("a bundle in ASCII says the same", () => {
  const code = 'const word = "✂ \\u2702 \u{1f600}"; word';
  assert.match(inAscii(code), /^[\0-\x7f]*$/);
  assert.equal((0, eval)(inAscii(code)), "✂ ✂ \u{1f600}");
});
