import { equalBytes } from "../streams/bytes.ts";
import { readFile } from "./fd.ts";
import { fs, isDeno, process } from "./node.ts";

/** How {@linkcode beginOf} finds that a file is to be read. */
export interface Begin {
  /** Whether all of the file is to be read: nobody has read from it yet. */
  isWhole: boolean;
  /** How many bytes it gives, which are read already. */
  count: number;
}

/**
 * Reads the first bytes of standard input that is a plain file: another program
 * may have read from it, such as a header, and it goes on after that.
 *
 * @param first Gets the bytes.
 * @param size Size of the file in bytes.
 */
export function beginOf(first: Uint8Array, size: number): Begin {
  const offset = offsetOfInput();
  if (offset === 0) return { isWhole: true, count: readFile(0, first, 0) };
  // No runtime tells more than the bytes that come next.
  const count = readFile(0, first);
  if (offset !== undefined) return { isWhole: false, count };
  if (count < first.length) return { isWhole: count === size, count };
  const begin = new Uint8Array(count);
  readFile(0, begin, 0);
  return { isWhole: equalBytes(begin, first), count };
}

/**
 * The place where standard input goes on, in bytes; `undefined` if that is not to
 * be known: not on Linux, and not under Deno without all permissions.
 */
function offsetOfInput(): number | undefined {
  try {
    const info = fs.readFileSync("/proc/self/fdinfo/0", "utf8");
    const found = /^pos:\s*(\d+)$/m.exec(info);
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether two threads may read standard input at places of their own: Deno before
 * 2.9 moves the one place that the file has, and moves it back.
 */
export function isInputShared(): boolean {
  const { deno } = process().versions as { deno?: string };
  if (!isDeno || deno === undefined) return !isDeno;
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 9);
}
