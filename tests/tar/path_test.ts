import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import {
  ancestorLength,
  components,
  joinPath,
  NAME_MAX,
  normalizePath,
} from "../../lib/tar/path.ts";

function normalized(path: string): string {
  return binary(normalizePath(ascii(path)));
}

Deno.test("normalizePath() brings all spellings to one", () => {
  for (
    const path of ["a/b", "./a/b", "/a/b", "a/b/", "//a//b//", ".//./a/././b/."]
  ) assert.equal(normalized(path), "a/b", path);
  for (const path of ["", ".", "./", "/", "//", "/./", "././."]) {
    assert.equal(normalized(path), "", path);
  }
});

Deno.test("normalizePath() keeps names that only start with dots", () => {
  for (const path of [".a", "...", "..a", "a..", ".../..b/c.", ". "]) {
    assert.equal(normalized(path), path);
  }
});

Deno.test("normalizePath() keeps bytes that are not UTF-8", () => {
  assert.equal(normalized("./\xff\n \\/\xe9"), "\xff\n \\/\xe9");
});

Deno.test("normalizePath() copies no path that needs none", () => {
  const path = ascii("./a/b/");
  assert.equal(normalizePath(path).buffer, path.buffer);
});

Deno.test("normalizePath() refuses paths that climb", () => {
  for (
    const path of ["..", "../a", "a/..", "a/../b", "/..", "./../", "a//.."]
  ) {
    assert.throws(() => normalized(path), {
      name: "InputError",
      message: /climbs with '\.\.'/,
    }, path);
  }
});

Deno.test("normalizePath() refuses what is longer than Linux takes", () => {
  const longest = "n".repeat(NAME_MAX);
  assert.equal(normalized(`a/${longest}/b`), `a/${longest}/b`);
  assert.throws(() => normalized(`a/${longest}n/b`), /256 bytes long/);
});

Deno.test("components() leaves out dots and empty ones, and keeps '..'", () => {
  const parts = [...components(ascii("/a//./../b/"))].map(binary);
  assert.deepEqual(parts, ["a", "..", "b"]);
  assert.deepEqual([...components(ascii("./"))], []);
});

Deno.test("joinPath() puts one slash between", () => {
  const join = (a: string, b: string) => binary(joinPath(ascii(a), ascii(b)));
  assert.equal(join("a/b", "c"), "a/b/c");
  assert.equal(join("", "c"), "c");
  assert.equal(join("a", ""), "a");
});

Deno.test("ancestorLength() counts levels up to the root", () => {
  const path = ascii("usr/lib/x");
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => ancestorLength(path, i)), [
    9,
    7,
    3,
    0,
    0,
  ]);
});
