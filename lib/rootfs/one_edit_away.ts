/** The letters of most names of programs and options. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_.+";

/**
 * Makes the words that a typing error of one letter makes of a word, to look
 * for the one that was meant: two letters swapped, one left out, one too many,
 * another one. The likelier ones come first.
 *
 * @param word A word; of one with hundreds of letters only the first 64 change.
 * @returns Words that differ from it; some may come twice.
 */
export function* oneEditAway(word: string): Generator<string> {
  const lower = word.toLowerCase();
  if (lower !== word) yield lower;
  const length = Math.min(word.length, 64);
  const around = (i: number, cut: number, letters: string) =>
    word.slice(0, i) + letters + word.slice(i + cut);
  for (let i = 0; i + 1 < length; i++) {
    const [a, b] = [word[i]!, word[i + 1]!];
    if (a !== b) yield around(i, 2, b + a);
  }
  if (word.length > 1) {
    for (let i = 0; i < length; i++) {
      yield around(i, 1, "");
    }
  }
  for (let i = 0; i <= length; i++) {
    for (const letter of LETTERS) {
      yield around(i, 0, letter);
      if (i < length && word[i] !== letter) yield around(i, 1, letter);
    }
  }
}
