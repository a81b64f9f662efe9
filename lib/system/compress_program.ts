import { FileError } from "../errors/file_error.ts";
import { shown } from "../errors/shown.ts";
import { feed } from "./feed.ts";
import { lacksProgram, startFilter } from "./filter_program.ts";
import { ownBytes } from "./inflate.ts";

/**
 * Compresses by a program, which writes to its standard output.
 *
 * @param program Its name, which is the compression's too.
 * @param chunks What is compressed. Released.
 * @throws {FileError} If the program is not there, or fails.
 */
export async function* compressBy(
  program: "xz" | "zstd",
  args: string[],
  chunks: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { child, ended, isMissing, missing, messages } = await startFilter(
    program,
    args,
    (cause) =>
      lacksProgram(program, cause, {
        name: "the output",
        why: `The output is to be compressed with ${program}`,
        instead: "or compress with gzip",
      }),
  );
  let failure: unknown;
  feed(chunks, child.stdin).catch((error) => {
    failure = error;
    child.kill();
  });
  try {
    try {
      for await (const chunk of child.stdout) yield ownBytes(chunk);
    } catch (error) {
      // Bun closes the stream of a program that it does not find.
      child.kill();
      await ended;
      throw isMissing() ? missing(error) : error;
    }
    const code = await ended;
    if (failure) throw failure;
    if (isMissing()) throw missing(undefined);
    if (code !== 0) {
      const [why = ""] = messages().trim().split("\n");
      throw new FileError(
        `Cannot compress: ${program} failed${why && `: ${shown(why)}`}; a ` +
          "smaller --window needs less memory",
      );
    }
  } finally {
    child.kill();
    await chunks.return(undefined);
  }
}
