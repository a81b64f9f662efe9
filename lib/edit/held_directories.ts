import type { EditedPieces } from "./edits.ts";

/** Directories that are left out, but stay if something below them does. */
export class HeldDirectories {
  /** Their header blocks. */
  readonly #headers = new Map<string, Uint8Array>();
  /** Those that stay; their entries may not have come yet. */
  readonly #needed = new Set<string>();

  /** How many have nothing below them so far. */
  get size(): number {
    return this.#headers.size;
  }

  /** Whether something below a directory has come. */
  isNeeded(key: string): boolean {
    return this.#needed.has(key);
  }

  /** Keeps a directory for what may come. */
  hold(key: string, header: Uint8Array): void {
    this.#headers.set(key, header);
  }

  /**
   * Writes the directories that stay for an entry.
   *
   * @returns How many have been written.
   */
  release(keys: readonly string[], pieces: EditedPieces): number {
    let count = 0;
    for (const key of keys) {
      const header = this.#headers.get(key);
      this.#needed.add(key);
      if (!header) continue;
      pieces.add(header);
      this.#headers.delete(key);
      count++;
    }
    return count;
  }
}
