import { utf8 } from "../streams/bytes.ts";
import {
  type Read,
  savedBelow,
  savedForm,
  type SavedImage,
} from "../read/saved_forms.ts";
import type { Tree } from "./tree.ts";

/** How many bytes of a document are read; its signs are in its first lines. */
const HEAD = 1 << 12;

/** What makes an isoc of a saved image. */
const REMEDY = "make an isoc of it with ciso convert";

/**
 * Whether a tree is not a root file system, but an image that a tool has
 * saved: then it has the tool's documents at its top, or in the only directory
 * there, and no engine could run anything in it.
 *
 * @param tree The tree.
 * @returns What it is, such as "an OCI image layout", and what to do with it, or
 * `undefined`.
 */
export async function savedImage(
  tree: Tree,
): Promise<SavedImage | undefined> {
  const decoder = new TextDecoder();
  const read: Read = async (path) => {
    const file = await tree.files.read(utf8(path), HEAD);
    return file && decoder.decode(file.bytes);
  };
  const has = (path: string) => tree.index.find(utf8(path)) >= 0;
  const name = await savedForm(read, has);
  if (name !== undefined) return { name, remedy: REMEDY };
  // A name that is not UTF-8 is another one here, and can be too long.
  const directory = tree.top.name;
  if (directory === undefined || !has(directory)) return undefined;
  return await savedBelow(directory, read, has);
}
