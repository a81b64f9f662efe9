import { readFile, writeFile } from "./fd.ts";
import { leftovers } from "./leftovers.ts";
import { fs, join, tmpdir } from "./node.ts";

/** A file in the temporary directory that several spools share. */
export interface SpoolStore {
  readonly fd: number;
  /** Writes bytes at its end; gives their offset. */
  write: (bytes: Uint8Array) => number;
  /** Is called once by each user; after the last one the file is gone. */
  release: () => void;
}

/** Bytes from which on a store takes no new spools. */
const FULL = 1 << 26;

/** The store that takes new spools. */
let current: { store: SpoolStore; take(): boolean } | undefined;

/**
 * A store for a new spool. Small spools share one: an image of thousands of
 * layers must not need as many open files.
 *
 * @throws The system's error, if its file cannot be made.
 */
export function spoolStore(): SpoolStore {
  if (!current?.take()) current = newStore();
  return current.store;
}

function newStore(): { store: SpoolStore; take(): boolean } {
  const path = join(tmpdir(), `ciso-${crypto.randomUUID()}.spool`);
  const fd = fs.openSync(path, "wx+", 0o600);
  let size = 0;
  let users = 1;
  let remove = () => {};
  // A file without a name goes when the process ends, however it ends.
  try {
    fs.unlinkSync(path);
  } catch {
    remove = () => fs.unlinkSync(path);
    leftovers.add(remove);
  }
  const store: SpoolStore = {
    fd,
    write(bytes) {
      const at = size;
      writeFile(fd, bytes, at);
      size += bytes.length;
      return at;
    },
    release() {
      if (--users > 0) return;
      fs.closeSync(fd);
      remove();
      leftovers.delete(remove);
    },
  };
  return {
    store,
    take() {
      if (users === 0 || size >= FULL) return false;
      users++;
      return true;
    },
  };
}

/** Where the bytes of one spool are in its store. */
export class Stretches {
  /** Bytes that it has. */
  size = 0;
  /** Start in the spool and offset in the store, in order. */
  readonly #starts: { start: number; at: number }[] = [];

  /** Adds the next bytes. */
  add(at: number, length: number): void {
    const last = this.#starts.at(-1);
    // What follows on the last bytes is one stretch with them.
    if (!last || last.at + (this.size - last.start) !== at) {
      this.#starts.push({ start: this.size, at });
    }
    this.size += length;
  }

  /** Fills a buffer as far as the spool goes; gives the count of bytes. */
  read(
    { fd }: SpoolStore,
    buffer: Uint8Array,
    position: number,
  ): number {
    let done = 0;
    for (let i = this.#indexOf(position); i < this.#starts.length; i++) {
      const { start, at } = this.#starts[i]!;
      const end = this.#starts[i + 1]?.start ?? this.size;
      const from = position + done;
      const length = Math.min(buffer.length - done, end - from);
      if (length <= 0) break;
      const part = buffer.subarray(done, done + length);
      done += readFile(fd, part, at + (from - start));
    }
    return done;
  }

  /** The stretch that holds a position. */
  #indexOf(position: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]!.start <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
