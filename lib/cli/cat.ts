import { InputError } from "../errors/input_error.ts";
import { fileContent, readImageTree } from "../inspect/layer_tars.ts";
import type { LayeredTree } from "../inspect/layered_tree.ts";
import { utf8 } from "../streams/bytes.ts";
import { toStream } from "../streams/source.ts";
import { unpackOnce, withImage, wordsOf } from "./image_input.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits, writeOutput } from "./output.ts";
import { plain } from "./style.ts";

/**
 * Runs `ciso cat`: prints files of an image's tree one after the other, symlinks
 * followed. If one is not there, it prints none.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If there is no such file in the image.
 */
export async function runCat(parsed: Parsed): Promise<void> {
  const [path, ...files] = wordsOf(
    parsed,
    "ciso cat takes an image and paths in it",
    2,
    Infinity,
  );
  await withImage(path!, parsed, async ({ opened, image }) => {
    const { layered, tars } = await readImageTree(
      image,
      opened.archive,
      unpackOnce(unpackLimits(parsed)),
    );
    const found = files.map((file) => fileNode(layered, file));
    async function* contents(): AsyncGenerator<Uint8Array> {
      for (const node of found) {
        const { layer, place } = layered.tree.origin(node);
        yield* fileContent(tars[layer]!.tar!, place);
      }
    }
    await writeOutput(toStream(contents()), undefined);
  });
}

/** The file that a path leads to. */
function fileNode(layered: LayeredTree, file: string): number {
  const node = layered.follow(utf8(file));
  const name = plain(file);
  if (node === undefined) {
    throw new InputError(`There is no ${name} in the image's tree`);
  }
  const { tree } = layered;
  if (tree.type(node) !== "file" && tree.target(node) === undefined) {
    throw new InputError(
      `${name} is a ${tree.type(node)}, which has no content`,
    );
  }
  return node;
}
