import assert from "node:assert/strict";
import { ascii } from "../../lib/streams/bytes.ts";
import {
  FLAG,
  NODE,
  type Node,
  PathIndex,
} from "../../lib/rootfs/path_index.ts";

function add(index: PathIndex, path: string, node: Node = NODE.file): number {
  return index.add(ascii(path), { node, offset: 7, link: 9 });
}

Deno.test("PathIndex.find() gives the newest entry of a path", () => {
  const index = new PathIndex();
  assert.equal(index.find(ascii("a")), -1);
  const first = add(index, "a");
  add(index, "b");
  assert.equal(index.find(ascii("a")), first);
  const second = add(index, "a", NODE.symlink);
  assert.equal(index.find(ascii("a")), second);
  assert.equal(index.find(ascii("a/b")), -1);
  // Only the first bytes count, if asked.
  assert.equal(index.find(ascii("a/b"), 1), second);
  assert.equal(index.length, 3);
});

Deno.test("PathIndex.find() gives no entry that is dropped", () => {
  const index = new PathIndex();
  const slot = add(index, "a");
  index.mark(slot, FLAG.dropped);
  assert.equal(index.find(ascii("a")), -1);
  const again = add(index, "a");
  assert.equal(index.find(ascii("a")), again);
});

Deno.test("PathIndex has more slots than paths", () => {
  const index = new PathIndex();
  const first = add(index, "a");
  for (let i = 0; i < 3000; i++) index.addHidden();
  let newest = -1;
  for (let i = 0; i < 3000; i++) newest = add(index, "b");
  assert.equal(index.find(ascii("a")), first);
  assert.equal(index.find(ascii("b")), newest);
  assert.equal(index.length, 6001);
});

Deno.test("PathIndex.addNew() adds what find() does not find", () => {
  const index = new PathIndex();
  const entry = { node: NODE.file, offset: 7, link: 9 };
  for (let i = 0; i < 2000; i++) {
    const [directory, path] = [ascii(`d${i % 7}/x`), ascii(`d${i % 7}/${i}`)];
    index.enter(directory, 2);
    const slot = index.addNew(path, entry, i % 2 === 0);
    assert.equal(slot, i);
    assert.equal(index.addNew(path, entry, true), -1);
    assert.equal(index.addNew(path, entry), -1);
    assert.equal(index.find(path), slot);
  }
  index.mark(5, FLAG.dropped);
  assert.equal(index.addNew(ascii("d5/5"), entry), 2000);
});

Deno.test("PathIndex keeps facts of slots apart", () => {
  const index = new PathIndex();
  const nodes = [NODE.file, NODE.directory, NODE.symlink, NODE.other];
  const slots = Array.from(
    { length: 100 },
    (_, i) =>
      index.add(ascii(`${i}`), {
        node: nodes[i % 4]!,
        offset: i,
        link: ~i >>> 0,
      }),
  );
  index.mark(50, FLAG.linked);
  index.mark(50, FLAG.differs);
  index.mark(51, FLAG.link);
  for (const slot of slots) {
    assert.equal(index.node(slot), nodes[slot % 4]);
    assert.equal(index.offset(slot), slot);
    assert.equal(index.linkMetadata(slot), ~slot >>> 0);
    assert.equal(index.linkedSlot(slot), ~slot >>> 0);
    assert.equal(index.has(slot, FLAG.linked), slot === 50);
    assert.equal(index.has(slot, FLAG.differs), slot === 50);
    assert.equal(index.has(slot, FLAG.link), slot === 51);
  }
});

Deno.test("PathIndex.addHidden() takes a slot that no path leads to", () => {
  const index = new PathIndex();
  const slot = index.addHidden();
  assert.equal(slot, 0);
  assert.ok(index.has(slot, FLAG.dropped));
  assert.equal(index.find(ascii("")), -1);
  assert.equal(add(index, "a"), 1);
});

Deno.test("PathIndex.obstacle() finds what is above a path and no directory", () => {
  const index = new PathIndex();
  add(index, "usr", NODE.directory);
  add(index, "usr/lib", NODE.missing);
  const link = add(index, "lib", NODE.symlink);
  const file = add(index, "usr/lib/file");
  const find = (path: string) => index.obstacle(ascii(path));
  assert.equal(find("usr/lib/x"), undefined);
  assert.equal(find("x"), undefined);
  assert.deepEqual(find("usr/bin/x/y"), { slot: -1, length: 7 });
  assert.deepEqual(find("lib/x"), { slot: link, length: 3 });
  assert.deepEqual(find("usr/lib/file/x"), { slot: file, length: 12 });
});

Deno.test("PathIndex finds all of many paths, and no other", () => {
  const index = new PathIndex();
  const count = 100_000;
  for (let i = 0; i < count; i++) add(index, `usr/share/${i}`);
  for (let i = 0; i < count; i++) {
    assert.equal(index.find(ascii(`usr/share/${i}`)), i);
    assert.equal(index.find(ascii(`usr/share/${i}x`)), -1);
  }
});

Deno.test("PathIndex tells paths apart that differ in one byte or its place", () => {
  const index = new PathIndex();
  const paths = new Set<string>();
  for (let i = 0; i < 256; i++) {
    const byte = String.fromCharCode(i);
    for (const path of [byte, `\0${byte}`, `${byte}\0`, `a${byte}b`]) {
      paths.add(path);
    }
  }
  const slots = new Map([...paths].map((path) => [path, add(index, path)]));
  for (const [path, slot] of slots) assert.equal(index.find(ascii(path)), slot);
});

Deno.test("PathIndex.deletes() takes files with all below, directories' contents", () => {
  const index = new PathIndex();
  add(index, "gone", NODE.file);
  add(index, "d/emptied", NODE.directory);
  const deleted = (path: string) => index.deletes(ascii(path));
  for (const path of ["gone", "gone/x", "gone/x/y", "d/emptied/x"]) {
    assert.ok(deleted(path), path);
  }
  for (const path of ["gon", "gone2", "d", "d/emptied", "d/emptied2/x", "x"]) {
    assert.ok(!deleted(path), path);
  }
});
