/** Slots of a page, and of the first one at the beginning. */
const PAGE = 1 << 14;
const SMALL = 1 << 8;
const NO_NUMBERS = new Uint32Array(0);
const NO_FACTS = new Uint8Array(0);

/** How many numbers a slot has. */
export const NUMBERS = 4;

/**
 * What an index knows of each slot: four numbers, side by side in memory, and a
 * byte of facts. It grows by pages, so that growing copies nothing.
 */
export class SlotPages {
  readonly #numbers: Uint32Array[] = [];
  readonly #facts: Uint8Array[] = [];
  /** How many slots there is room for. */
  room = 0;

  /** The numbers of a page; none if there is no room for the slot. */
  numbers(slot: number): Uint32Array {
    return this.#numbers[slot >>> 14] ?? NO_NUMBERS;
  }

  /** The facts of a page. */
  facts(slot: number): Uint8Array {
    return this.#facts[slot >>> 14] ?? NO_FACTS;
  }

  /** Where a slot's numbers are in its page. */
  at(slot: number): number {
    return (slot & (PAGE - 1)) * NUMBERS;
  }

  /** Where a slot's facts are in its page. */
  factsAt(slot: number): number {
    return slot & (PAGE - 1);
  }

  /** Makes room for more slots. */
  grow(): void {
    const first = this.room < PAGE;
    // Of thousands of layers most have a few entries: the first page grows.
    const size = first ? this.room * 2 || SMALL : PAGE;
    const numbers = new Uint32Array(size * NUMBERS);
    const facts = new Uint8Array(size);
    if (first) {
      numbers.set(this.numbers(0));
      facts.set(this.facts(0));
      this.#numbers.pop();
      this.#facts.pop();
    }
    this.#numbers.push(numbers);
    this.#facts.push(facts);
    this.room += first ? size - this.room : size;
  }
}
