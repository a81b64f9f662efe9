import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import {
  ignorePatterns,
  IgnoreRules,
} from "../../lib/directory/dockerignore.ts";

/** Patterns, paths that they leave out, and paths that they do not. */
type Row = [patterns: string[], out: string[], kept: string[]];

/** Asserts rows of what rules leave out. */
function assertRows(rows: Row[]) {
  for (const [patterns, out, kept] of rows) {
    const rules = new IgnoreRules(patterns);
    for (const path of out) {
      assert.equal(
        rules.excludes(path),
        true,
        `${patterns} leaves out ${path}`,
      );
    }
    for (const path of kept) {
      assert.equal(rules.excludes(path), false, `${patterns} keeps ${path}`);
    }
  }
}

// These rows and the next ones were held against moby/patternmatcher 0.5.
Deno.test("IgnoreRules.excludes() follows Docker's patterns", () => {
  assertRows([
    // A path from the root, and all below it.
    [["var/cache"], ["var/cache", "var/cache/apt/x"], [
      "var",
      "cache",
      "a/var",
    ]],
    [["/var/cache/"], ["var/cache", "var/cache/x"], ["var/cache2"]],
    [["./usr//share/../lib"], ["usr/lib", "usr/lib/x"], ["usr/share"]],
    [["../etc", ".", "/", ".."], [], ["etc", "x"]],
    // One component's wildcards.
    [["*"], ["a", ".hidden", "a/b"], []],
    [["*.log"], ["x.log", ".log", "x.log/y"], ["var/x.log", "xlog"]],
    [["var/*"], ["var/x", "var/x/y"], ["var", "x"]],
    [["var/*/x"], ["var/a/x", "var/a/x/b"], ["var/x", "var/a/b/x"]],
    [["temp?"], ["temp1", "tempé", "temp1/x"], ["temp", "temp12"]],
    [["a?b", "c*d"], ["a\nb", "cd"], ["a/b", "c/d", "ab"]],
    [["[a-cx]1"], ["a1", "c1", "x1"], ["d1", "-1", "1", "ab1"]],
    [["[^a-c]1"], ["d1", "é1"], ["a1", "1"]],
    [["[!a]1"], ["!1", "a1"], ["b1"]],
    [["[\\]\\-]"], ["]", "-"], ["\\"]],
    [["\\*", "a\\[b"], ["*", "a[b"], ["x", "ab"]],
    [["a.b", "(a)+{1}$^|"], ["a.b", "(a)+{1}$^|"], ["axb", "a"]],
    [["]"], ["]"], ["a"]],
    // Any number of directories.
    [["**"], ["a", "a/b"], []],
    [["**/*.o"], ["x.o", "a/x.o", "a/b/x.o", ".o"], ["x.c", "a/o"]],
    [["**/tmp"], ["tmp", "a/tmp", "a/b/tmp/c"], ["tmp2", "a/xtmp"]],
    [["a/**"], ["a/b", "a/b/c"], ["a", "ab"]],
    [["a/**/z"], ["a/z", "a/b/z", "a/b/c/z/y"], ["a", "az", "a/bz"]],
    [["a**/z"], ["a/z", "az", "ab/c/z"], ["b/z"]],
    [["**/a/**/b"], ["a/b", "x/a/y/b"], ["a", "b", "a/x"]],
    [["**/**/x"], ["x", "a/x", "a/b/x"], ["ax"]],
    // Exceptions: the last match decides.
    [["*.md", "!README.md"], ["x.md"], ["README.md"]],
    [["!README.md", "*.md"], ["README.md"], ["a"]],
    [
      ["*.md", "!README*.md", "README-secret.md"],
      ["x.md", "README-secret.md"],
      ["README.md", "README-1.md"],
    ],
    [["docs", "!docs/*.md"], ["docs", "docs/x", "docs/a/x.md"], ["docs/x.md"]],
    [["**", "!bin/sh"], ["bin", "bin/ls", "etc"], ["bin/sh", "bin/sh/x"]],
    [["a", "!a/b", "a/b/c"], ["a", "a/x", "a/b/c/d"], ["a/b", "a/b/d"]],
    [["!/a", " !b ", "! c"], [], ["a", "b", "c"]],
    // What is no pattern.
    [["", "  ", "\t"], [], ["a", " "]],
    [[" a b "], ["a b"], [" a b ", "a"]],
    [["#a"], ["#a"], ["a"]],
  ]);
});

Deno.test("IgnoreRules.excludes() takes ** for whole directories", () => {
  // Docker's `**x` matches whatever ends with x.
  assertRows([[["**x"], ["x", "a/x"], ["yx", "a/yx"]]]);
});

Deno.test("new IgnoreRules() refuses malformed patterns and names them", () => {
  for (
    const pattern of [
      "!",
      " ! ",
      "[",
      "a[",
      "[a",
      "[^",
      "[]a]",
      "[a-]",
      "[-a]",
      "[a-b-c]",
      "[b-a]",
      "a/[Local-Only]",
      "\\",
      "a\\",
      "[a\\",
    ]
  ) {
    assert.throws(
      () => new IgnoreRules(["fine", pattern]),
      (error) =>
        error instanceof InputError &&
        error.message.startsWith(
          `The pattern ${JSON.stringify(pattern)} is malformed: `,
        ),
      pattern,
    );
  }
});

Deno.test("IgnoreRules.judge() takes what it said of the directory above", () => {
  const rules = new IgnoreRules(["a", "!a/b/c", "**/d"]);
  const a = rules.judge("a");
  assert.deepEqual(a, { excluded: true, matches: [true, false, false] });
  const b = rules.judge("a/b", a);
  assert.deepEqual(b, { excluded: true, matches: [true, false, false] });
  const c = rules.judge("a/b/c", b);
  assert.deepEqual(c, { excluded: false, matches: [true, true, false] });
  assert.equal(rules.judge("a/b/c/d", c).excluded, true);
  assert.equal(rules.judge("a/b/c/e", c).excluded, false);
});

Deno.test("IgnoreRules.mayTakeBelow() is true where an exception may match", () => {
  for (
    const [patterns, yes, no] of [
      [["a"], [], ["a"]],
      [["*", "!a/b/c"], ["a", "a/b"], ["a/b/c", "a/x", "ab", "b"]],
      [["*", "!a/*/c"], ["a", "a/b", "a/b/c"], ["b"]],
      [["*", "!**/c"], ["a", "b/c/d"], []],
      [["*", "!a/b*"], ["a"], ["b"]],
      [["!a/b", "a"], [], ["a"]],
    ] as Row[]
  ) {
    const rules = new IgnoreRules(patterns);
    // For a path that the first rule that is no exception leaves out.
    const verdict = {
      excluded: true,
      matches: patterns.map((pattern) => !pattern.startsWith("!")),
    };
    for (const [paths, expected] of [[yes, true], [no, false]] as const) {
      for (const path of paths) {
        assert.equal(
          rules.mayTakeBelow(path, verdict),
          expected,
          `${patterns}: ${path}`,
        );
      }
    }
  }
});

Deno.test("ignorePatterns() reads a file's lines but comments and blank ones", () => {
  assert.deepEqual(
    ignorePatterns(
      "\uFEFF# comment\r\n*.log\r\n\n  \n !keep.log\n #a\n#b\na#b",
    ),
    ["*.log\r", " !keep.log", " #a", "a#b"],
  );
  assert.deepEqual(ignorePatterns(""), []);
  const rules = new IgnoreRules(ignorePatterns("*.log\r\n!keep.log\r\n"));
  assert.equal(rules.excludes("x.log"), true);
  assert.equal(rules.excludes("keep.log"), false);
});
