import { InputError } from "../errors/input_error.ts";
import { codeError } from "./errors.ts";
import { lostBytes } from "./fd.ts";
import { isDeno } from "./node.ts";
import { Ring, takeRing } from "./ring.ts";
import { keepThread, resultOf, startThread, type Thread } from "./threads.ts";

/** Bytes that are written at once: what Linux keeps of a pipe that is not read. */
const SIZE = 1 << 16;

/**
 * What the thread runs. It waits inside the system's calls. In the end it says
 * the code of the error, or nothing.
 */
const CODE = `
import("node:fs").then((fs) => {
  const write = (bytes) => {
    try {
      return fs.writeSync(1, bytes, 0, bytes.length, null);
    } catch (error) {
      if (error.code !== "EAGAIN" || data.isLost) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return 0;
    }
  };
  let code = "";
  try {
    ${
  takeRing(
    "for (let at = start; at < end;) at += write(ring.subarray(at, end));",
  )
}
  } catch (error) {
    code = error.code ?? "EIO";
  }
  port.postMessage(code);
});`;

/**
 * Another thread that writes standard output, which is a pipe or a device, in the
 * order in which bytes come. Meanwhile this one makes the next ones.
 */
export class WriteThread {
  readonly #ring = new Ring(SIZE);
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  #hasEnded = false;
  #failure: Error | undefined;

  constructor() {
    // Deno does not say how much it has written of what found no room.
    const data = { ...this.#ring.data, isLost: isDeno };
    const thread = startThread(CODE, data);
    this.#thread = thread;
    this.#result = resultOf(thread, () => {});
    this.#result.then((code) => {
      this.#hasEnded = true;
      if (code !== "") this.#failure = failureOf(code);
    });
  }

  /**
   * Takes bytes, which stay the caller's.
   *
   * @returns A promise if there is no room for all of them now.
   * @throws What an earlier write met.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure) throw this.#failure;
    const rest = this.#ring.take(bytes);
    return rest.length === 0 ? undefined : this.#wait(rest);
  }

  /** Waits until all is written. */
  async end(): Promise<void> {
    this.#thread?.ref();
    this.#ring.end();
    await this.#result;
    if (this.#failure) throw this.#failure;
    if (this.#thread) keepThread(this.#thread);
  }

  /** Gives up. */
  stop(): void {
    this.#ring.stop();
    void this.#thread?.terminate();
  }

  async #wait(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      await this.#ring.room(() => this.#hasEnded);
      if (this.#failure) throw this.#failure;
      rest = this.#ring.take(rest);
    }
  }
}

/** Why the thread writes no more; who catches it says what it writes. */
function failureOf(code: string | undefined): Error {
  if (code === undefined) {
    return new InputError("the thread for it has ended; try again");
  }
  return code === "EAGAIN" ? lostBytes() : codeError("It fails", code);
}
