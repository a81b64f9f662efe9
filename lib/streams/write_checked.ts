import { InputError } from "../errors/input_error.ts";
import type { Sink } from "./sink.ts";
import type { HashBeside } from "./source.ts";

/** A file that is written into a {@linkcode Sink}. */
export interface LentFile {
  /** What messages call it. */
  path: string;
  /** In bytes. */
  size: number;
  /**
   * Its bytes; they fail at their end if they have another digest. Each chunk is
   * the reader's only until it asks for the next one.
   *
   * @param hash What hashes the bytes that have been read; here
   * unless given.
   */
  lent(hash?: Pick<HashBeside, "hex">): AsyncGenerator<Uint8Array>;
}

/**
 * Writes a file. What it has is hashed in another thread if that saves time.
 *
 * @param file The file.
 * @param sink Where it goes.
 * @param start Offset there.
 * @param onBytes Gets the number of bytes of each write.
 * @throws {InputError} If it has another digest, or another size.
 */
export async function writeChecked(
  { path, size, lent }: LentFile,
  sink: Sink,
  start: number,
  onBytes: (count: number) => void,
): Promise<void> {
  const hash = sink.hashShared(start, size);
  let at = start;
  try {
    for await (const bytes of lent(hash)) {
      // The next one's place must stay its own.
      if (at + bytes.length > start + size) break;
      sink.write(bytes, at);
      at += bytes.length;
      hash?.advance(at);
      onBytes(bytes.length);
      await sink.pause();
    }
  } finally {
    hash?.cancel();
  }
  if (at !== start + size) {
    throw new InputError(`${path} has another size than its manifest says`);
  }
}
