import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import { HardLinks } from "../../lib/rootfs/hard_links.ts";
import {
  FLAG,
  NODE,
  type Node,
  PathIndex,
} from "../../lib/rootfs/path_index.ts";

/** A tree of `count` hard links, one after another, to a first file. */
function chain(count: number, node: Node = NODE.file) {
  const index = new PathIndex();
  const links = new HardLinks(index);
  index.add(ascii("0"), { node, offset: 0, link: 0 });
  for (let i = 1; i <= count; i++) {
    const path = ascii(`${i}`);
    const slot = index.add(path, { node, offset: i, link: i - 1 });
    index.mark(slot, FLAG.link);
    index.mark(i - 1, FLAG.linked);
  }
  const drop = (slot: number) => {
    index.mark(slot, FLAG.dropped);
    links.noteDropped(slot);
  };
  return { index, links, drop };
}

const pathOf = (slot: number) => Promise.resolve(ascii(`${slot}`));

function text(path: Uint8Array | undefined): string | undefined {
  return path && binary(path);
}

Deno.test("HardLinks.rootOf() follows a chain to its end", () => {
  const { links } = chain(3);
  assert.deepEqual([0, 1, 2, 3].map((slot) => links.rootOf(slot)), [
    0,
    0,
    0,
    0,
  ]);
});

Deno.test("HardLinks.shortened() leads past a chain that is too long", () => {
  const { links } = chain(100);
  assert.equal(links.shortened(0), 0);
  assert.equal(links.shortened(40), 40);
  assert.equal(links.shortened(41), 0);
  assert.equal(links.shortened(100), 0);
});

Deno.test("HardLinks.settle() has the first link that is left take over", async () => {
  const { index, links, drop } = chain(3);
  drop(0);
  drop(1);
  await links.settle(pathOf);
  // The second link's entry goes: the dropped file is at its path.
  assert.equal(text(links.heir(0)), "2");
  assert.ok(index.has(2, FLAG.dropped));
  assert.ok(!index.has(3, FLAG.dropped));
  assert.equal(text(links.target(3)), "2");
});

Deno.test("HardLinks.settle() leads around a link that was dropped", async () => {
  const { index, links, drop } = chain(2);
  drop(1);
  await links.settle(pathOf);
  assert.equal(links.heir(0), undefined);
  assert.ok(!index.has(2, FLAG.dropped));
  assert.equal(text(links.target(2)), "0");
});

Deno.test("HardLinks.settle() does nothing where no link is concerned", async () => {
  const { index, links, drop } = chain(2);
  drop(index.add(ascii("x"), { node: NODE.file, offset: 9, link: 0 }));
  await links.settle(() => {
    throw new Error("No path is needed");
  });
  assert.equal(links.target(2), undefined);
});

Deno.test("HardLinks.symlink() and model() give a link's root where it is needed", () => {
  const symlinks = chain(2, NODE.symlink);
  assert.equal(symlinks.links.symlink(2), 0);
  assert.equal(symlinks.links.symlink(0), undefined);
  const { index, links } = chain(2);
  assert.equal(links.symlink(2), undefined);
  assert.equal(links.model(2), undefined);
  index.mark(2, FLAG.differs);
  assert.equal(links.model(2), 0);
});
