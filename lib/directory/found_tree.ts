import { asciiText } from "../streams/bytes.ts";
import { release } from "../streams/source.ts";
import { joinPath } from "../tar/path.ts";
import { type FileFacts, fileStamp } from "./file_facts.ts";
import { Texts } from "./texts.ts";

/** What GNU find prints of a file, for {@linkcode FoundTree.add}. */
export const FOUND_FORM = "%d/%f/%y %m %U %G %s %T@ %C@ %D %i %n\\0%l\\0";

/** Where each number of a row is. */
const ROW = { text: 0, child: 1, next: 2, count: 3, width: 4 } as const;

/** In the place of a count: it is not known. */
const UNKNOWN = 0xffffffff;

/** Rows on a page. */
const PAGE = 1 << 12;

/**
 * Bytes of text on a page. The system counts only what has been written, and
 * gets all back when so large a page is released: of smaller ones the C library
 * keeps what it had (mallopt(3), M_MMAP_THRESHOLD).
 */
const TEXT_PAGE = 1 << 26;

/** The stamp of a file from before 1970, of whose times Deno says little. */
export const UNKNOWN_STAMP = -1;

const EMPTY = new Uint8Array(0);
const SLASH = 0x2f;
const DIRECTORY = 0x64;
const MINUS = 0x2d;
const DOT = 0x2e;

/** The kinds by find's letters, each with the type bits of its mode (inode(7)). */
const KINDS = new Map<number, [kind: FileFacts["kind"], type: number]>([
  [0x70, ["fifo", 0o01]],
  [0x63, ["character", 0o02]],
  [DIRECTORY, ["directory", 0o04]],
  [0x62, ["block", 0o06]],
  [0x66, ["file", 0o10]],
  [0x6c, ["symlink", 0o12]],
  [0x73, ["socket", 0o14]],
]);

/**
 * A tree as GNU find has seen it: what it prints of each file, as it is, and
 * which directory holds which files. Some 100 bytes a file.
 */
export class FoundTree {
  /** How many files there are. The root is the first one. */
  length = 0;
  /** Whether find has said that it could not read something. */
  hasGaps = false;
  readonly #texts = new Texts(TEXT_PAGE);
  readonly #pages: Uint32Array[] = [];
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
    const end = text.indexOf(SLASH);
    const depth = numberAt(text, 0, end);
    const above = this.#branch[depth - 1];
    // Only the root has none, and there is one of it.
    const isRoot = depth === 0 && this.length === 0;
    if (end <= 0 || !(isRoot || above)) return false;
    const node = this.length++;
    if (node % PAGE === 0) this.#pages.push(new Uint32Array(PAGE * ROW.width));
    this.#set(node, ROW.text, this.#texts.add(text.subarray(end + 1)));
    if (above) {
      this.#set(node, ROW.next, this.#get(above.node, ROW.child));
      this.#set(above.node, ROW.child, node);
    }
    this.#branch.length = depth;
    if (this.#kind(node) !== DIRECTORY) return true;
    const path = above ? joinPath(above.path, this.name(node)) : EMPTY;
    this.#branch.push({ node, path });
    this.#set(node, ROW.count, this.#countIn(path) ?? UNKNOWN);
    return true;
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
      return texts.commonLength(a, b) > this.name(node).length;
    });
  }

  /** A file's name. */
  name(node: number): Uint8Array {
    const text = this.#text(node);
    return text.subarray(0, text.indexOf(SLASH));
  }

  /** A symlink's target; empty for all else. */
  target(node: number): Uint8Array {
    const text = this.#text(node);
    return text.subarray(text.indexOf(0) + 1);
  }

  /**
   * What a file is; the same as Deno says, but with times to the nanosecond and
   * without a device's numbers.
   *
   * @returns `undefined` if find has printed something else.
   */
  facts(node: number): FileFacts | undefined {
    const text = this.#text(node);
    const kind = KINDS.get(this.#kind(node));
    const fields = new Fields(text, text.indexOf(SLASH) + 3);
    const mode = fields.octal();
    const uid = fields.number();
    const gid = fields.number();
    const size = fields.number();
    const [seconds, nanoseconds] = fields.time();
    const [changed] = fields.time();
    const dev = fields.number();
    const inode = fields.word();
    const ino = Number(inode);
    const links = fields.number();
    if (!kind || !Number.isSafeInteger(links + size + mode + seconds)) {
      return undefined;
    }
    const [name, type] = kind;
    return {
      kind: name,
      mode,
      uid,
      gid,
      size: name === "file" ? size : 0,
      seconds,
      nanoseconds,
      major: 0,
      minor: 0,
      links,
      // Deno rounds numbers of inodes; two files must not become one by that.
      identity: `${dev}:${name === "directory" ? ino : inode}`,
      stamp: seconds < 0 || changed < 0 ? UNKNOWN_STAMP : fileStamp({
        dev,
        ino,
        mode: type << 12 | mode,
        uid,
        gid,
        size,
        // Deno cuts the one to milliseconds and the other one to seconds.
        mtimeNs: (seconds * 1000 + Math.floor(nanoseconds / 1e6)) * 1e6,
        ctimeNs: changed * 1e9,
      }),
    };
  }

  /** Gives its memory back: it grows with the tree, and collectors wait long. */
  release(): void {
    this.#texts.release();
    for (const page of this.#pages.splice(0)) {
      release(new Uint8Array(page.buffer));
    }
  }

  /** find's letter for what a file is. */
  #kind(node: number): number {
    const text = this.#text(node);
    return text[text.indexOf(SLASH) + 1]!;
  }

  #text(node: number): Uint8Array {
    return this.#texts.get(this.#get(node, ROW.text));
  }

  #get(node: number, field: number): number {
    return this.#pages[Math.floor(node / PAGE)]![
      node % PAGE * ROW.width + field
    ]!;
  }

  #set(node: number, field: number, value: number): void {
    const page = this.#pages[Math.floor(node / PAGE)]!;
    page[node % PAGE * ROW.width + field] = value;
  }
}

/** Reads digits; `NaN` if there are none, or something else. */
function numberAt(text: Uint8Array, from: number, to: number): number {
  let value = from < to ? 0 : NaN;
  for (let at = from; at < to; at++) {
    const digit = text[at]! - 0x30;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : NaN;
  }
  return value;
}

/** What find prints of a file, field by field. */
class Fields {
  readonly #text: Uint8Array;
  #at: number;

  constructor(text: Uint8Array, at: number) {
    this.#text = text;
    this.#at = at;
  }

  number(): number {
    const from = this.#at;
    return numberAt(this.#text, from, this.#end());
  }

  octal(): number {
    let value = 0;
    const from = this.#at;
    const end = this.#end();
    for (let at = from; at < end; at++) {
      value = value * 8 + this.#text[at]! - 0x30;
    }
    return value;
  }

  word(): string {
    const from = this.#at;
    return asciiText(this.#text.subarray(from, this.#end()));
  }

  /** Seconds since 1970, and a fraction that always counts upwards. */
  time(): [seconds: number, nanoseconds: number] {
    const text = this.#text;
    const isBefore = text[this.#at] === MINUS;
    const from = this.#at + (isBefore ? 1 : 0);
    const end = this.#end();
    const dot = text.indexOf(DOT, from);
    const whole = dot >= 0 && dot < end ? dot : end;
    const seconds = numberAt(text, from, whole);
    let nanoseconds = 0;
    for (let i = 1; i <= 9; i++) {
      const at = whole + i;
      nanoseconds = nanoseconds * 10 + (at < end ? text[at]! - 0x30 : 0);
    }
    return [isBefore ? -seconds : seconds, nanoseconds];
  }

  /** Where the field ends; the next one starts after that. */
  #end(): number {
    const text = this.#text;
    let end = this.#at;
    // A blank, or the NUL before the symlink's target.
    while (end < text.length && text[end]! > 0x20) end++;
    this.#at = end + 1;
    return end;
  }
}
