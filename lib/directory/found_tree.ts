import { asciiText, concat } from "../streams/bytes.ts";
import { release } from "../streams/source.ts";
import { joinPath } from "../tar/path.ts";
import type { FileFacts } from "./file_facts.ts";
import { type FoundFacts, foundFacts, KINDS, numberAt } from "./found_facts.ts";
import { Texts } from "./texts.ts";

/** Where each number of a row is that has 32 bits. */
const ROW = {
  /** The place of its name and a symlink's target, with a slash between. */
  text: 0,
  nameLength: 1,
  child: 2,
  next: 3,
  count: 4,
  /** find's letter; 0 if find has printed something else of the file. */
  letter: 5,
  mode: 6,
  uid: 7,
  gid: 8,
  nanoseconds: 9,
  links: 10,
  stamp: 11,
  /** The place of the inode's digits, where a double rounds the number. */
  digits: 12,
  width: 13,
} as const;

/** Where each number of a row is that may be larger. */
const WIDE = { size: 0, seconds: 1, dev: 2, ino: 3, width: 4 } as const;

/** In the place of a count: it is not known. */
const UNKNOWN = 0xffffffff;

/**
 * Rows on a page, and bytes of text on one. The system counts only what has been
 * written, and gets all back when so large a page is released: of smaller ones
 * the C library keeps what it had (mallopt(3), M_MMAP_THRESHOLD).
 */
const PAGE = 1 << 18;
const TEXT_PAGE = 1 << 26;

const EMPTY = new Uint8Array(0);
const SLASH = 0x2f;
const DIRECTORY = 0x64;

/** Some rows of the tree. */
interface Page {
  rows: Uint32Array;
  wide: Float64Array;
}

/**
 * A tree as GNU find has seen it: what each file is, and which directory holds
 * which files, at 84 bytes a file and their names. What find prints is read while
 * it looks for more.
 */
export class FoundTree {
  /** How many files there are. The root is the first one. */
  length = 0;
  /** Whether find has said that it could not read something. */
  hasGaps = false;
  readonly #texts = new Texts(TEXT_PAGE);
  readonly #pages: Page[] = [];
  /** The newest file of each depth, and its path below the root. */
  readonly #branch: { node: number; path: Uint8Array }[] = [];
  readonly #countIn: (path: Uint8Array) => number | undefined;

  /**
   * Starts with no file.
   *
   * @param countIn Gives how many files a directory holds, by its path below the
   * root: asked here, it works while find looks for more.
   */
  constructor(
    countIn: (path: Uint8Array) => number | undefined = () => undefined,
  ) {
    this.#countIn = countIn;
  }

  /**
   * Adds what find prints of a file; a directory comes before what it holds.
   *
   * @param text What {@linkcode FOUND_FORM} gives, without the last NUL.
   * @returns Whether it is that.
   */
  add(text: Uint8Array): boolean {
    const name = text.indexOf(SLASH) + 1;
    const nameEnd = text.indexOf(SLASH, name);
    const depth = numberAt(text, 0, name - 1);
    const above = this.#branch[depth - 1];
    // Only the root has none, and there is one of it.
    const isRoot = depth === 0 && this.length === 0;
    if (nameEnd < 0 || !(isRoot || above)) return false;
    const node = this.length++;
    if (node % PAGE === 0) {
      this.#pages.push({
        rows: new Uint32Array(PAGE * ROW.width),
        wide: new Float64Array(PAGE * WIDE.width),
      });
    }
    // The slash after a name shows where it ends.
    const named = text.subarray(name, nameEnd + 1);
    const target = text.subarray(text.indexOf(0, nameEnd) + 1);
    this.#set(
      node,
      ROW.text,
      this.#texts.add(target.length > 0 ? concat([named, target]) : named),
    );
    this.#set(node, ROW.nameLength, nameEnd - name);
    const facts = foundFacts(text, nameEnd + 1);
    if (facts) this.#setFacts(node, facts);
    if (above) {
      this.#set(node, ROW.next, this.#get(above.node, ROW.child));
      this.#set(above.node, ROW.child, node);
    }
    this.#branch.length = depth;
    if (text[nameEnd + 1] !== DIRECTORY) return true;
    const path = above ? joinPath(above.path, this.name(node)) : EMPTY;
    this.#branch.push({ node, path });
    this.#set(node, ROW.count, this.#countIn(path) ?? UNKNOWN);
    return true;
  }

  #setFacts(node: number, facts: FoundFacts): void {
    const { rows, wide } = this.#pages[Math.floor(node / PAGE)]!;
    const row = node % PAGE * ROW.width;
    rows[row + ROW.letter] = facts.letter;
    rows[row + ROW.mode] = facts.mode;
    rows[row + ROW.uid] = facts.uid;
    rows[row + ROW.gid] = facts.gid;
    rows[row + ROW.nanoseconds] = facts.nanoseconds;
    rows[row + ROW.links] = facts.links;
    rows[row + ROW.stamp] = facts.stamp;
    const at = node % PAGE * WIDE.width;
    wide[at + WIDE.size] = facts.size;
    wide[at + WIDE.seconds] = facts.seconds;
    wide[at + WIDE.dev] = facts.dev;
    wide[at + WIDE.ino] = facts.ino;
    if (facts.digits) rows[row + ROW.digits] = this.#texts.add(facts.digits);
  }

  /** How many files a directory holds, where that is known from elsewhere. */
  count(node: number): number | undefined {
    const count = this.#get(node, ROW.count);
    return count === UNKNOWN ? undefined : count;
  }

  /** What a directory holds, in the order of the names' bytes. */
  children(node: number): number[] {
    const nodes: number[] = [];
    let at = this.#get(node, ROW.child);
    for (; at > 0; at = this.#get(at, ROW.next)) nodes.push(at);
    // A slash ends each name.
    return nodes.sort((a, b) =>
      this.#texts.comparePaths(
        this.#get(a, ROW.text),
        this.#get(b, ROW.text),
      )
    );
  }

  /** The first of sorted files that has the name of the one after it. */
  twin(nodes: readonly number[]): number | undefined {
    const texts = this.#texts;
    return nodes.find((node, i) => {
      const next = nodes[i + 1];
      if (next === undefined) return false;
      const [a, b] = [this.#get(node, ROW.text), this.#get(next, ROW.text)];
      // The slash after the name, too.
      return texts.commonLength(a, b) > this.#get(node, ROW.nameLength);
    });
  }

  /** A file's name. */
  name(node: number): Uint8Array {
    const length = this.#get(node, ROW.nameLength);
    return this.#texts.get(this.#get(node, ROW.text), length);
  }

  /** A symlink's target; empty for all else. */
  target(node: number): Uint8Array {
    const text = this.#texts.get(this.#get(node, ROW.text));
    return text.subarray(this.#get(node, ROW.nameLength) + 1);
  }

  /**
   * What a file is; the same as Deno says, but with times to the nanosecond and
   * without a device's numbers.
   *
   * @returns `undefined` if find has printed something else.
   */
  facts(node: number): FileFacts | undefined {
    const { rows, wide } = this.#pages[Math.floor(node / PAGE)]!;
    const row = node % PAGE * ROW.width;
    const at = node % PAGE * WIDE.width;
    const kind = KINDS.get(rows[row + ROW.letter]!)?.[0];
    if (!kind) return undefined;
    const dev = wide[at + WIDE.dev]!;
    const ino = wide[at + WIDE.ino]!;
    // Of a directory it is as Deno says it elsewhere.
    const inode = kind === "directory" || Number.isSafeInteger(ino)
      ? ino
      : asciiText(this.#texts.get(rows[row + ROW.digits]!));
    return {
      kind,
      mode: rows[row + ROW.mode]!,
      uid: rows[row + ROW.uid]!,
      gid: rows[row + ROW.gid]!,
      size: wide[at + WIDE.size]!,
      seconds: wide[at + WIDE.seconds]!,
      nanoseconds: rows[row + ROW.nanoseconds]!,
      major: 0,
      minor: 0,
      links: rows[row + ROW.links]!,
      identity: `${dev}:${inode}`,
      stamp: rows[row + ROW.stamp]!,
    };
  }

  /** Gives its memory back: it grows with the tree, and collectors wait long. */
  release(): void {
    this.#texts.release();
    for (const { rows, wide } of this.#pages.splice(0)) {
      release(new Uint8Array(rows.buffer));
      release(new Uint8Array(wide.buffer));
    }
  }

  #get(node: number, field: number): number {
    const { rows } = this.#pages[Math.floor(node / PAGE)]!;
    return rows[node % PAGE * ROW.width + field]!;
  }

  #set(node: number, field: number, value: number): void {
    const { rows } = this.#pages[Math.floor(node / PAGE)]!;
    rows[node % PAGE * ROW.width + field] = value;
  }
}
