/// <reference lib="dom" />
import { fromStream, toStream } from "../streams/source.ts";

/** The browser has no room for a blob. */
export class NoRoomError extends Error {
  override name = "NoRoomError";
}

/**
 * Keeps a stream's bytes in a blob, which browsers have on disk if it is large.
 *
 * @throws {NoRoomError} If the browser did not keep it.
 * @throws {Error} What the stream fails with.
 */
export async function blobOf(
  stream: ReadableStream<Uint8Array>,
): Promise<Blob> {
  let blob;
  let failure: unknown;
  const watched = async function* () {
    try {
      yield* fromStream(stream);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    // Blobs joined to a large one cannot always be read in Chromium; this one can.
    blob = await new Response(toStream(watched()) as BodyInit).blob();
    // One that found no room says so only when it is read.
    await blob.slice(-1).arrayBuffer();
  } catch {
    // Of a stream's error, browsers say only that there is one.
    if (failure !== undefined) throw failure;
    throw new NoRoomError(
      "The browser has no room for so much: make room on the disk, leave its " +
        "private mode, or take the command",
    );
  }
  return blob;
}
