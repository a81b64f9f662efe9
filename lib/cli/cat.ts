import { InputError } from "../errors/input_error.ts";
import { fileContent, readImageTree } from "../inspect/layer_tars.ts";
import { utf8 } from "../streams/bytes.ts";
import { toStream } from "../streams/source.ts";
import { unpackOnce, withImage, wordsOf } from "./image_input.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits, writeOutput } from "./output.ts";
import { plain } from "./style.ts";

/**
 * Runs `ciso cat`: prints a file of an image's tree, symlinks followed.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If there is no such file in the image.
 */
export async function runCat(parsed: Parsed): Promise<void> {
  const [path, file] = wordsOf(parsed, "cat", 2, 2) as [string, string];
  await withImage(path, parsed, async ({ opened, image }) => {
    const { layered, tars } = await readImageTree(
      image,
      opened.archive,
      unpackOnce(unpackLimits(parsed)),
    );
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
    const { layer, place } = tree.origin(node);
    const { tar } = tars[layer]!;
    await writeOutput(toStream(fileContent(tar!, place)), undefined);
  });
}
