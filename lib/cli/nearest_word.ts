import { levenshteinDistance } from "@std/text";

/** Words longer than this may have two typing errors: swapped letters are two. */
const SHORT = 4;

/**
 * The word that was probably meant by one that does not exist: the only one that
 * begins so, or one that differs by a typing error, or by two if it is not short.
 *
 * @param word What was typed.
 * @param known The words that exist.
 * @returns The nearest of them, or `undefined` if all are far away.
 */
export function nearestWord(
  word: string,
  known: readonly string[],
): string | undefined {
  // Another case is no error at all, and longer words are no words.
  const given = word.slice(0, 64).toLowerCase();
  const longer = known.filter((other) => other.startsWith(given));
  if (given.length >= SHORT && longer.length === 1) return longer[0];
  let nearest: string | undefined;
  let least = given.length > SHORT ? 3 : 2;
  for (const other of known) {
    const distance = levenshteinDistance(given, other.toLowerCase());
    if (distance >= least) continue;
    nearest = other;
    least = distance;
  }
  return nearest;
}
