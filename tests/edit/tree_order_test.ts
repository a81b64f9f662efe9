import assert from "node:assert/strict";
import { EntryTable } from "../../lib/edit/entry_table.ts";
import { TreeOrder } from "../../lib/edit/tree_order.ts";
import { InputError } from "../../lib/errors/input_error.ts";
import { ascii, asciiText } from "../../lib/streams/bytes.ts";

/** A table with a row for each path. */
function tableOf(paths: readonly string[]): EntryTable {
  const table = new EntryTable();
  for (const path of paths) add(table, ascii(path));
  return table;
}

function add(table: EntryTable, path: Uint8Array): number {
  return table.add({
    path,
    facts: {
      type: "directory",
      mode: 0o755,
      uid: 0,
      gid: 0,
      size: 0,
      mtime: 0,
      nanoseconds: 0,
      link: new Uint8Array(0),
      xattrs: new Map(),
    },
    records: [],
    start: 0,
    head: 0,
    isSparse: false,
    target: -1,
  });
}

/** The paths in order, with `+` before those that had no row. */
function sorted(paths: readonly string[], isLayer = false): string[] {
  const table = tableOf(paths);
  const order = new TreeOrder(table).list(
    isLayer ? undefined : (path) => add(table, path),
  );
  return order.map((row) =>
    `${row < paths.length ? "" : "+"}${asciiText(table.path(row))}`
  );
}

Deno.test("directories come before what they hold, names by their bytes", () => {
  const names = ["usr-x", "usr", "usr/b", "usr!", "usr/a/z", "usr/a", "usr.x"];
  assert.deepEqual(
    sorted(names, true),
    ["usr", "usr/a", "usr/a/z", "usr/b", "usr!", "usr-x", "usr.x"],
  );
});

Deno.test("names that begin alike come by the bytes after that", () => {
  const long = "a-name-of-which-many-bytes-are-the-same";
  const names = [`${long}b`, `${long}aa`, long, `${long}a`, "a-name", "a-nam"];
  assert.deepEqual(
    sorted(names, true),
    ["a-nam", "a-name", long, `${long}a`, `${long}aa`, `${long}b`],
  );
});

Deno.test("of rows with one path the last one counts", () => {
  const table = tableOf(["b", "a", "b/c", "a", "", "b", ""]);
  assert.deepEqual(new TreeOrder(table).list(), [6, 3, 5, 2]);
});

Deno.test("missing directories get a row, the root among them", () => {
  assert.deepEqual(sorted(["b/c/d", "a"]), ["+", "a", "+b", "+b/c", "b/c/d"]);
  assert.deepEqual(sorted(["b/c/d", "a"], true), ["a", "b/c/d"]);
  assert.deepEqual(sorted(["", "a/b", "a"]), ["", "a", "a/b"]);
  assert.deepEqual(sorted([]), []);
});

Deno.test("any tree comes in the order of its components", () => {
  let seed = 1;
  const next = (count: number) => (seed = seed * 48271 % 0x7fffffff) % count;
  for (let round = 0; round < 100; round++) {
    const paths = new Set<string>();
    for (let i = next(60); i >= 0; i--) {
      const names = Array.from(
        { length: 1 + next(4) },
        () => ["a", "b", "ab", "a.", "a-b", "abcdefg", "abcdefgh"][next(7)],
      );
      paths.add(names.join("/"));
    }
    // No name has a byte before that one.
    const keys = [...paths].map((path) => path.replaceAll("/", "\x01"));
    const expected = keys.sort().map((key) => key.replaceAll("\x01", "/"));
    assert.deepEqual(sorted([...paths], true), expected);
  }
});

Deno.test("more missing directories than memory has room for are refused", () => {
  const paths = Array.from(
    { length: 2700 },
    (_, i) => `${i}/` + "d/".repeat(100) + "f",
  );
  assert.throws(
    () => new TreeOrder(tableOf(paths)),
    { name: InputError.name, message: /have no entry of their own/ },
  );
});
