import assert from "node:assert/strict";
import { splitRootfs } from "../../lib/rootfs/split_rootfs.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const directory = (name: string): TarEntry => ({ name, type: "5" });
const file = (name: string, size: number): TarEntry => ({
  name,
  data: "x".repeat(size),
});
const link = (name: string, link: string): TarEntry => ({
  name,
  type: "1",
  link,
});

/** Splits a tar; gives the paths of each layer. */
async function split(
  size: number,
  ...entries: TarEntry[]
): Promise<string[]> {
  const tar = tarOf(entries) as Uint8Array<ArrayBuffer>;
  const { layers } = await splitRootfs(new Blob([tar]), size, spool, {});
  const lists = [];
  for (const layer of layers) {
    const bytes = await new Response(layer.stream()).bytes();
    assert.equal(bytes.length, layer.size);
    const paths = [];
    const stream = new Blob([bytes]).stream();
    for await (const { entry } of entriesOf(stream)) {
      const { path, link, kind } = entry;
      const to = kind === "hardlink" ? `=${binary(link)}` : "";
      paths.push(`${binary(path)}${to}`);
    }
    lists.push(paths.join(" "));
  }
  return lists;
}

async function spool(chunks: AsyncGenerator<Uint8Array>) {
  const parts: BlobPart[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Blob(parts);
}

Deno.test("splitRootfs() gives each layer the directories of its files", async () => {
  const layers = await split(
    7000,
    directory("./"),
    directory("a/"),
    directory("a/b/"),
    file("a/b/1", 2000),
    file("a/b/2", 2000),
    directory("c/"),
    file("c/3", 2000),
    file("a/b/4", 100),
  );
  assert.deepEqual(layers, [
    "./ a/ a/b/ a/b/1",
    "./ a/ a/b/ a/b/2 c/",
    "./ c/ a/ a/b/ c/3 a/b/4",
  ]);
});

Deno.test("splitRootfs() keeps hard links together, and their directories", async () => {
  const layers = await split(
    5000,
    directory("a/"),
    file("a/1", 2000),
    file("a/2", 2000),
    directory("b/"),
    link("b/1", "a/1"),
    link("b/again", "b/1"),
    link("b/2", "a/2"),
    file("b/3", 2000),
  );
  assert.deepEqual(layers, [
    "b/ a/ a/1 b/1=a/1 b/again=b/1",
    "a/ a/2 b/ b/2=a/2",
    "b/ b/3",
  ]);
});

Deno.test("splitRootfs() gives a large file a layer of its own", async () => {
  const layers = await split(
    4000,
    file("1", 100),
    file("2", 9000),
    file("3", 100),
    file("4", 100),
  );
  assert.deepEqual(layers, ["1", "2", "3 4"]);
});

Deno.test("splitRootfs() leaves a small rootfs alone", async () => {
  assert.deepEqual(await split(9000, file("1", 100), file("2", 100)), []);
  // Its own end is longer than another one would be.
  const small = [file("1", 100), file("2", 100)];
  assert.deepEqual(await split(3072, ...small), []);
});

Deno.test("splitRootfs() takes directories that come after their files", async () => {
  const layers = await split(
    4000,
    file("a/1", 1000),
    file("a/2", 1000),
    directory("a/"),
  );
  assert.deepEqual(layers, ["a/1", "a/2 a/"]);
});
