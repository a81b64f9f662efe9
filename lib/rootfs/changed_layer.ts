import { FileStretches } from "../streams/file_stretches.ts";
import { fromStream, type Making, type Source } from "../streams/source.ts";
import { closing } from "../tar/header.ts";
import { Pieces } from "../tar/pieces.ts";
import { TarReader } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { relocatedPieces, rootHeader } from "./relocate.ts";
import type { Tree } from "./tree.ts";

/** The bytes of a layer that cannot be the input as it is. */
export async function* changedLayer(
  source: Source,
  tree: Tree,
): AsyncGenerator<Uint8Array> {
  for await (const made of changedPieces(fromStream(source.stream()), tree)) {
    const bytes = made instanceof Pieces ? made.take() : made;
    if (bytes.length > 0) yield bytes;
  }
}

/** How two threads make such a layer, if the input is in a file. */
export function changedMaking(
  { place }: Source,
  tree: Tree,
): Making | undefined {
  return place && {
    patchwork: new FileStretches(place),
    async *pieces(chunks) {
      for await (const made of changedPieces(chunks, tree)) {
        yield made instanceof Pieces ? made.cut() : [made];
      }
    },
  };
}

async function* changedPieces(
  chunks: AsyncIterable<Uint8Array>,
  tree: Tree,
): AsyncGenerator<Pieces | Uint8Array> {
  const root = rootHeader(tree, "./");
  if (root) yield root;
  yield* relocatedPieces(new TarReader(wholeBlocks(chunks)), tree, {
    prefix: "",
  });
  yield closing();
}
