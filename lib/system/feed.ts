import type { Writable } from "./node.ts";
import { release } from "../streams/source.ts";

/**
 * Writes chunks into a stream and ends it. Each chunk waits until the stream
 * has used the one before, which is then released: a queue of them, left to the
 * garbage collector, takes tens of megabytes.
 *
 * A stream that takes no more, or that its reader destroys, is no failure here:
 * what reads the stream's other end knows what that means.
 *
 * @param onUsed Gets each chunk that was used; releases it unless given.
 * @throws What the chunks' own source throws.
 */
export async function feed(
  chunks: AsyncIterable<Uint8Array>,
  stream: Writable,
  onUsed: (chunk: Uint8Array) => void = release,
): Promise<void> {
  let answer = (_isOpen: boolean) => {};
  let isOpen = true;
  const close = () => {
    isOpen = false;
    answer(false);
  };
  stream.on("error", close);
  stream.on("close", close);
  for await (const chunk of chunks) {
    if (!isOpen) break;
    const written = await new Promise<boolean>((resolve) => {
      answer = resolve;
      stream.write(chunk, (error) => resolve(!error));
    });
    if (!written) break;
    onUsed(chunk);
  }
  stream.end();
}
