/**
 * Copies a record with its keys in code unit order, so that the order in which
 * somebody typed labels does not change a digest.
 *
 * @param entries Keys and values; a later entry replaces an earlier one of the
 * same key.
 * @returns The record. Keys such as `__proto__` become plain own properties.
 */
export function sortedRecord<T>(
  entries: Iterable<readonly [string, T]>,
): Record<string, T> {
  const sorted = [...new Map(entries)].sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(sorted);
}
