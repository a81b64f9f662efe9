import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input_error.ts";
import { squashLayers } from "../../lib/rootfs/squash.ts";
import type { UpperLayer } from "../../lib/rootfs/upper_layer.ts";
import { binary } from "../../lib/streams/bytes.ts";
import type { FilePlace, Making, Source } from "../../lib/streams/source.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { patchedChunks } from "../support/patchwork.ts";
import { seededRandom } from "../support/random.ts";
import { inMemory, randomLayer, treeOf } from "../support/random_layers.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

/** A tar as if it were in a file. */
function inFile(bytes: Uint8Array): Blob & Source {
  const fill = (room: Uint8Array, at: number) => {
    const some = bytes.subarray(at, at + room.length);
    room.set(some);
    return some.length;
  };
  const place: FilePlace = {
    path: "",
    id: "",
    start: 0,
    size: bytes.length,
    code: "",
    read: fill,
    check() {},
    hash: () => undefined,
  };
  return Object.assign(new Blob([bytes.slice()]), { fill, place });
}

/** A layer as two threads make it: one reads stretches of a file. */
async function* shared({ patchwork, pieces }: Making) {
  async function* chunks() {
    yield* patchedChunks(patchwork);
  }
  for await (const some of pieces(chunks())) yield* some;
}

/** Whether a path is one that no layer deletes. */
const isKept = (path: string) => !path.includes(".wh.");

/** Checks that each way to make a layer gives the same. */
async function checkWays(layer: UpperLayer, made: Blob): Promise<void> {
  assert.equal(await layer.likelySize(), made.size);
  const making = layer.making();
  // Without a byte of the layers there is nothing to share.
  if (!making) return assert.ok(!(await paths(made)).some(isKept));
  const other = await inMemory(shared(making)) as Blob;
  assert.deepEqual(await other.bytes(), await made.bytes());
}

/** Squashes layers; the new one comes last. */
async function squash(layers: TarEntry[][], kept: number): Promise<Blob[]> {
  let last: ReturnType<typeof inMemory> | undefined;
  let layer: UpperLayer | undefined;
  const inputs = layers.map((entries, i) => ({
    name: `layer ${i + 1}`,
    source: inFile(tarOf(entries)),
  }));
  const made = await squashLayers(inputs, kept, {}, {
    spool: async (chunks) =>
      inFile(await (await inMemory(chunks) as Blob).bytes()),
    later(_name, upper) {
      layer = upper;
      last = inMemory(upper.chunks());
      return new Blob();
    },
  });
  await checkWays(layer!, await last! as Blob);
  const lower = made.layers.slice(0, -1).map(({ source }) => source as Blob);
  return [...lower, await last! as Blob];
}

async function paths(layer: Blob): Promise<string[]> {
  const found: string[] = [];
  for await (const { entry } of entriesOf(layer.stream())) {
    found.push(binary(entry.path));
  }
  return found;
}

const directory = (name: string, mode = 0o755): TarEntry => ({
  name,
  type: "5",
  mode,
});

Deno.test("squashLayers() makes one layer without deletions of all layers", async () => {
  const layers = [
    [directory("./", 0o750), directory("d/"), { name: "d/x", data: "1" }],
    [{ name: "d/.wh.x" }, { name: "e", data: "2" }],
  ];
  const [one, ...more] = await squash(layers, 0);
  assert.deepEqual(more, []);
  assert.deepEqual(await paths(one!), ["./", "d/", "e"]);
});

Deno.test("squashLayers() deletes of the layers below what is gone, and no more", async () => {
  const layers = [
    [directory("d/"), { name: "d/x" }, { name: "d/y" }, directory("d/z/"), {
      name: "d/z/q",
    }, { name: "f" }],
    [directory("d/", 0o700), { name: "d/.wh..wh..opq" }, { name: "d/y" }],
    [{ name: "new" }, { name: ".wh.f" }],
    [{ name: ".wh.new" }],
  ];
  const [low, made, ...more] = await squash(layers, 1);
  assert.deepEqual(more, []);
  assert.deepEqual(
    await paths(low!),
    await paths((await squash(layers, 3))[0]!),
  );
  assert.deepEqual(
    (await paths(made!)).sort(),
    [".wh.f", "d/", "d/.wh.x", "d/.wh.z", "d/y"],
  );
  assert.deepEqual(await treeOf([low!, made!]), await treeOf(layers));
});

Deno.test("squashLayers() takes layers without entries", async () => {
  const layers: TarEntry[][] = [[], [{ name: "a", data: "1" }], []];
  for (const kept of [0, 1, 2]) {
    const squashed = await squash(layers, kept);
    assert.deepEqual(await treeOf(squashed), await treeOf(layers));
  }
});

Deno.test("squashLayers() keeps hard links whose first name is replaced", async () => {
  const layers: TarEntry[][] = [
    [{ name: "a", data: "1" }, { name: "b", type: "1", link: "a" }],
    [{ name: "c", data: "2" }, { name: "e", type: "1", link: "c" }, {
      name: "g",
      type: "1",
      link: "c",
    }],
    [{ name: "a", data: "3" }, { name: "c", data: "4" }],
  ];
  for (const kept of [0, 1]) {
    const squashed = await squash(layers, kept);
    assert.deepEqual(await treeOf(squashed), await treeOf(layers));
    assert.equal(
      (await paths(squashed.at(-1)!)).some((path) => path.includes(".wh.")),
      false,
    );
  }
});

const COUNT = Number(Deno.env.get("CISO_TREES") ?? 300);

Deno.test(`squashLayers() keeps the tree of ${COUNT} random stacks`, async () => {
  const random = seededRandom(Number(Deno.env.get("CISO_SEED") ?? 2015));
  let tried = 0;
  let deleting = 0;
  for (let i = 0; i < COUNT; i++) {
    const layers = Array.from(
      { length: 2 + random(4) },
      () => randomLayer(random),
    );
    let tree;
    try {
      tree = await treeOf(layers);
    } catch (error) {
      // Not every stack is one that engines take.
      if (error instanceof InputError) continue;
      throw error;
    }
    const kept = random(layers.length);
    const squashed = await squash(layers, kept);
    assert.equal(squashed.length, kept + 1);
    assert.deepEqual(await treeOf(squashed), tree, JSON.stringify(layers));
    if ((await paths(squashed.at(-1)!)).some((path) => path.includes(".wh."))) {
      deleting++;
    }
    tried++;
  }
  // Else the test says nothing.
  assert.ok(tried > COUNT / 4, `${tried} stacks could be made`);
  assert.ok(deleting > tried / 10, `${deleting} of ${tried} delete something`);
});
