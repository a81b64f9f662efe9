/**
 * Makes a source of random numbers that gives the same ones for the same seed
 * (a linear congruential generator), so that a failing test can be repeated.
 *
 * @param seed Any whole number.
 * @returns A function that gives a whole number from 0 up to, but without, its
 * argument.
 */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
