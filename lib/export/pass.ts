import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import type { Globals } from "../tar/pax.ts";
import { concat, equalBytes } from "../streams/bytes.ts";
import type { SinkCopy } from "../streams/sink.ts";
import type { Entry } from "../tar/entry.ts";
import { normalizePath } from "../tar/path.ts";
import { Pieces } from "../tar/pieces.ts";
import type { TarData, TarHeader } from "../tar/items.ts";
import { TarReader } from "../tar/reader.ts";
import { hasSkipHeader, SKIP_HEADER } from "../tar/skip_header.ts";
import { rebuild } from "../tar/rebuild.ts";
import {
  BlobCheck,
  checkDigest,
  type Claim,
  type HashBeside,
} from "./blob_check.ts";
import type { BlobCopies } from "./blob_copies.ts";
import { FaceMissingError } from "./face_missing_error.ts";

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
  /** Bytes to write before it, in whole blocks. */
  before?: Uint8Array;
  /** Its header blocks: its `"own"`, or other ones, which may be none. */
  header: Uint8Array | "own";
  /** Its data: with their padding, alone, or left out. */
  data: "padded" | "bare" | "none";
  /** What the data must be; checked before the end of them is passed on. */
  claim?: Claim | undefined;
  /** Gets the data, piece by piece, without padding. */
  onData?: (bytes: Uint8Array) => void;
  /**
   * Is called when the data have come, before the end of them is passed on;
   * may give bytes to write after the entry, in whole blocks.
   */
  onEnd?: () => Uint8Array | void;
}

/** The fate of an entry that stays as it is. */
export const KEEP: Fate = { header: "own", data: "padded" };

/** What {@linkcode passEntries} asks what to do. */
export interface Decider {
  /** Says what becomes of an entry; nothing at all unless a fate is given. */
  entry(passing: Passing): Fate | undefined;
  /** Whether nothing more of the archive is wanted; asked before an entry. */
  isDone?(path: Uint8Array): boolean;
  /** Is called at the end of the archive; gives what is written there. */
  end(): Uint8Array[];
}

/** Options of {@linkcode passEntries}. */
export interface PassOptions {
  /**
   * Whether to read to the end even if nothing more is wanted: the program that
   * writes into a pipe fails when nobody reads it.
   */
  drain?: boolean;
  hashBeside?: HashBeside | undefined;
  /** Brings large files to where the output is written, if there is that. */
  copies?: BlobCopies | undefined;
}

/**
 * Passes a tar's entries on, in order and in constant memory: each one as it is,
 * changed or not at all, as the decider says. Large stretches are not copied.
 *
 * The closing blocks of zeros are left out: the decider adds them.
 *
 * @param blocks The tar, in buffers of whole blocks. Released.
 * @throws {InputError} If it is no tar, is cut short, or has a path that climbs
 * out.
 */
export async function* passEntries(
  blocks: AsyncIterable<Uint8Array>,
  decider: Decider,
  options: PassOptions = {},
): AsyncGenerator<Uint8Array> {
  const tar: TarReader = new TarReader(
    options.copies?.around(blocks, () => tar) ?? blocks,
  );
  const passage = new Passage(tar, decider, options);
  let isDone = false;
  try {
    for await (const buffer of tar.buffers()) {
      const pieces = new Pieces(buffer);
      for (let item; (item = tar.next());) {
        if (item.part === "header") {
          isDone = decider.isDone?.(pathOf(item.entry)) ?? false;
          if (isDone) tar.ignoreRest();
          else passage.begin(item, pieces);
        } else if (item.part === "data") {
          const waiting = passage.data(item, buffer, pieces);
          if (waiting) await waiting;
        }
      }
      const made = pieces.take();
      if (made === buffer) tar.take();
      if (passage.held.length > 0) yield passage.held;
      passage.held = made;
      if (passage.isCopied) yield* passage.copied();
      if (isDone && !options.drain) break;
    }
  } finally {
    passage.cancel();
  }
  if (tar.size === 0 && !isDone) {
    throw new InputError("The input is empty; make or fetch it again");
  }
  const last = concat(decider.end());
  if (passage.held.length > 0) yield passage.held;
  if (last.length > 0) yield last;
}

/** Brings the current entry to the output, and checks its data. */
class Passage {
  /** Bytes that pass on only when nothing is wrong with what follows them. */
  held: Uint8Array = EMPTY;
  readonly #tar: TarReader;
  readonly #decider: Decider;
  readonly #options: PassOptions;
  #fate: Fate | undefined;
  #check: BlobCheck | undefined;
  /** What brings the data to the output, in place of the pieces. */
  #copy: SinkCopy | undefined;

  constructor(tar: TarReader, decider: Decider, options: PassOptions) {
    this.#tar = tar;
    this.#decider = decider;
    this.#options = options;
  }

  /** Begins an entry. */
  begin(item: TarHeader, pieces: Pieces): void {
    const tar = this.#tar;
    const { copies, hashBeside } = this.#options;
    const fate = begin(item.entry, tar, this.#decider, pieces);
    this.#fate = fate;
    this.#check = undefined;
    if (!fate?.claim) return;
    const isSeen = fate.onData !== undefined || fate.onEnd !== undefined;
    if (!isSeen && copies?.mayCopy(item, tar)) {
      this.held = concat([this.held, pieces.take()]);
      this.#copy = copies.begin(item, tar, this.held.length);
    }
    if (this.#copy) return;
    this.#check = new BlobCheck(fate.claim, item.entry.size, hashBeside);
  }

  /** Passes a stretch of the entry's data on; waits if they are checked. */
  data(
    item: TarData,
    buffer: Uint8Array,
    pieces: Pieces,
  ): Promise<void> | undefined {
    const fate = this.#fate;
    if (!fate || this.#copy) return undefined;
    if (this.#check) return this.#checked(this.#check, item, buffer, pieces);
    take(fate, item, buffer, pieces);
    return undefined;
  }

  async #checked(
    check: BlobCheck,
    item: TarData,
    buffer: Uint8Array,
    pieces: Pieces,
  ): Promise<void> {
    const { start, dataEnd, done } = item;
    if (dataEnd > start) {
      const waiting = check.update(buffer.subarray(start, dataEnd));
      if (waiting) await waiting;
    }
    if (done) await check.end();
    take(this.#fate!, item, buffer, pieces);
  }

  /** Whether the entry's data are copied. */
  get isCopied(): boolean {
    return this.#copy !== undefined;
  }

  /** Waits for the copy of the data; gives what is left to write of them. */
  async *copied(): AsyncGenerator<Uint8Array> {
    const copy = this.#copy!;
    yield* copy.chunks();
    checkDigest(this.#fate!.claim!, await copy.hex());
    this.#copy = undefined;
  }

  cancel(): void {
    this.#check?.cancel();
    this.#copy?.cancel();
  }
}

/** Asks what becomes of an entry, and passes its header blocks on. */
function begin(
  entry: Entry,
  tar: TarReader,
  decider: Decider,
  pieces: Pieces,
): Fate | undefined {
  if (tar.shape.concatenated) {
    throw new InputError(
      "Another archive comes after the first one; export it alone",
    );
  }
  const { bytes, globals } = tar;
  const passing = { path: pathOf(entry), entry, bytes, globals };
  const fate = decider.entry(passing);
  if (!fate) return undefined;
  if (fate.before) pieces.add(fate.before);
  if (fate.header !== "own") pieces.add(fate.header);
  else if (isPlain(passing)) {
    // What such a header skips is of the archive that is read.
    const skip = hasSkipHeader(bytes, entry.start, entry.end);
    pieces.keep(entry.start + (skip ? SKIP_HEADER : 0), entry.end);
  } else pieces.add(moved(passing, passing.path));
  return fate;
}

/** Passes a stretch of an entry's data on. */
function take(
  fate: Fate,
  { start, end, dataEnd, done }: TarData,
  buffer: Uint8Array,
  pieces: Pieces,
): void {
  if (dataEnd > start) fate.onData?.(buffer.subarray(start, dataEnd));
  if (fate.data === "padded") pieces.keep(start, end);
  else if (fate.data === "bare") pieces.keep(start, dataEnd);
  const after = done && fate.onEnd?.();
  if (after) pieces.add(after);
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
    throw new FaceMissingError(
      `Entry ${shown(entry.path)} is a sparse file; ciso convert makes an ` +
        "isoc without any",
    );
  }
  return rebuild(bytes, entry, globals, {
    path: entry.kind === "directory" ? concat([path, SLASH]) : path,
    ...(link && { link }),
  });
}
