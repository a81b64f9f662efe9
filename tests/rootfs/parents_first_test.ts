// Below rootfs/ a directory comes before what is in it, whatever the order of
// the input: apptainer 1.4 makes no missing directories.

import assert from "node:assert/strict";
import { buildLayers } from "../../lib/build/build.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { toBytes } from "@std/streams";
import { seededRandom } from "../support/random.ts";
import { isocOf, partsOf } from "../support/isoc_parts.ts";
import { inMemory, inputsOf, randomLayer } from "../support/random_layers.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const directory = (name: string, mode = 0o755): TarEntry => ({
  name,
  type: "5",
  mode,
});

async function isocOfLayers(layers: TarEntry[][]): Promise<Uint8Array> {
  const isoc = await buildLayers(inputsOf(layers), {
    names: ["isoc/x:1"],
    command: ["/x"],
    created: 0,
  }, inMemory);
  const archive = await toBytes(isoc.stream());
  assert.equal(archive.length, isoc.size);
  return archive;
}

/** Checks that no path comes before its directory; gives all of them. */
async function checked(archive: Uint8Array): Promise<string[]> {
  const paths = (await partsOf(archive)).map(({ path }) => path)
    .filter((path) => path.startsWith("rootfs/"));
  const directories = new Set<string>();
  for (const path of paths) {
    const parent = path.replace(/[^/]+\/?$/, "");
    assert(parent === "" || directories.has(parent), path);
    if (path.endsWith("/")) directories.add(path);
  }
  return paths;
}

Deno.test("a directory of an upper layer comes before files of lower ones", async () => {
  const layers = [
    [directory("d/"), directory("d/s/"), { name: "d/s/low", data: "1" }],
    [{ name: "e/low", data: "2" }],
    [
      ...[directory("d/", 0o700), directory("d/s/"), directory("e/", 0o750)],
      { name: "d/up", data: "3" },
    ],
  ];
  const archive = await isocOfLayers(layers);
  assert.deepEqual(
    (await checked(archive)).slice(1),
    ["d/", "d/s/", "d/s/low", "e/", "e/low", "d/up"].map((path) =>
      `rootfs/${path}`
    ),
  );
  const parts = await partsOf(archive);
  const modeOf = (path: string) =>
    binary(parts.find((part) => part.path === path)!.header.slice(100, 107));
  assert.equal(modeOf("rootfs/d/"), "0000700");
  assert.equal(modeOf("rootfs/e/"), "0000750");
});

Deno.test("a directory whose entry comes late is before its files", async () => {
  const archive = await isocOf(tarOf([
    { name: "d/s/x", data: "1" },
    directory("d/s/"),
    directory("d/", 0o700),
    { name: "x", data: "3" },
  ]));
  assert.deepEqual(
    (await checked(archive)).filter((path) => /rootfs\/[dx]/.test(path)),
    ["d/", "d/s/", "d/s/x", "x"].map((path) => `rootfs/${path}`),
  );
});

Deno.test("directories come first in random stacks of layers", async () => {
  const random = seededRandom(19);
  for (let i = 0; i < 60; i++) {
    // The data of a deleted file that has another name stay where they are.
    const layers = Array.from(
      { length: 3 },
      () => randomLayer(random).filter(({ type }) => type !== "1"),
    );
    try {
      await checked(await isocOfLayers(layers));
    } catch (error) {
      if ((error as Error).name !== "InputError") throw error;
    }
  }
});
