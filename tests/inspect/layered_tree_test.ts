import assert from "node:assert/strict";
import { LayeredTree } from "../../lib/inspect/layered_tree.ts";
import { walkTar } from "../../lib/inspect/walk_tar.ts";
import { binary, utf8 } from "../../lib/streams/bytes.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

/** The tree of layers, each a list of entries. */
async function treeOf(
  layers: TarEntry[][],
  options = {},
): Promise<LayeredTree> {
  const layered = new LayeredTree(options);
  for (const entries of layers) {
    layered.beginLayer();
    const tar = new Blob([new Uint8Array(tarOf(entries))]);
    await walkTar(tar, (walked) => layered.add(walked));
  }
  layered.finish();
  return layered;
}

/** All paths with the number of the layer that each comes from, sorted. */
function listed({ tree }: LayeredTree): string[] {
  const lines: string[] = [];
  const visit = (node: number) => {
    for (const child of tree.children(node)) {
      const mark = tree.isDirectory(child) ? "/" : "";
      const { layer } = tree.origin(child);
      lines.push(`${binary(tree.path(child))}${mark} ${layer}`);
      visit(child);
    }
  };
  visit(0);
  return lines.sort();
}

const dir = (name: string): TarEntry => ({ name, type: "5", mode: 0o755 });
const file = (name: string, data = "1234"): TarEntry => ({ name, data });

Deno.test("Layers replace, delete and add, and are counted", async () => {
  const layered = await treeOf([
    [dir("./"), dir("a/"), file("a/x"), file("a/y", "12"), file("b")],
    [file("a/x", "123456"), file("a/.wh.y", ""), file("c/d/e")],
    [file(".wh.b", ""), { ...dir("a/"), mode: 0o700 }],
  ]);
  assert.deepEqual(listed(layered), [
    "a/ 2",
    "a/x 1",
    "c/ 1",
    "c/d/ 1",
    "c/d/e 1",
  ]);
  const [first, second, third] = layered.layers;
  assert.equal(first!.entries, 5);
  assert.deepEqual(first!.types, { directory: 2, file: 3 });
  assert.deepEqual(first!.added, { files: 5, bytes: 10 });
  assert.deepEqual(first!.wasted, { files: 3, bytes: 10 });
  assert.deepEqual(second!.changed, { files: 1, bytes: 6 });
  assert.deepEqual(second!.added, { files: 1, bytes: 4 });
  assert.deepEqual(second!.deleted, { files: 1, bytes: 2 });
  assert.deepEqual(second!.wastes, { files: 2, bytes: 6 });
  assert.deepEqual(third!.changed, { files: 1, bytes: 0 });
  assert.deepEqual(third!.deleted, { files: 1, bytes: 4 });
});

Deno.test("A whiteout spares what its own layer brings, wherever it is", async () => {
  const lower = [dir("d/"), file("d/old"), dir("d/sub/"), file("d/sub/old")];
  const upper = [dir("d/"), dir("d/sub/"), file("d/sub/new")];
  for (const name of ["d/.wh..wh..opq", ".wh.d"]) {
    for (
      const layer of [[file(name, ""), ...upper], [...upper, file(name, "")]]
    ) {
      assert.deepEqual(listed(await treeOf([lower, layer])), [
        "d/ 1",
        "d/sub/ 1",
        "d/sub/new 1",
      ]);
    }
  }
});

Deno.test("Symlinks of lower layers are followed, in circles not for ever", async () => {
  const layered = await treeOf([
    [
      dir("usr/lib/"),
      { name: "lib", type: "2", link: "usr/lib" },
      { name: "abs", type: "2", link: "/usr" },
      { name: "up", type: "2", link: "../../../usr" },
      { name: "ring", type: "2", link: "ring" },
    ],
    [file("lib/a"), file("abs/b"), file("up/lib/c"), file("ring/d")],
  ]);
  const paths = listed(layered);
  assert.deepEqual(paths, [
    "abs 0",
    "lib 0",
    "ring 0",
    "up 0",
    "usr/ 0",
    "usr/b 1",
    "usr/lib/ 0",
    "usr/lib/a 1",
    "usr/lib/c 1",
  ]);
  assert.equal(layered.leftOut, 1);
  assert.match(layered.notes[0]!, /Layer 2 holds "ring\/d".*circle/);
});

Deno.test("A hard link shares the place of its target in its layer", async () => {
  const { tree } = await treeOf([
    [file("a"), { name: "b", type: "1", link: "./a" }],
    [{ name: "c", type: "1", link: "a" }],
  ]);
  const [a, b, c] = ["a", "b", "c"].map((name) => tree.find(utf8(name)));
  assert.equal(tree.target(b!), a);
  assert.deepEqual(tree.origin(b!), tree.origin(a!));
  assert.equal(tree.target(c!), undefined);
  assert.equal(binary(tree.link(c!)!), "a");
  assert.equal(tree.size(b!), 0);
});

Deno.test("Files and directories take each other's place", async () => {
  const layered = await treeOf([
    [dir("d/"), file("d/x"), file("f")],
    [file("d", "1"), file("f/y")],
  ]);
  assert.deepEqual(listed(layered), ["d 1", "f/ 1", "f/y 1"]);
  assert.deepEqual(layered.layers[0]!.wasted, { files: 2, bytes: 8 });
});

Deno.test("A layer alone shows its whiteouts", async () => {
  const layered = await treeOf([[file("a/.wh.b", ""), file("a/c")]], {
    alone: true,
  });
  assert.deepEqual(listed(layered), ["a/ 0", "a/.wh.b 0", "a/c 0"]);
  assert.equal(
    layered.tree.type(layered.tree.find(utf8("a/.wh.b"))),
    "whiteout",
  );
});

Deno.test("An entry that climbs out is left out, with a note that is safe", async () => {
  const layered = await treeOf([[file("../\x1b[31mevil"), file("good")]]);
  assert.deepEqual(listed(layered), ["good 0"]);
  assert.match(layered.notes[0]!, /"\.\.\/\\u001b\[31mevil".*climbs/);
});

Deno.test("A hard link is the file once its target is replaced or deleted", async () => {
  const link = (name: string, target: string): TarEntry => ({
    name,
    type: "1",
    link: target,
  });
  for (const upper of [file("a", "new"), file(".wh.a", "")]) {
    const { tree, layers } = await treeOf([
      [file("a"), link("b", "a"), link("c", "a")],
      [upper],
    ]);
    const [b, c] = ["b", "c"].map((name) => tree.find(utf8(name))) as [
      number,
      number,
    ];
    assert.equal(tree.type(b), "file");
    assert.equal(tree.size(b), 4);
    assert.deepEqual(tree.origin(b), { layer: 0, place: 0 });
    assert.equal(tree.target(c), b);
    assert.deepEqual(layers[0]!.wasted, { files: 0, bytes: 0 });
  }
  // Its links go as well: then it is wasted.
  const { tree, layers } = await treeOf([
    [dir("d/"), file("d/a"), link("d/b", "d/a"), file("e"), link("f", "e")],
    [file(".wh.d", ""), file("e", "12"), link("f", "e")],
  ]);
  assert.deepEqual(layers[0]!.wasted, { files: 2, bytes: 8 });
  assert.equal(tree.target(tree.find(utf8("f"))), tree.find(utf8("e")));
});
