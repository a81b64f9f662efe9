/**
 * How many paths it has: of more missing directories it knows only the count.
 */
const KEPT = 64;

/** The missing directories of a tree that no tree below it has either. */
export class NewDirectories {
  readonly #slots = new Set<number>();
  readonly #paths = new Map<number, Uint8Array>();

  /** Adds a missing directory. */
  add(slot: number, path: Uint8Array): void {
    this.#slots.add(slot);
    if (this.#paths.size < KEPT) this.#paths.set(slot, path.slice());
  }

  /** Takes one back, since an entry for it has come. */
  remove(slot: number): void {
    this.#slots.delete(slot);
    this.#paths.delete(slot);
  }

  /** The first one's path, which may be unknown and empty; none if all have come. */
  get first(): Uint8Array | undefined {
    if (this.#slots.size === 0) return undefined;
    const [path = new Uint8Array(0)] = this.#paths.values();
    return path;
  }
}
