import assert from "node:assert/strict";
import { buildLayers } from "../../lib/build/build.ts";
import type { Isoc } from "../../lib/build/isoc.ts";
import { InputError } from "../../lib/errors/input_error.ts";
import type { LayerInput, Spool } from "../../lib/rootfs/layer_stack.ts";
import { type TarEntry, tarOf } from "./tar_writer.ts";

const inMemory: Spool = async (chunks) => {
  const parts: BlobPart[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Blob(parts);
};

/** Builds an archive of layers into a file. */
export async function buildStack(
  layers: Uint8Array[],
  path: string,
  options: Partial<LayerInput> = {},
): Promise<Isoc> {
  const inputs = layers.map((bytes, i) => ({
    ...options,
    source: new Blob([bytes as Uint8Array<ArrayBuffer>]),
    name: `${i + 1}.tar`,
  }));
  const isoc = await buildLayers(
    inputs,
    { names: ["isoc/stack"], command: ["/bin/true"], created: 0 },
    inMemory,
  );
  if (path === "/dev/null") return isoc;
  await Deno.writeFile(path, isoc.stream());
  assert.equal((await Deno.stat(path)).size, isoc.size);
  return isoc;
}

/** Builds a stack as it must not be built, and gives the message. */
export async function refusal(layers: TarEntry[][]): Promise<string> {
  try {
    await buildStack(layers.map(tarOf), "/dev/null");
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  throw new Error("It was built");
}
