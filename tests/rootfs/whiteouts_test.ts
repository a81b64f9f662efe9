import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import {
  hasWhiteoutName,
  isAufsLeftover,
  opaqueMarker,
  whiteoutMarker,
  whiteoutOf,
  Whiteouts,
} from "../../lib/rootfs/whiteouts.ts";

/** Reads a whiteout's name, as text. */
function read(name: string): [path: string, opaque: boolean] | undefined {
  const whiteout = whiteoutOf(ascii(name));
  return whiteout && [binary(whiteout.path), whiteout.opaque];
}

function whiteouts(...names: string[]): Whiteouts {
  const all = new Whiteouts();
  for (const [slot, name] of names.entries()) {
    all.add(whiteoutOf(ascii(name))!, slot);
  }
  return all;
}

Deno.test("whiteoutOf() tells what a name deletes", () => {
  assert.deepEqual(read(".wh.a"), ["a", false]);
  assert.deepEqual(read("d/e/.wh.a b"), ["d/e/a b", false]);
  assert.deepEqual(read("d/.wh.\xff"), ["d/\xff", false]);
  assert.deepEqual(read(".wh..hidden"), [".hidden", false]);
  assert.deepEqual(read(".wh...."), ["...", false]);
  assert.deepEqual(read("d/.wh..wh..opq"), ["d", true]);
  assert.deepEqual(read(".wh..wh..opq"), ["", true]);
  assert.deepEqual(read(".wh..wh.plnk"), [".wh.plnk", false]);
});

Deno.test("whiteoutOf() takes other names for what they are", () => {
  for (const name of ["a", "d/a", ".whx", "x.wh.a", ".wh.d/a", "", ".wh"]) {
    assert.equal(read(name), undefined, name);
  }
});

Deno.test("whiteoutOf() refuses a whiteout that names no file", () => {
  for (const name of [".wh.", "d/.wh.", "d/.wh..", "d/.wh..."]) {
    assert.throws(() => read(name), /names no file; remove it$/, name);
  }
});

Deno.test("opaqueMarker() is what whiteoutOf() reads", () => {
  assert.deepEqual(read(binary(opaqueMarker(ascii("d/e")))), ["d/e", true]);
});

Deno.test("Whiteouts tells which paths are deleted", () => {
  const all = whiteouts("d/.wh.a", "o/.wh..wh..opq", ".wh.x", "x/.wh..wh..opq");
  for (
    const [path, deleted] of [
      ["d", false],
      ["d/a", true],
      ["d/a/b/c", true],
      ["d/ab", false],
      ["o", false],
      ["o/p", true],
      ["o/p/q", true],
      // What is deleted whole stays deleted, whatever else is said of it.
      ["x", true],
      ["x/y", true],
      ["y", false],
    ] as const
  ) assert.equal(all.deletes(ascii(path)), deleted, path);
  for (
    const [path, empty] of [
      ["d", false],
      ["d/a", true],
      ["o", true],
      ["o/p", true],
      ["x", true],
      ["", false],
    ] as const
  ) assert.equal(all.empties(ascii(path)), empty, path);
  assert.equal(all.isOpaque(ascii("o")), true);
  assert.equal(all.isOpaque(ascii("x")), true);
  assert.equal(all.isOpaque(ascii("d")), false);
  assert.equal(all.isEmpty, false);
  assert.deepEqual([...all].map(({ slot }) => slot), [0, 1, 2, 3]);
});

Deno.test("Whiteouts without any deletes nothing", () => {
  const none = new Whiteouts();
  assert.equal(none.isEmpty, true);
  assert.equal(none.deletes(ascii("a")), false);
  assert.equal(none.empties(ascii("")), false);
});

Deno.test("hasWhiteoutName() looks at every component's start", () => {
  for (const path of [".wh.a", "a/.wh.b", ".wh.a/b", ".wh..wh..opq", ".wh."]) {
    assert.ok(hasWhiteoutName(ascii(path)), path);
  }
  for (const path of ["a.wh.b", ".wh", ".who", "wh.a", "a/x.wh."]) {
    assert.ok(!hasWhiteoutName(ascii(path)), path);
  }
});

Deno.test("isAufsLeftover() knows what aufs keeps in the root of a layer", () => {
  for (const path of [".wh..wh.plnk", ".wh..wh.plnk/1.2", ".wh..wh.aufs"]) {
    assert.ok(isAufsLeftover(ascii(path)), path);
  }
  for (const path of [".wh..wh..opq", "a/.wh..wh.plnk", ".wh.a", "a"]) {
    assert.ok(!isAufsLeftover(ascii(path)), path);
  }
});

Deno.test("whiteoutMarker() is what whiteoutOf() reads", () => {
  for (const path of ["a", "d/e"]) {
    const marker = binary(whiteoutMarker(ascii(path)));
    assert.deepEqual(read(marker), [path, false]);
  }
});

Deno.test("Whiteouts takes a deletion without an entry of its own", () => {
  const all = new Whiteouts();
  all.add({ path: ascii("d"), opaque: true });
  assert.ok(all.empties(ascii("d")));
  assert.equal(all.isOpaque(ascii("d")), false);
  assert.deepEqual([...all].map(({ slot }) => slot), [undefined]);
});
