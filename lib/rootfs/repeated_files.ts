import { equalBytes } from "../streams/bytes.ts";
import { fromStream, release } from "../streams/source.ts";
import { type EntryFacts, entryFacts } from "../tar/entry_facts.ts";
import { FLAG, type PathIndex } from "./path_index.ts";
import type { StoredEntries, StoredEntry } from "./stored_entries.ts";

/** Bytes of a file that is quicker to read as a whole than as a stream. */
const SMALL = 1 << 16;

/** What is looked into: a layer, or the tree below it. */
interface Entries {
  index: PathIndex;
  stored: StoredEntries;
}

/** Records that say what {@linkcode entryFacts} or nobody looks at. */
const KNOWN = new Set(
  "path linkpath size mtime atime ctime uid gid uname gname comment".split(" "),
);

/**
 * Finds the files of a layer that the tree below has already: byte for byte, with
 * the same mode, owner, time and attributes. A file with several names stays:
 * without it, the others would be one file less or more.
 */
export class RepeatedFiles {
  readonly #layer: Entries;
  readonly #below: Entries;
  /** Slots of files of the layer, each with that of its path below. */
  readonly #pairs: number[] = [];

  constructor(layer: Entries, below: Entries) {
    this.#layer = layer;
    this.#below = below;
  }

  /**
   * Notes a file, if the tree below has one of its path.
   *
   * @param path Where it goes.
   * @param slot Its slot.
   */
  note(path: Uint8Array, slot: number): void {
    const below = this.#below.index.find(path);
    if (below < 0) return;
    const same = this.#layer.index.node(slot) === this.#below.index.node(below);
    if (same) this.#pairs.push(slot, below);
  }

  /** The slots of those that are the same; call it after the last entry. */
  async *slots(): AsyncGenerator<number> {
    for (let i = 0; i < this.#pairs.length; i += 2) {
      const [slot, below] = [this.#pairs[i]!, this.#pairs[i + 1]!];
      if (await this.#isSame(slot, below)) yield slot;
    }
  }

  async #isSame(slot: number, below: number): Promise<boolean> {
    const other = FLAG.dropped | FLAG.link | FLAG.linked;
    if (this.#layer.index.has(slot, other)) return false;
    if (this.#below.index.has(below, other)) return false;
    const own = await this.#layer.stored.read(slot);
    const old = await this.#below.stored.read(below);
    // Holes are data that nobody compares here.
    if (own.entry.sparse || old.entry.sparse) return false;
    if (!sameFacts(entryFacts(own)!, entryFacts(old)!)) return false;
    if (!sameRecords(own, old) || !sameRecords(old, own)) return false;
    if (own.entry.kind !== "file") return true;
    if (own.entry.size <= SMALL) {
      return equalBytes(
        await this.#layer.stored.readFile(slot, SMALL),
        await this.#below.stored.readFile(below, SMALL),
      );
    }
    return await sameChunks(
      fromStream((await this.#layer.stored.content(slot)).stream()),
      fromStream((await this.#below.stored.content(below)).stream()),
    );
  }
}

function sameFacts(a: EntryFacts, b: EntryFacts): boolean {
  const same =
    (["type", "mode", "uid", "gid", "size", "mtime", "nanoseconds"] as const)
      .every((key) => a[key] === b[key]);
  return same && equalBytes(a.link, b.link) &&
    a.xattrs.size === b.xattrs.size &&
    [...a.xattrs].every(([name, value]) => {
      const other = b.xattrs.get(name);
      return other !== undefined && equalBytes(value, other);
    });
}

/** Whether all other records of an entry are in another one. */
function sameRecords(
  { entry, globals }: StoredEntry,
  other: StoredEntry,
): boolean {
  const others = new Map([...other.globals, ...other.entry.records]);
  return [...globals, ...entry.records].every(([key, value]) => {
    if (KNOWN.has(key) || key.startsWith("SCHILY.xattr.")) return true;
    const found = others.get(key);
    return found !== undefined && equalBytes(value, found);
  });
}

/** Whether two streams have the same bytes, wherever they are cut. */
async function sameChunks(
  one: AsyncGenerator<Uint8Array>,
  two: AsyncGenerator<Uint8Array>,
): Promise<boolean> {
  const a = new Rest(one);
  const b = new Rest(two);
  try {
    for (;;) {
      if (a.bytes.length === 0) await a.next();
      if (b.bytes.length === 0) await b.next();
      const length = Math.min(a.bytes.length, b.bytes.length);
      if (length === 0) return a.bytes.length === b.bytes.length;
      if (
        !equalBytes(a.bytes.subarray(0, length), b.bytes.subarray(0, length))
      ) {
        return false;
      }
      a.skip(length);
      b.skip(length);
    }
  } finally {
    await a.end();
    await b.end();
  }
}

/** What is left of a stream's newest chunk. */
class Rest {
  bytes: Uint8Array = new Uint8Array(0);
  readonly #chunks: AsyncGenerator<Uint8Array>;
  #chunk: Uint8Array | undefined;

  constructor(chunks: AsyncGenerator<Uint8Array>) {
    this.#chunks = chunks;
  }

  skip(length: number): void {
    this.bytes = this.bytes.subarray(length);
  }

  async next(): Promise<void> {
    this.#release();
    const { value } = await this.#chunks.next();
    if (value) this.bytes = this.#chunk = value;
  }

  async end(): Promise<void> {
    this.#release();
    await this.#chunks.return(undefined);
  }

  /** Gives its memory back: tens of thousands of files would pile up. */
  #release(): void {
    if (this.#chunk) release(this.#chunk);
    this.#chunk = undefined;
    this.bytes = new Uint8Array(0);
  }
}
