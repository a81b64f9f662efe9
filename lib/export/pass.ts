import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import type { Globals } from "../tar/pax.ts";
import { concat, equalBytes } from "../streams/bytes.ts";
import { release } from "../streams/source.ts";
import { carry, TarCursor } from "../tar/cursor.ts";
import type { Entry } from "../tar/entry.ts";
import { normalizePath } from "../tar/path.ts";
import { rebuild } from "../tar/rebuild.ts";

const EMPTY = new Uint8Array(0);
const SLASH = Uint8Array.of(0x2f);

/** An entry of the archive that is read, for {@linkcode passEntries}. */
export interface Passing {
  /** Its path without `./`, slashes at the ends and the like. */
  path: Uint8Array;
  entry: Entry;
  /** The buffer that it was read from; changed or gone when the next one comes. */
  bytes: Uint8Array;
  /** Records of PAX global headers in force. */
  globals: Globals;
}

/** What becomes of an entry. */
export interface Fate {
  /** Bytes to write in front of it, in whole blocks. */
  before?: Uint8Array;
  /** Its header blocks: its `"own"`, or other ones, which may be none. */
  header: Uint8Array | "own";
  /** Its data: with their padding, alone, or left out. */
  data: "padded" | "bare" | "none";
  /** Is given the data, piece by piece, without padding. */
  onData?: (bytes: Uint8Array) => void;
  /**
   * Is called when the data have come, before the end of them is passed on;
   * may give bytes to write behind the entry, in whole blocks.
   */
  onEnd?: () => Uint8Array | void;
}

/** The fate of an entry that stays as it is. */
export const KEEP: Fate = { header: "own", data: "padded" };

/** How {@linkcode passEntries} is told what to do. */
export interface Decider {
  /** Says what becomes of an entry; nothing at all unless a fate is given. */
  entry(passing: Passing): Fate | undefined;
  /** Is called at the end of the archive; gives what is written there. */
  end(): Uint8Array[];
}

/**
 * Passes a tar's entries on, in order and in constant memory: each one as it is,
 * changed or not at all, as the decider says. Large stretches are not copied.
 *
 * The closing blocks of zeros are left out: they are the decider's.
 *
 * @param blocks The tar, in buffers of whole blocks. Released.
 * @throws {InputError} If it is no tar, is cut short, or has a path that climbs
 * out.
 */
export async function* passEntries(
  blocks: AsyncIterable<Uint8Array>,
  decider: Decider,
): AsyncGenerator<Uint8Array> {
  const cursor = new TarCursor();
  let rest: Uint8Array = EMPTY;
  let offset = 0;
  /** The entry whose data are where the cursor is. */
  let fate: Fate | undefined;
  /** Bytes of its data still to come. */
  let awaited = 0;
  /** What is passed on only when nothing is wrong with what follows it. */
  let held: Uint8Array = EMPTY;

  for await (const block of blocks) {
    const buffer = carry(rest, block);
    if (buffer !== block) release(block);
    cursor.feed(buffer, offset);
    const pieces = new Pieces(buffer);

    /** Ends the entry, if all of its data have come. */
    const finish = () => {
      if (!fate?.onEnd || awaited > 0) return;
      const behind = fate.onEnd();
      fate = { ...fate, onEnd: undefined };
      if (behind) pieces.add(behind);
    };
    /** Takes the stretch of the buffer that is the entry's data and padding. */
    const take = (start: number, end: number) => {
      if (!fate) return;
      const data = Math.min(awaited, end - start);
      if (data > 0) fate.onData?.(buffer.subarray(start, start + data));
      awaited -= data;
      if (fate.data === "padded") pieces.keep(start, end);
      else if (fate.data === "bare") pieces.keep(start, start + data);
    };

    for (;;) {
      const before = cursor.position - offset;
      const item = cursor.next();
      const start = item ? item.start : cursor.position - offset;
      take(before, start);
      finish();
      if (!item) break;
      fate = undefined;
      if (!("kind" in item)) continue;
      if (cursor.shape.concatenated) {
        throw new InputError(
          "Another archive stands behind the first one; export it alone",
        );
      }
      const passing = {
        path: pathOf(item),
        entry: item,
        bytes: buffer,
        globals: cursor.globals,
      };
      fate = decider.entry(passing);
      awaited = item.stored;
      if (!fate) continue;
      if (fate.before) pieces.add(fate.before);
      if (fate.header !== "own") pieces.add(fate.header);
      else if (isPlain(passing)) pieces.keep(item.start, item.end);
      else pieces.add(moved(passing, passing.path));
    }
    const end = cursor.position - offset;
    rest = buffer.slice(end);
    offset += end;
    const made = pieces.take();
    if (made !== buffer) release(buffer);
    if (held.length > 0) yield held;
    held = made;
  }
  if (offset + rest.length === 0) throw new InputError("The input is empty");
  cursor.finish(rest);
  const last = concat(decider.end());
  if (held.length > 0) yield held;
  if (last.length > 0) yield last;
}

function pathOf(entry: Entry): Uint8Array {
  try {
    return normalizePath(entry.path);
  } catch (error) {
    throw new InputError(
      `Entry ${shown(entry.path)}: ${(error as Error).message}`,
    );
  }
}

/** Whether an entry's header blocks can stay: nothing about its path is odd. */
function isPlain({ path, entry, globals }: Passing): boolean {
  if (globals.size > 0) return false;
  const { length } = path;
  return equalBytes(entry.path, path) ||
    (entry.path.length === length + 1 && entry.path[length] === SLASH[0] &&
      equalBytes(entry.path.subarray(0, length), path));
}

/**
 * An entry's header blocks for another place.
 *
 * @param link Where a hard link leads to there.
 */
export function moved(
  { entry, bytes, globals }: Passing,
  path: Uint8Array,
  link?: Uint8Array,
): Uint8Array {
  if (entry.sparse) {
    throw new InputError(
      `Entry ${shown(entry.path)} is a sparse file; ciso convert makes an ` +
        "isoc without any",
    );
  }
  return rebuild(bytes, entry, globals, {
    path: entry.kind === "directory" ? concat([path, SLASH]) : path,
    ...(link && { link }),
  });
}

/** What a buffer becomes: stretches of it and new bytes, in order. */
class Pieces {
  readonly #buffer: Uint8Array;
  readonly #done: Uint8Array[] = [];
  #start = 0;
  #end = 0;

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  keep(start: number, end: number): void {
    if (start === end) return;
    if (start !== this.#end) this.#flush(start);
    this.#end = end;
  }

  add(bytes: Uint8Array): void {
    this.#flush(this.#end);
    if (bytes.length > 0) this.#done.push(bytes);
  }

  /** All of it in one array, which is the buffer itself where that is the same. */
  take(): Uint8Array {
    this.#flush(this.#end);
    const [first] = this.#done;
    if (!first) return EMPTY;
    const whole = this.#done.length === 1 && first.buffer ===
        this.#buffer.buffer &&
      first.length === this.#buffer.length;
    return whole ? this.#buffer : concat(this.#done);
  }

  #flush(next: number): void {
    if (this.#end > this.#start) {
      this.#done.push(this.#buffer.subarray(this.#start, this.#end));
    }
    this.#start = this.#end = next;
  }
}
