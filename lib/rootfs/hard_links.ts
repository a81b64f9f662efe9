import { FLAG, NODE, type PathIndex } from "./path_index.ts";

/** Links that a chain has at most: each link looks for the chain's end. */
const MAX_CHAIN = 40;

/**
 * The hard links of a tree: each one's slot knows the slot that it leads to. A
 * chain of them ends at its root.
 */
export class HardLinks {
  readonly #index: PathIndex;
  /** The paths of link targets that differ from the headers', by slot. */
  readonly #targets = new Map<number, Uint8Array>();
  /** Links that take over a dropped root's contents: their paths, by its slot. */
  readonly #heirs = new Map<number, Uint8Array>();
  #isBroken = false;

  constructor(index: PathIndex) {
    this.#index = index;
  }

  /** The slot that a chain of links ends at: itself, if it is no link. */
  rootOf(slot: number): number {
    const index = this.#index;
    while (index.has(slot, FLAG.link)) slot = index.linkedSlot(slot);
    return slot;
  }

  /** Where a link to `target` leads: there, or to the end of a long chain. */
  shortened(target: number): number {
    const index = this.#index;
    let slot = target;
    for (let links = 0; index.has(slot, FLAG.link); links++) {
      if (links === MAX_CHAIN) return this.rootOf(slot);
      slot = index.linkedSlot(slot);
    }
    return target;
  }

  /** Sets the path that a link leads to, where its header says another one. */
  setTarget(slot: number, path: Uint8Array): void {
    this.#targets.set(slot, path);
  }

  /** The path that a link leads to, if {@linkcode setTarget} has set one. */
  target(slot: number): Uint8Array | undefined {
    return this.#targets.get(slot);
  }

  /** The path of the link that takes a dropped entry's contents over. */
  heir(slot: number): Uint8Array | undefined {
    return this.#heirs.get(slot);
  }

  /** The paths of all these links. */
  heirs(): Iterable<Uint8Array> {
    return this.#heirs.values();
  }

  /** Notes that a slot is dropped; call it for each one. */
  noteDropped(slot: number): void {
    const index = this.#index;
    if (index.has(slot, FLAG.linked) || index.has(slot, FLAG.link)) {
      this.#isBroken = true;
    }
  }

  /** The slot whose metadata a link must repeat, if its header does not. */
  model(slot: number): number | undefined {
    return this.#index.has(slot, FLAG.differs) ? this.rootOf(slot) : undefined;
  }

  /** The slot of the symlink that a link shares, if it is one. */
  symlink(slot: number): number | undefined {
    const index = this.#index;
    return index.has(slot, FLAG.link) && index.node(slot) === NODE.symlink
      ? this.rootOf(slot)
      : undefined;
  }

  /**
   * Settles links whose target was dropped: the first link that is left takes
   * the contents over, and the others lead to it. Call it once, after the last
   * entry.
   *
   * @param pathOf Gives the path of a slot's entry.
   */
  async settle(pathOf: (slot: number) => Promise<Uint8Array>): Promise<void> {
    if (!this.#isBroken) return;
    const index = this.#index;
    const heirs = new Map<number, number>();
    for (const link of this.#left()) {
      const root = this.rootOf(link);
      if (!index.has(root, FLAG.dropped) || heirs.has(root)) continue;
      heirs.set(root, link);
      this.#heirs.set(root, await pathOf(link));
    }
    for (const link of this.#left()) {
      if (!index.has(index.linkedSlot(link), FLAG.dropped)) continue;
      const root = this.rootOf(link);
      if (heirs.get(root) === link) index.mark(link, FLAG.dropped);
      this.#targets.set(link, this.#heirs.get(root) ?? await pathOf(root));
    }
  }

  /** The links that are not left out. */
  *#left(): Generator<number> {
    const index = this.#index;
    for (let slot = 0; slot < index.length; slot++) {
      if (index.has(slot, FLAG.link) && !index.has(slot, FLAG.dropped)) {
        yield slot;
      }
    }
  }
}
