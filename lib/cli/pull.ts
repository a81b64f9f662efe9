import { parseReference } from "../registry/reference.ts";
import { shownWord } from "../errors/shown.ts";
import { convertFile } from "./convert.ts";
import { named } from "./failure.ts";
import { checkReference, otherRemedy } from "./foreign_words.ts";
import type { Parsed } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs `ciso pull`: an image in a registry becomes an isoc.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If the image is not there, or the registry refuses.
 */
export async function runPull(parsed: Parsed): Promise<void> {
  const [word, ...more] = parsed.words;
  if (word === undefined || more.length > 0) {
    throw new UsageError(
      "ciso pull takes one reference, such as localhost:5000/me/app:1.0" +
        (more.length === 1
          ? `; the file to write goes after -o: -o ${shownWord(more[0])}`
          : ""),
    );
  }
  checkReference(
    word,
    (from) => otherRemedy(from) ?? `ciso convert ${shownWord(from)}`,
  );
  named(undefined, () => parseReference(word));
  await convertFile(word.replace(/^(docker:\/\/)?/, "docker://"), parsed);
}
