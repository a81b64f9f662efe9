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
