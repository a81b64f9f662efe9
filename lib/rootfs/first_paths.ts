import { InputError } from "../errors/input_error.ts";
import { readAt, type Source } from "../streams/source.ts";
import { padded } from "../tar/block.ts";
import { readEntry } from "../tar/read_entry.ts";
import { NODE, type PathIndex } from "./path_index.ts";
import { treePath } from "./tree_path.ts";
import { whiteoutOf } from "./whiteouts.ts";

/** How many bytes of a layer are looked at. */
const LOOKED_AT = 1 << 16;

/**
 * Puts the paths of a layer's first entries into an index: most likely, lower
 * layers' entries of these paths are replaced or deleted.
 *
 * @param layer The layer; nothing is wrong with it if it cannot be read here.
 */
export async function addFirstPaths(
  layer: Source,
  index: PathIndex,
): Promise<void> {
  const bytes = await readAt(layer, 0, LOOKED_AT);
  try {
    for (let at = 0; at < bytes.length;) {
      const entry = readEntry(bytes, at, []);
      if (typeof entry === "string" || !("kind" in entry)) return;
      const path = treePath(entry.path);
      const gone = whiteoutOf(path)?.path ?? path;
      index.add(gone, { node: NODE.file, offset: 0, link: 0 });
      at = entry.end + padded(entry.stored);
    }
  } catch (error) {
    // Whoever reads the layer says so.
    if (!(error instanceof InputError)) throw error;
  }
}
