import { fromStream, type Source, toStream } from "../streams/source.ts";
import { type ExportFace, exportFace as exportChunks } from "./export_face.ts";

/**
 * Takes one face out of an isoc: an archive that one family of engines knows as its
 * own, without the others' files. Layers and documents are checked against their
 * digests as they pass; when one is damaged, the stream fails before the last bytes of
 * it.
 *
 * @param source The isoc, uncompressed. A `Blob` will do.
 * @param face What to take out. `rootfs` is the layer itself, byte for byte; of
 * several layers it is the tree that they make together.
 * @returns The archive of that face.
 * @throws {InputError} If it is no isoc, or has nothing to make that face of. The
 * stream throws it too, for what comes later.
 *
 * @example
 * ```ts
 * import { build, exportFace } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const { stdout } = await new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "."],
 * }).output();
 * const isoc = await build(new Blob([stdout]), {
 *   names: ["isoc/tests:1.0"],
 *   command: ["/bin/sh"],
 * });
 * const file = await new Response(isoc.stream()).blob();
 *
 * const rootfs = await new Response(await exportFace(file, "rootfs")).bytes();
 * assert.deepEqual(rootfs, stdout);
 * ```
 */
export async function exportFace(
  source: Source,
  face: ExportFace,
): Promise<ReadableStream<Uint8Array>> {
  const chunks = fromStream(source.stream());
  const { chunks: archive } = await exportChunks(
    chunks,
    face,
    // A source needs no copy to be read again.
    async (blocks) => {
      await blocks.return(undefined);
      return source;
    },
  );
  return toStream(archive);
}
