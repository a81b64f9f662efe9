import { InputError } from "../errors/input_error.ts";
import { fromStream } from "../streams/source.ts";
import { PassingError } from "./retry.ts";

/**
 * Reads a whole answer.
 *
 * @param response The answer.
 * @param limit Bytes that it may have at most.
 * @param what What is read, for errors.
 * @throws {InputError} If it is longer.
 * @throws {PassingError} If the connection breaks.
 */
export async function readBody(
  response: Response,
  limit: number,
  what: string,
): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of fromStream(response.body)) {
      size += chunk.length;
      if (size > limit) {
        throw new InputError(
          `${what} is longer than ${limit} bytes: is this a registry?`,
        );
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new PassingError(`${what} broke off`, { cause: error });
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Lets go of an answer that nobody reads, so that its connection is free. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}
