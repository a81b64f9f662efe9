import assert from "node:assert/strict";
import { utf8 } from "../../lib/streams/bytes.ts";
import { pairLines, pairs } from "../../lib/cli/pairs.ts";

Deno.test("pairLines() passes over comments and blank lines", () => {
  assert.deepEqual(
    pairLines(utf8("\ufeff# first\n\n  \t\nA=1\r\n  B= 2 \n\t# no\nC=#3\nD")),
    ["A=1", "B= 2 ", "C=#3", "D"],
  );
  assert.deepEqual(pairLines(utf8("")), []);
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

Deno.test("pairLines() names the line that it refuses, and no value", () => {
  for (
    const [line, message] of [
      [
        "export A=secret",
        "Line 3 begins with export, as in a shell: write KEY=V",
      ],
      ["set A=secret", "Line 3 begins with set, as"],
      ["=secret", "Line 3 has no key"],
      ["A B=secret", 'Line 3 has a key with blanks: "A B"'],
      ["A=se\0cret", "Line 3 holds a NUL byte"],
      ["A=\u00e9", "Line 3 is not UTF-8"],
    ]
  ) {
    // A character for each byte, so that the last one is Latin-1.
    const bytes = Uint8Array.from(
      `# one\nB=2\n${line}\nC=3\n`,
      (sign) => sign.charCodeAt(0),
    );
    assert.throws(() => pairLines(bytes), (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.name, "InputError");
      assert.ok(error.message.startsWith(message!), error.message);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  }
});
