import assert from "node:assert/strict";
import { pairLines, pairs } from "../../lib/cli/pairs.ts";

Deno.test("pairLines() passes over comments and blank lines", () => {
  assert.deepEqual(
    pairLines("\ufeff# first\n\n  \t\nA=1\r\n  B= 2 \n\t# no\nC=#3\nD"),
    ["A=1", "B= 2 ", "C=#3", "D"],
  );
  assert.deepEqual(pairLines(""), []);
});

Deno.test("pairs() splits at the first =", () => {
  assert.deepEqual(pairs(["a=1", "b=x=y", "c=", "d", "a b= c"]), {
    a: "1",
    b: "x=y",
    c: "",
    d: "",
    "a b": " c",
  });
  assert.deepEqual(pairs(["a=1", "a=2"]), { a: "2" });
});

Deno.test("pairs() takes any key", () => {
  const found = pairs(["__proto__=1", "constructor=2"]);
  assert.deepEqual(Object.entries(found), [
    ["__proto__", "1"],
    ["constructor", "2"],
  ]);
});

Deno.test("pairs() refuses a pair without a key", () => {
  for (const entry of ["=1", "=", ""]) {
    assert.throws(() => pairs(["a=1", entry]), {
      name: "InputError",
      message: `${JSON.stringify(entry)} is not KEY=VALUE`,
    });
  }
});
