import { binary, startsWith } from "../streams/bytes.ts";

const SLASH = 0x2f;
const DOT = 0x2e;

/** Names that root file systems have at their top. */
const USUAL = new Set(
  ("bin boot dev etc home lib lib32 lib64 media mnt nix opt proc root run sbin " +
    "srv sys tmp usr var").split(" "),
);

/** Watches for the one directory that all entries of a tar are below. */
export class TopDirectory {
  #name: Uint8Array | undefined;
  #isOnly = true;
  /** Components up to it, as they are written; 0 if entries differ in that. */
  #levels = -1;

  /**
   * Looks at an entry.
   *
   * @param written Its path as the header has it.
   * @param path Its path in the tree, which is not empty.
   */
  note(written: Uint8Array, path: Uint8Array, isDirectory: boolean): void {
    if (!this.#isOnly) return;
    const slash = path.indexOf(SLASH);
    const length = slash < 0 ? path.length : slash;
    this.#name ??= path.slice(0, length);
    const name = this.#name;
    this.#isOnly = (slash >= 0 || isDirectory) && length === name.length &&
      startsWith(path, name);
    const levels = dots(written) + 1;
    if (this.#levels < 0) this.#levels = levels;
    else if (this.#levels !== levels) this.#levels = 0;
  }

  /** Its name; `undefined` if there is no such directory. */
  get name(): string | undefined {
    if (!this.#isOnly || !this.#name) return undefined;
    return new TextDecoder().decode(this.#name);
  }

  /** Whether root file systems have a directory of that name. */
  get isUsual(): boolean {
    return this.#name !== undefined && USUAL.has(binary(this.#name));
  }

  /**
   * How many components take it off, as `--strip-components` counts;
   * `undefined` if entries differ in that.
   */
  get levels(): number | undefined {
    return this.#levels > 0 ? this.#levels : undefined;
  }
}

/** How many components at the beginning of a path are dots. */
function dots(path: Uint8Array): number {
  let count = 0;
  for (let at = 0;; at++) {
    if (path[at] === SLASH) continue;
    if (path[at] !== DOT || path[at + 1] !== SLASH) return count;
    count++;
  }
}
