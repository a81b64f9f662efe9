import { type FileFacts, fileStamp } from "./file_facts.ts";

/**
 * What GNU find prints of a file: its depth and its name, then what
 * {@linkcode foundFacts} reads, then a symlink's target.
 */
export const FOUND_FORM = "%d/%f/%y %m %U %G %s %T@ %C@ %D %i %n\\0%l\\0";

/** The stamp of a file from before 1970, of whose times Deno says little. */
export const UNKNOWN_STAMP = 0xffffffff;

/** What find says of a file, as Deno would, but with times to the nanosecond. */
export interface FoundFacts
  extends Omit<FileFacts, "kind" | "identity" | "major" | "minor"> {
  /** find's letter for its kind. */
  letter: number;
  dev: number;
  ino: number;
  /** Its digits, where a double rounds it: two files must not become one. */
  digits: Uint8Array | undefined;
}

/** The kinds by find's letters, each with the type bits of its mode (inode(7)). */
export const KINDS: ReadonlyMap<
  number,
  readonly [kind: FileFacts["kind"], type: number]
> = new Map([
  [0x70, ["fifo", 0o01]],
  [0x63, ["character", 0o02]],
  [0x64, ["directory", 0o04]],
  [0x62, ["block", 0o06]],
  [0x66, ["file", 0o10]],
  [0x6c, ["symlink", 0o12]],
  [0x73, ["socket", 0o14]],
]);

const MINUS = 0x2d;
const DOT = 0x2e;

/**
 * Reads what find says of a file.
 *
 * @param text What {@linkcode FOUND_FORM} gives.
 * @param at Where the letter of the kind is.
 * @returns `undefined` if it is something else.
 */
export function foundFacts(
  text: Uint8Array,
  at: number,
): FoundFacts | undefined {
  const letter = text[at]!;
  const kind = KINDS.get(letter);
  const fields = new Fields(text, at + 2);
  const mode = fields.octal();
  const uid = fields.number();
  const gid = fields.number();
  const size = fields.number();
  const [seconds, nanoseconds] = fields.time();
  const [changed] = fields.time();
  const dev = fields.number();
  const [ino, digits] = fields.exact();
  const links = fields.number();
  if (!kind || !Number.isSafeInteger(links + size + mode + seconds)) {
    return undefined;
  }
  const [name, type] = kind;
  return {
    letter,
    mode,
    uid,
    gid,
    size: name === "file" ? size : 0,
    seconds,
    nanoseconds,
    links,
    dev,
    ino,
    digits,
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

/** Reads digits; `NaN` if there are none, or something else. */
export function numberAt(text: Uint8Array, from: number, to: number): number {
  let value = from < to ? 0 : NaN;
  for (let at = from; at < to; at++) {
    const digit = text[at]! - 0x30;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : NaN;
  }
  // A sum of rounded numbers is not the number rounded.
  return value > Number.MAX_SAFE_INTEGER
    ? Number(String.fromCharCode(...text.subarray(from, to)))
    : value;
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

  /** A number, and its digits if a double rounds it. */
  exact(): [number: number, digits: Uint8Array | undefined] {
    const from = this.#at;
    const end = this.#end();
    const number = numberAt(this.#text, from, end);
    const isExact = Number.isSafeInteger(number);
    return [number, isExact ? undefined : this.#text.subarray(from, end)];
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
