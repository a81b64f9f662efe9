import { type LentFile, writeChecked } from "../streams/write_checked.ts";
import { fileError } from "./errors.ts";
import { FileSink } from "./file_sink.ts";
import { openFile } from "./file_source.ts";
import type { Input } from "./input.ts";
import { join, tmpdir } from "./node.ts";

/**
 * Keeps a file that comes over a network in the temporary directory until it is
 * closed. It has a path there, so other threads can read it.
 *
 * @param file The file, checked while it is written.
 * @throws {InputError} If it has another digest, or another size.
 * @throws {FileError} If it cannot be written.
 */
export async function keepFile(
  file: LentFile,
): Promise<Input & { size: number }> {
  const where = `${tmpdir()} (choose another directory with TMPDIR)`;
  let sink: FileSink;
  try {
    const place = join(tmpdir(), `ciso-${crypto.randomUUID()}.spool`);
    sink = new FileSink(place, `${file.path} to ${where}`, 0o600);
  } catch (error) {
    throw fileError(`Cannot keep ${file.path} in ${where}`, error);
  }
  const close = () => sink.remove();
  try {
    await writeChecked(file, sink, 0, () => {});
    const input = openFile(sink.fd, file.path, sink.path);
    // Nobody else writes into it.
    return Object.assign(input, { isSteady: true, close });
  } catch (error) {
    close();
    throw error;
  }
}
