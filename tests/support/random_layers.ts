import { createHash } from "node:crypto";
import {
  type LayerInput,
  readLayers,
  type Spool,
  type Stack,
} from "../../lib/rootfs/layer_stack.ts";
import { rootfsEntries } from "../../lib/rootfs/rootfs_entries.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { readAt } from "../../lib/streams/source.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { FIELD, numberField } from "../../lib/tar/block.ts";
import { type TarEntry, tarOf } from "./tar_writer.ts";

type Random = (below: number) => number;

/** Paths of a random tree: few, so that layers meet. */
const NAMES = ["a", "b", "c"];

/** Keeps bytes in memory. */
export const inMemory: Spool = async (chunks) => {
  const parts: BlobPart[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Blob(parts);
};

/** A random path of up to three parts. */
function randomPath(random: Random): string {
  const parts = Array.from({ length: 1 + random(3) }, () => NAMES[random(3)]);
  return parts.join("/");
}

/** Entries of a layer; not every one of them is one that engines take. */
export function randomLayer(random: Random): TarEntry[] {
  const entries: TarEntry[] = [];
  const files: string[] = [];
  for (let i = 1 + random(7); i > 0; i--) {
    const name = randomPath(random);
    // What is a directory and something else is refused.
    const isUsed = entries.some((entry) =>
      `${name}/`.startsWith(`${entry.name.replace(/\/$/, "")}/`) &&
        !(entry.type === "5" && entry.name !== `${name}/`) ||
      entry.name.startsWith(`${name}/`)
    );
    if (isUsed && random(20) > 0) continue;
    const cut = name.lastIndexOf("/") + 1;
    const more = { mode: [0o644, 0o755, 0o700][random(3)]!, uid: random(2) };
    const kind = random(10);
    if (kind < 2) entries.push({ name: `${name}/`, type: "5", ...more });
    else if (kind < 5) {
      entries.push({ name, data: "xyz".slice(random(3)), ...more });
      files.push(name);
    } else if (kind === 5) {
      entries.push({ name, type: "2", link: NAMES[random(3)]!, ...more });
    } else if (kind === 6 && files.length > 0) {
      const link = files[random(files.length)]!;
      const target = entries.findLast((entry) => entry.name === link)!;
      const { mode, uid } = target as { mode: number; uid: number };
      entries.push({ name, type: "1", link, mode, uid });
    } else if (kind < 9) {
      const marker = `${name.slice(0, cut)}.wh.${name.slice(cut)}`;
      entries.push({ name: marker, mode: 0 });
    } else entries.push({ name: `${name}/.wh..wh..opq`, mode: 0 });
  }
  return entries;
}

/** Layers as inputs. */
export function inputsOf(layers: readonly (TarEntry[] | Blob)[]) {
  return layers.map((layer, i) => ({
    source: layer instanceof Blob ? layer : new Blob([tarOf(layer).slice()]),
    name: `layer ${i + 1}`,
  }));
}

/**
 * The tree that layers make, as lines: path, kind, mode, owner, time, contents,
 * and of hard links all paths of the file.
 */
export async function treeOf(
  layers: readonly (TarEntry[] | Blob)[],
): Promise<string[]> {
  return await treeIn(await stackOf(layers));
}

/** Reads layers. */
export async function stackOf(
  layers: readonly (TarEntry[] | Blob)[],
  more: Partial<LayerInput> = {},
): Promise<Stack> {
  const inputs = inputsOf(layers).map((input) => ({ ...input, ...more }));
  return await readLayers(inputs, {}, inMemory);
}

/** The tree of a stack, as {@linkcode treeOf} has it. */
export async function treeIn({ tree, source }: Stack): Promise<string[]> {
  const tar = new Blob([
    await new Response(
      (await inMemory(rootfsEntries(source, tree)) as Blob).stream(),
    ).bytes(),
    new Uint8Array(1024),
  ]);
  const files = new Map<string, { facts: string; paths: string[] }>();
  for await (const { entry, bytes, place } of entriesOf(tar.stream())) {
    const path = binary(entry.path);
    if (entry.kind === "hardlink") {
      const file = files.get(binary(entry.link))!;
      file.paths.push(path);
      files.set(path, file);
      continue;
    }
    const number = (field: readonly [number, number]) =>
      numberField(bytes, field, entry.header);
    const start = place + entry.end - entry.start;
    const data = entry.kind === "file"
      ? await readAt(tar, start, entry.size)
      : new Uint8Array(0);
    const facts = [
      entry.kind,
      number(FIELD.mode)!.toString(8),
      number(FIELD.uid),
      number(FIELD.mtime),
      binary(entry.link),
      createHash("sha256").update(data).digest("hex").slice(0, 8),
    ].join(" ");
    files.set(path, { facts, paths: [path] });
  }
  return [...files].map(([path, { facts, paths }]) =>
    `${path} ${facts} ${paths.sort().join("=")}`
  ).sort();
}
