import { fs, tmpdir } from "./node.ts";
import { fromStream, release } from "../streams/source.ts";
import type { SpooledSource } from "../streams/spool.ts";
import { FileError } from "../errors/file_error.ts";
import { fileError } from "./errors.ts";
import { fileStream } from "./file_source.ts";
import type { Input } from "./input.ts";
import { type SpoolStore, spoolStore, Stretches } from "./spool_store.ts";

/**
 * Makes a source of bytes that can be read once only: its first stream copies
 * them to a spool file in the temporary directory, from which all others read.
 *
 * @param fd A file to close with it; -1 for none.
 * @param name What messages call it.
 */
export function openSpool(
  fd: number,
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
): Input {
  // An ended generator holds its memory as long as something refers to it.
  let rest: AsyncGenerator<Uint8Array> | undefined = chunks;
  let store: SpoolStore | undefined;
  /** Where its bytes are in the store. */
  const stretches = new Stretches();
  let complete = false;

  const spoolError = (cause: unknown) =>
    fileError(
      `Cannot keep ${name} in ${tmpdir()} (choose another directory ` +
        "with TMPDIR)",
      cause,
    );

  const fromSpool = (start: number, end: number) =>
    fileStream(
      (buffer, position) => stretches.read(store!, buffer, position),
      start,
      end,
    );

  return {
    get size() {
      return complete ? stretches.size : undefined;
    },
    // Nobody else can open it.
    isSteady: true,
    stream() {
      if (complete) return fromSpool(0, stretches.size);
      if (store) throw new FileError(`${name} is being read already`);
      try {
        store = spoolStore();
      } catch (error) {
        throw spoolError(error);
      }
      const { write } = store;
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { value, done } = await rest!.next();
          if (!done) {
            try {
              stretches.add(write(value), value.length);
            } catch (error) {
              throw spoolError(error);
            }
            controller.enqueue(value);
            return;
          }
          complete = true;
          rest = undefined;
          controller.close();
        },
        async cancel() {
          await rest?.return(undefined);
          rest = undefined;
        },
      }, { highWaterMark: 1 });
    },
    once() {
      if (store || complete) return undefined;
      const once = rest;
      rest = undefined;
      return once;
    },
    slice: (start, end) => ({
      stream: () => fromSpool(start, Math.min(end, stretches.size)),
    }),
    fill: (buffer, start) => stretches.read(store!, buffer, start),
    close() {
      store?.release();
      store = undefined;
      if (fd > 0) fs.closeSync(fd);
      fd = -1;
    },
  };
}

/**
 * Spools a layer that cannot stay as it is to a file.
 *
 * @param chunks Its bytes; read to their end.
 * @returns The same bytes, to be read as often as needed.
 */
export async function spoolLayer(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<Input> {
  return await spooled("a layer", chunks);
}

/** As {@linkcode spoolLayer}, of an input with a name for messages. */
export async function spooled(
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
): Promise<Input> {
  const input = openSpool(-1, name, chunks);
  for await (const chunk of fromStream(input.stream())) release(chunk);
  return input;
}

/**
 * Spools the bytes of a stream to a file of the temporary directory (`TMPDIR`),
 * which is gone when it is closed, or when the process ends. Memory stays flat
 * whatever the size; Deno needs `--allow-write` and `--allow-read` for the
 * directory, and `--allow-env` to find it.
 *
 * @param stream The bytes. Its chunks are copied.
 * @returns The same bytes, to be read as often as needed until they are closed.
 * @throws {Error} If the disk is full or the file cannot be made.
 *
 * @example
 * ```ts
 * import { spoolToFile } from "@isoc/isoc/node";
 * import assert from "node:assert/strict";
 *
 * const kept = await spoolToFile(new Blob(["make container"]).stream());
 * assert.equal(await new Response(kept.stream()).text(), "make container");
 * kept.close?.();
 * ```
 */
export async function spoolToFile(
  stream: ReadableStream<Uint8Array>,
): Promise<SpooledSource> {
  return await spoolLayer(copies(stream));
}

/** A stream's chunks, copied: their reader may release the copies. */
async function* copies(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of fromStream(stream)) yield chunk.slice();
}
