import { FileError } from "../errors/file_error.ts";
import { LEVELS, type Packing, USUAL_WINDOW } from "../streams/packing.ts";
import { firstFrame } from "../streams/zstd_frames.ts";
import { compressBlocks } from "./compress_blocks.ts";
import { compressBy } from "./compress_program.ts";
import { takeTurn } from "./fd.ts";
import { feed } from "./feed.ts";
import { ownBytes } from "./inflate.ts";
import { zlib } from "./node.ts";
import { hasZstd, zstdParams } from "./zstd.ts";

/** Compressed bytes that come at once. */
const DEFLATED = 1 << 18;

/**
 * Compresses a file, by the runtime's own code or by a program: gzip in blocks on
 * all cores, zstd and xz in one piece, so that a second copy of what the window
 * holds costs nearly nothing.
 *
 * @param chunks What is compressed. Released.
 * @returns The compressed bytes.
 * @throws {FileError} If it needs a program that is not there.
 */
export function compress(
  chunks: AsyncGenerator<Uint8Array>,
  { method, level = LEVELS[method].usual, window = USUAL_WINDOW }: Packing,
): AsyncGenerator<Uint8Array> {
  switch (method) {
    case "gzip":
      return compressBlocks(chunks, "gzip", level);
    case "zstd":
      return hasZstd()
        ? zstd(chunks, level, window)
        : compressBy("zstd", zstdArguments(level, window), chunks);
    case "xz":
      return compressBy("xz", [
        "-c",
        // One thread: several of them make blocks of their own.
        "-T1",
        `--lzma2=preset=${level},dict=${window}`,
      ], chunks);
  }
}

function zstdArguments(level: number, window: number): string[] {
  return ["-q", "-c", `-${level}`, `--long=${Math.log2(window)}`];
}

/** A stream gives the same bytes on all runtimes, unlike a call for all at once. */
async function* zstd(
  chunks: AsyncGenerator<Uint8Array>,
  level: number,
  window: number,
): AsyncGenerator<Uint8Array> {
  const { constants } = zlib();
  const packer = zlib().createZstdCompress({
    chunkSize: DEFLATED,
    params: {
      ...zstdParams(level),
      [constants.ZSTD_c_windowLog]: Math.log2(window),
      [constants.ZSTD_c_enableLongDistanceMatching]: 1,
    },
  });
  let failure: unknown;
  feed(chunks, packer).catch((error) => {
    failure = error;
    packer.destroy(error);
  });
  try {
    for await (const piece of firstFrame(packer)) {
      yield ownBytes(piece);
      await takeTurn();
    }
  } catch (error) {
    if (failure) throw failure;
    throw new FileError(
      `Cannot compress with zstd: ${(error as Error).message}; a smaller ` +
        "--window needs less memory",
      { cause: error },
    );
  } finally {
    packer.destroy();
    await chunks.return(undefined);
  }
}
