/// <reference lib="dom" />
import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { compressionOf, LOOKED_AT } from "../streams/compression.ts";
import type { Source } from "../streams/source.ts";
import { blobOf } from "./blob_of.ts";

/** Bytes at most that a compressed file may hold, as for the command. */
const MAX_UNPACKED = 32 * 2 ** 30;

/**
 * Makes a source of a file that the user has chosen. It is read in pieces, so
 * that its size does not matter; what is compressed with gzip is unpacked into
 * a blob, which the browser holds on disk if it is large.
 *
 * @param onRead Gets the number of bytes that unpacking has read since the last call.
 * @throws {InputError} If the file is compressed in another way, or cannot be read.
 */
export async function openTar(
  file: File,
  onRead: (bytes: number) => void,
): Promise<Source> {
  const first = file.slice(0, LOOKED_AT);
  const compression = compressionOf(new Uint8Array(await first.arrayBuffer()));
  if (!compression) return file;
  const name = shownWord(file.name);
  if (compression !== "gzip") {
    throw new InputError(
      `${name} is compressed with ${compression}, which browsers cannot take ` +
        `off: unpack it first, with ${compression} -d`,
    );
  }
  let size = 0;
  const unpacked = counted((bytes) => {
    size += bytes;
    if (size > MAX_UNPACKED) {
      throw new InputError(`${name} holds more than 32 GiB`);
    }
  });
  const stream = file.stream().pipeThrough(counted(onRead))
    .pipeThrough(new DecompressionStream("gzip")).pipeThrough(unpacked);
  try {
    return await blobOf(stream);
  } catch (error) {
    // Of other faults browsers say only that it failed.
    if (error instanceof TypeError) {
      throw new InputError(`${name} is damaged: its gzip data is not whole`);
    }
    throw error;
  }
}

/** Passes bytes on and reports how many. */
function counted(
  onBytes: (bytes: number) => void,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      onBytes(chunk.length);
      controller.enqueue(chunk);
    },
  });
}
