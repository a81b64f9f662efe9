import { FileError } from "../errors/file_error.ts";
import type { Compression } from "../streams/compression.ts";
import { feed } from "./feed.ts";
import { lacksProgram, startFilter } from "./filter_program.ts";
import { damaged, ownBytes } from "./inflate.ts";
import { windowError } from "./unpack_limits.ts";

/** Bytes that xz needs besides its window. */
const XZ_MEMORY = 2 ** 22;

/**
 * Takes a compression off by the program of the same name.
 *
 * @param chunks The compressed bytes. Released.
 * @param name What messages call them.
 * @param maxWindow Bytes that the window may have at most.
 * @throws {FileError} If the program is not there, or refuses the bytes.
 */
export async function* decompressBy(
  compression: Compression,
  chunks: AsyncGenerator<Uint8Array>,
  name: string,
  maxWindow: number,
): AsyncGenerator<Uint8Array> {
  const program = await startFilter(
    compression,
    argsOf(compression, maxWindow),
    (cause) =>
      lacksProgram(compression, cause, {
        name,
        why: `${name} is compressed with ${compression}`,
        instead: "or decompress the file first",
      }),
  );
  const { child, ended, missing, messages } = program;
  feed(chunks, child.stdin).catch((error) => child.stdout.destroy(error));
  try {
    try {
      for await (const chunk of child.stdout) yield ownBytes(chunk);
    } catch (error) {
      // Bun closes the stream of a program that it does not find.
      child.kill();
      await ended;
      throw program.isMissing() ? missing(error) : error;
    }
    const code = await ended;
    if (program.isMissing()) throw missing(undefined);
    if (code !== 0) {
      // xz names the limit, in whatever language.
      throw compression === "xz" && messages().includes("MiB")
        ? windowError(name, compression, maxWindow)
        : damaged(name, compression);
    }
    // bzip2 passes over it, and says so in English only.
    if (messages().includes("trailing garbage")) {
      throw new FileError(
        `${name}: something else follows the ${compression} data`,
      );
    }
  } finally {
    child.kill();
  }
}

function argsOf(compression: Compression, maxWindow: number): string[] {
  switch (compression) {
    case "zstd":
      // It refuses windows above 128 MiB unless asked for more; ZstdFrames has
      // the limit.
      return ["-dc", "--long=31"];
    case "xz":
      return ["-dc", `--memlimit-decompress=${maxWindow + XZ_MEMORY}`];
    default:
      return ["-dc"];
  }
}
