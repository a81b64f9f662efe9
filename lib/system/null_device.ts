import { fs, process } from "./node.ts";

/** Major number 1, minor number 3 (null(4)). */
const LINUX_NULL = 0x103;

/** Whether a file is the null device. */
export function isNullDevice(
  stat: { rdev: number; isCharacterDevice(): boolean },
): boolean {
  if (!stat.isCharacterDevice()) return false;
  // Deno may not be allowed to look there.
  if (process().platform === "linux") return stat.rdev === LINUX_NULL;
  const nothing = fs.statSync("/dev/null", { throwIfNoEntry: false });
  return nothing !== undefined && nothing.rdev === stat.rdev;
}

/**
 * Whether standard output was closed when the program started (`>&-`):
 * runtimes open the null device in its place, for reading too, as no shell's
 * `>/dev/null` does.
 */
export function isOutputClosed(): boolean {
  try {
    if (!isNullDevice(fs.fstatSync(1))) return false;
    // At a place of its own: without one Deno never reads standard output.
    fs.readSync(1, new Uint8Array(1), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
