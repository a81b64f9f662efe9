import { allocate, CHUNK } from "../streams/source.ts";
import { readPipe } from "./fd.ts";
import { fs } from "./node.ts";
import { PipeThread } from "./pipe_thread.ts";
import { paysThread } from "./threads.ts";

/**
 * What comes out of a pipe or a device after its first chunk. Another thread
 * reads standard input once it has given so many bytes that this pays; until
 * the thread has started, this one goes on.
 */
export async function* pipeChunks(fd: number): AsyncGenerator<Uint8Array> {
  // Deno knows the numbers of other files in one thread alone.
  const isPiped = fd === 0 && fs.fstatSync(fd).isFIFO();
  let thread: PipeThread | undefined;
  try {
    for (let size = CHUNK, count = CHUNK; count === CHUNK; size += count) {
      if (thread?.isReady) return yield* thread.chunks();
      if (isPiped && !thread && paysThread(size)) thread = new PipeThread();
      const buffer = allocate(CHUNK);
      count = await readPipe(fd, buffer);
      if (count > 0) yield count < CHUNK ? buffer.slice(0, count) : buffer;
    }
  } finally {
    thread?.stop();
  }
}
