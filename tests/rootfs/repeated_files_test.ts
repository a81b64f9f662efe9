import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input_error.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { toStream } from "../../lib/streams/source.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { seededRandom } from "../support/random.ts";
import {
  randomLayer,
  stackOf,
  treeIn,
  treeOf,
} from "../support/random_layers.ts";
import type { TarEntry } from "../support/tar_writer.ts";

/** The paths in the top layer, once files that are below are left out. */
async function left(layers: TarEntry[][]): Promise<string[]> {
  const stack = await stackOf(layers, { dedupe: true });
  assert.deepEqual(await treeIn(stack), await treeOf(layers));
  const found: string[] = [];
  const top = toStream(stack.layers.at(-1)!.chunks());
  for await (const { entry } of entriesOf(top)) found.push(binary(entry.path));
  return found;
}

const DIRECTORY: TarEntry = { name: "d/", type: "5", mode: 0o700 };
const FILE: TarEntry = { name: "d/f", data: "same" };
const LOWER = [DIRECTORY, FILE, { name: "d/l", type: "2", link: "f" }];

Deno.test("a file that is the same below is left out, with any dialect of its header", async () => {
  assert.deepEqual(await left([LOWER, LOWER]), ["d/"]);
  const pax: TarEntry = { ...FILE, pax: [["mtime", "1433664550.0"]] };
  assert.deepEqual(await left([LOWER, [DIRECTORY, pax]]), ["d/"]);
  const gnu: TarEntry = { ...FILE, dialect: "gnu" };
  assert.deepEqual(await left([LOWER, [DIRECTORY, gnu]]), ["d/"]);
  // Also where another layer is between.
  assert.deepEqual(await left([LOWER, [{ name: "x" }], LOWER]), ["d/"]);
});

Deno.test("a file with anything else stays", async () => {
  const others: Partial<TarEntry>[] = [
    { data: "sama" },
    { data: "same!" },
    { mode: 0o600 },
    { uid: 1 },
    { gid: 1 },
    { mtime: 1 },
    { pax: [["mtime", "1433664550.5"]] },
    { pax: [["SCHILY.xattr.user.a", "1"]] },
    { pax: [["SCHILY.acl.access", "user::rw-"]] },
  ];
  for (const other of others) {
    const upper = [DIRECTORY, { ...FILE, ...other }];
    assert.deepEqual(await left([LOWER, upper]), ["d/", "d/f"]);
  }
  const link = { name: "d/l", type: "2", link: "g" };
  assert.deepEqual(await left([LOWER, [DIRECTORY, link]]), ["d/", "d/l"]);
});

Deno.test("a file that the layer deletes below stays", async () => {
  const opaque = [DIRECTORY, { name: "d/.wh..wh..opq" }, FILE];
  assert.deepEqual(
    await left([LOWER, opaque]),
    ["d/", "d/.wh..wh..opq", "d/f"],
  );
  const gone = [{ name: "d/.wh.f" }];
  assert.ok((await left([LOWER, gone, [DIRECTORY, FILE]])).includes("d/f"));
  const whole = [{ name: ".wh.d" }, DIRECTORY, FILE];
  assert.ok((await left([LOWER, whole])).includes("d/f"));
});

Deno.test("a file with several names stays, in either layer", async () => {
  const link: TarEntry = { name: "d/h", type: "1", link: "d/f" };
  assert.ok((await left([LOWER, [DIRECTORY, FILE, link]])).includes("d/f"));
  const linked = [DIRECTORY, FILE, link];
  assert.ok((await left([linked, [DIRECTORY, FILE]])).includes("d/f"));
});

const COUNT = Number(Deno.env.get("CISO_TREES") ?? 300);

Deno.test(`what is left out changes none of ${COUNT} random stacks`, async () => {
  const random = seededRandom(Number(Deno.env.get("CISO_SEED") ?? 2015));
  let dropped = 0;
  for (let i = 0; i < COUNT; i++) {
    const layers = Array.from(
      { length: 2 + random(3) },
      () => randomLayer(random),
    );
    // So that some are the same.
    layers.push([...layers[0]!, ...randomLayer(random).slice(0, 2)]);
    let tree;
    try {
      tree = await treeOf(layers);
    } catch (error) {
      if (error instanceof InputError) continue;
      throw error;
    }
    const stack = await stackOf(layers, { dedupe: true });
    assert.deepEqual(await treeIn(stack), tree, JSON.stringify(layers));
    if (stack.layers.some(({ changes }) => changes.has("duplicates"))) {
      dropped++;
    }
  }
  assert.ok(dropped > COUNT / 20, `${dropped} stacks had such files`);
});
