/**
 * A count with its noun, in the singular where there is one.
 *
 * @param count How many.
 * @param noun What of, in the singular.
 * @param plural The same in the plural; with an s unless given.
 *
 * @example
 * ```ts
 * import { counted } from "./counted.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(counted(1, "entry", "entries"), "1 entry");
 * assert.equal(counted(0, "byte"), "0 bytes");
 * ```
 */
export function counted(
  count: number,
  noun: string,
  plural = `${noun}s`,
): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
