import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { PassingError } from "./retry.ts";

/** Milliseconds without a byte after which an answer has broken off. */
export const PATIENCE = 120_000;

/** Cancels an answer of which nothing comes any more. */
export class Patience {
  readonly #milliseconds: number;
  readonly #timer: ReturnType<typeof setInterval>;
  // Whoever takes the bytes may be slow, too: only what is waited for counts.
  #isWaiting = false;
  #isNew = true;
  #isLate = false;

  /**
   * @param reader What reads the answer.
   * @param milliseconds How long nothing may come.
   */
  constructor(
    reader: { cancel(): Promise<void> },
    milliseconds: number = PATIENCE,
  ) {
    this.#milliseconds = milliseconds;
    this.#timer = setInterval(() => {
      this.#isLate = this.#isWaiting && !this.#isNew;
      this.#isNew = false;
      if (this.#isLate) void reader.cancel().catch(() => {});
    }, milliseconds);
  }

  /**
   * Waits for the next bytes.
   *
   * @throws {PassingError} If they do not come.
   */
  async with<T>(read: Promise<T>): Promise<T> {
    this.#isWaiting = true;
    this.#isNew = true;
    const result = await read;
    this.#isWaiting = false;
    if (!this.#isLate) return result;
    throw new PassingError(
      `Nothing came for ${this.#milliseconds / 1000} seconds`,
    );
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/**
 * An answer's bytes as they come; it is cancelled when the loop over them ends
 * early.
 *
 * @param stream The answer's body.
 * @param milliseconds How long nothing may come.
 * @throws {PassingError} If nothing comes any more.
 */
export async function* arriving(
  stream: ReadableStream<Uint8Array>,
  milliseconds?: number,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const patience = new Patience(reader, milliseconds);
  let isDone = false;
  try {
    for (;;) {
      const { value, done } = await patience.with(reader.read());
      isDone = done;
      if (done) return;
      yield value;
    }
  } finally {
    patience.end();
    if (!isDone) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

/**
 * An encoding that an answer's bytes have on the way, which nobody asks for: what
 * comes are other bytes then.
 *
 * @returns `undefined` if they have none.
 */
export function encodingOf({ headers }: Response): string | undefined {
  const encoding = headers.get("content-encoding")?.trim() ?? "";
  return ["", "identity"].includes(encoding.toLowerCase())
    ? undefined
    : encoding;
}

/** The error for an answer whose encoding is wrong. */
export function encodingError(what: string, encoding: string): InputError {
  return new InputError(
    `${what} comes with the content-encoding ${shownWord(encoding)}, which ` +
      "nobody asked for: whoever runs the registry, or a proxy before it, can " +
      "turn that off",
  );
}

/**
 * Reads a whole answer.
 *
 * @param response The answer.
 * @param limit Bytes that it may have at most.
 * @param what What is read, for errors.
 * @throws {InputError} If it is longer, or does not have the encoding that it
 * says.
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
    for await (const chunk of arriving(response.body)) {
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
    const encoding = encodingOf(response);
    if (encoding !== undefined) throw encodingError(what, encoding);
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
