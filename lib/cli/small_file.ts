import { writeNewFile } from "../system/new_file.ts";
import { writeOutput } from "./output.ts";

/**
 * Writes a small file, whole or not at all.
 *
 * @param force Whether it may replace another one, or go to a pipe.
 * @param mode Its permission bits; what the umask leaves unless given.
 * @throws {FileError} If it is there already and must not be replaced.
 */
export async function writeSmallFile(
  path: string,
  bytes: Uint8Array,
  { force = false, mode = 0o666 }: { force?: boolean; mode?: number },
): Promise<void> {
  if (!force) return writeNewFile(path, bytes, mode);
  await writeOutput(new Blob([bytes.slice()]).stream(), path);
}
