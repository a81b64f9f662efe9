import { process } from "./node.ts";

let known: ReadonlySet<string> | undefined;

/**
 * Ways of working that tests ask for by `CISO_WAY`, separated by commas. The
 * archive is the same by each of them.
 *
 * - `stream`: files are written from the first byte to the last.
 * - `alone`: no other thread is started.
 * - `beside`: another thread hashes, however small the input is.
 *
 * @returns The ways; nearly always none.
 */
export function ways(): ReadonlySet<string> {
  if (known) return known;
  try {
    known = new Set(process().env.CISO_WAY?.split(","));
  } catch {
    // Deno without --allow-env.
    known = new Set();
  }
  return known;
}
