import assert from "node:assert/strict";
import type { EntryFacts } from "../../lib/tar/entry_facts.ts";
import { FileTree } from "../../lib/inspect/file_tree.ts";
import { binary, utf8 } from "../../lib/streams/bytes.ts";
import { seededRandom } from "../support/random.ts";

function facts(changes: Partial<EntryFacts> = {}): EntryFacts {
  return {
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 0,
    nanoseconds: 0,
    link: new Uint8Array(0),
    xattrs: new Map(),
    ...changes,
  };
}

/** The node of a path; what of it is missing is made. */
function nodeFor(tree: FileTree, path: string): number {
  return path.split("/").reduce(
    (node, name) => tree.childFor(node, utf8(name)),
    0,
  );
}

Deno.test("A tree keeps what it is given, at the ends of all ranges", () => {
  const tree = new FileTree();
  const samples: Partial<EntryFacts>[] = [
    {
      mode: 0o7777,
      uid: 0xfffffffe,
      gid: 1,
      size: 2 ** 45,
      mtime: 0xffffffff,
      xattrs: new Map([["user.a", utf8("b")]]),
    },
    { mode: 0, size: 0xffffffff, mtime: -1 },
    { size: 2 ** 32, mtime: 2 ** 40 },
    { type: "symlink", link: utf8("../x"), mode: 0o777 },
    { type: "hardlink", link: utf8("somewhere/else") },
    { type: "character-device", device: { major: 4095, minor: 0xfffff } },
    { type: "block-device", device: { major: 8, minor: 1 } },
    { type: "fifo" },
    { type: "directory", mode: 0o1777 },
  ];
  tree.putPlain(nodeFor(tree, "a"), "missing-directory", 0);
  const nodes = samples.map((_, i) => nodeFor(tree, `a/b${i}`));
  for (const [i, sample] of samples.entries()) {
    tree.put(nodes[i]!, facts(sample), { layer: 65535 - i, place: 512 * i });
  }
  for (const [i, sample] of samples.entries()) {
    const node = nodes[i]!;
    const full = facts(sample);
    assert.equal(tree.type(node), full.type);
    assert.equal(tree.mode(node), full.mode);
    assert.deepEqual(tree.owner(node), { uid: full.uid, gid: full.gid });
    assert.equal(tree.mtime(node), full.mtime);
    assert.equal(tree.hasXattrs(node), full.xattrs.size > 0);
    assert.deepEqual(tree.origin(node), { layer: 65535 - i, place: 512 * i });
    assert.deepEqual(tree.device(node), full.device);
    if (full.type === "file") assert.equal(tree.size(node), full.size);
    const link = tree.link(node);
    assert.equal(
      link && binary(link),
      full.link.length ? binary(full.link) : undefined,
    );
    assert.equal(binary(tree.path(node)), `a/b${i}`);
    assert.equal(tree.find(utf8(`a/b${i}`)), node);
  }
});

Deno.test("A tree of many random paths finds each one, and no other", () => {
  const random = seededRandom(7);
  const tree = new FileTree();
  const known = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const depth = 1 + random(6);
    const path = Array.from(
      { length: depth },
      () => `d${random(12)}`,
    ).join("/");
    const node = nodeFor(tree, path);
    const parts = path.split("/");
    parts.forEach((_, j) => {
      const ancestor = parts.slice(0, j + 1).join("/");
      const at = nodeFor(tree, ancestor);
      assert.equal(known.get(ancestor) ?? at, at);
      known.set(ancestor, at);
      if (tree.type(at) === undefined) {
        tree.putPlain(at, "missing-directory", 0);
      }
    });
    tree.put(node, facts({ type: "directory" }), { layer: 0, place: 0 });
  }
  assert.equal(tree.length, known.size + 1);
  for (const [path, node] of known) {
    assert.equal(tree.find(utf8(path)), node);
    assert.equal(binary(tree.path(node)), path);
    assert.ok(tree.parent(node) < node);
  }
  assert.equal(tree.find(utf8("d0/none")), -1);
  let walked = 0;
  const visit = (node: number) => {
    for (const child of tree.children(node)) {
      walked++;
      visit(child);
    }
  };
  visit(0);
  assert.equal(walked, known.size);
});

Deno.test("A file that was taken out is not there, until it comes again", () => {
  const tree = new FileTree();
  const node = nodeFor(tree, "x");
  tree.put(node, facts({ size: 3 }), { layer: 0, place: 0 });
  tree.remove(node);
  assert.equal(tree.find(utf8("x")), -1);
  assert.deepEqual([...tree.children(0)], []);
  assert.equal(nodeFor(tree, "x"), node);
  tree.put(node, facts({ type: "symlink", link: utf8("y") }), {
    layer: 1,
    place: 512,
  });
  assert.deepEqual([...tree.children(0)], [node]);
  assert.equal(tree.size(node), 1);
});
