import { fs } from "./node.ts";
import { openPlain } from "./plain_open.ts";

/** Milliseconds between the end of one and the beginning of the next. */
const PAUSE = 50;

/**
 * Has the system bring a file to the disk while it is still written, again and
 * again. The system itself may begin only when it is asked to wait for it: then
 * the whole file is left to be waited for.
 */
export class WriteBack {
  readonly #path: () => string;
  #isOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = Promise.resolve();

  /** @param path Gives the path of the file, which may be another one later. */
  constructor(path: () => string) {
    this.#path = path;
    this.#wait();
  }

  /** Begins no more, and waits for what has begun. */
  async stop(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#begin();
    }, PAUSE);
  }

  async #begin(): Promise<void> {
    try {
      await bringToDisk(this.#path());
    } catch {
      // Who asks for the whole file in the end gets the error.
    }
    if (!this.#isOver) this.#wait();
  }
}

/** Brings to the disk what is in a file now. */
async function bringToDisk(path: string): Promise<void> {
  // Under Deno nobody else can use an open file meanwhile.
  const fd = openPlain(path);
  try {
    await new Promise((resolve) => fs.fdatasync(fd, resolve));
  } finally {
    fs.closeSync(fd);
  }
}
