import { startsWith, utf8 } from "../streams/bytes.ts";
import { linesOf } from "./deb822.ts";
import { fact, type FoundPackage } from "./package.ts";

const ELF = new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);
/** Go's debug/buildinfo: it is at a multiple of so many bytes. */
const PLACES = 16;
const MAGIC = new Uint8Array([0xff, ...utf8(" Go buildinf:")]);
const HEADER = 32;
/** Set in the flags if the texts follow the header, as they do since Go 1.18. */
const INLINE = 2;
/** Bytes of the texts at most. */
const MAX_TEXTS = 1 << 20;
/** Module information is between two marks of so many bytes. */
const MARK = 16;

/** Smaller programs are not written in Go. */
export const MIN_GO_PROGRAM = 1 << 16;

/**
 * Finds what Go's linker says about a program in it: its modules. It takes the
 * program piece by piece and keeps only that.
 */
export class GoBuildInfo {
  #at = 0;
  #isElf = true;
  /** The last bytes before the next piece, or all from the header on. */
  #kept: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #isFound = false;

  onData(bytes: Uint8Array): void {
    if (!this.#isElf) return;
    if (this.#at === 0) this.#isElf = startsWith(bytes, ELF);
    if (this.#isFound) this.#keep(bytes);
    else this.#search(bytes);
    this.#at += bytes.length;
  }

  /** The modules that the program is built of. */
  packages(): FoundPackage[] {
    const texts = this.#isFound ? textsOf(this.#kept) : undefined;
    if (!texts) return [];
    const [goVersion, modules] = texts;
    const found: FoundPackage[] = [];
    const [, release] = /^go([\d.]+\w*)/.exec(goVersion) ?? [];
    if (release) {
      found.push({ type: "golang", name: "stdlib", version: release });
    }
    let last: FoundPackage | undefined;
    for (const line of linesOf(modules)) {
      const [what, path, version] = line.split("\t");
      if (what !== "mod" && what !== "dep" && what !== "=>") continue;
      // The one before is replaced by this one.
      if (what === "=>" && found.at(-1) === last) found.pop();
      last = moduleOf(path, version);
      if (last) found.push(last);
    }
    return found;
  }

  #search(bytes: Uint8Array): void {
    const before = this.#kept.length;
    const all = new Uint8Array(before + bytes.length);
    all.set(this.#kept);
    all.set(bytes, before);
    const start = this.#at - before;
    const first = (PLACES - start % PLACES) % PLACES;
    for (let i = first; i < all.length; i += PLACES) {
      if (all[i] !== MAGIC[0] || !isMagic(all, i)) continue;
      this.#isFound = true;
      this.#kept = all.slice(i, i + HEADER + MAX_TEXTS);
      return;
    }
    this.#kept = all.slice(-MAGIC.length + 1);
  }

  #keep(bytes: Uint8Array): void {
    const room = HEADER + MAX_TEXTS - this.#kept.length;
    if (room <= 0) return;
    const all = new Uint8Array(
      this.#kept.length + Math.min(room, bytes.length),
    );
    all.set(this.#kept);
    all.set(bytes.subarray(0, room), this.#kept.length);
    this.#kept = all;
  }
}

function isMagic(bytes: Uint8Array, at: number): boolean {
  return startsWith(bytes.subarray(at, at + MAGIC.length), MAGIC);
}

/** The version of Go, and the lines about modules. */
function textsOf(bytes: Uint8Array): [string, string] | undefined {
  if (bytes.length < HEADER || (bytes[15]! & INLINE) === 0) return undefined;
  const version = textAt(bytes, HEADER);
  const modules = version && textAt(bytes, version.end);
  if (!modules) return undefined;
  return [
    new TextDecoder().decode(version.bytes),
    new TextDecoder().decode(
      modules.bytes.subarray(MARK, Math.max(MARK, modules.bytes.length - MARK)),
    ),
  ];
}

/** A text with its length before it. */
function textAt(
  bytes: Uint8Array,
  at: number,
): { bytes: Uint8Array; end: number } | undefined {
  let length = 0;
  for (let shift = 1;; shift *= 128) {
    const byte = bytes[at++];
    if (byte === undefined || shift > 2 ** 28) return undefined;
    length += (byte & 0x7f) * shift;
    if (byte < 0x80) break;
  }
  const end = at + length;
  return end > bytes.length
    ? undefined
    : { bytes: bytes.subarray(at, end), end };
}

function moduleOf(
  path: string | undefined,
  givenVersion: string | undefined,
): FoundPackage | undefined {
  const whole = fact(path);
  const version = fact(givenVersion);
  // What is built in its own directory has no version.
  if (!whole || !version || version === "(devel)") return undefined;
  const slash = whole.lastIndexOf("/");
  return {
    type: "golang",
    ...(slash > 0 && { namespace: whole.slice(0, slash) }),
    name: whole.slice(slash + 1),
    version,
  };
}
