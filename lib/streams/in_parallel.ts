/**
 * Maps a list, with only so many items at work at a time.
 *
 * @param list The items.
 * @param width How many are at work at most.
 * @param map What is done with each.
 * @returns The results, in the order of the list.
 * @throws What the first failure throws; no item is begun after that.
 */
export async function inParallel<T, R>(
  list: readonly T[],
  width: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(list.length);
  let next = 0;
  let failed = false;
  await Promise.all(
    Array.from({ length: Math.min(width, list.length) }, async () => {
      while (next < list.length && !failed) {
        const i = next++;
        try {
          results[i] = await map(list[i]!);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    }),
  );
  return results;
}

/** Lets only so many go on at a time; the others wait for their turn. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param width How many go on at a time. */
  constructor(width: number) {
    this.#free = width;
  }

  /** Does something when it is its turn. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
