import { openFile } from "./file_source.ts";
import type { Input } from "./input.ts";
import { fs } from "./node.ts";
import { openBytes } from "./open_input.ts";
import { spooled } from "./spool_file.ts";

/** A file as it is, and what the system says of it. */
export interface RawFile {
  input: Input & { readonly size: number };
  /** Permission bits; 0644 of a pipe. */
  mode: number;
  /** Modification time in whole seconds since 1970; 0 of a pipe. */
  seconds: number;
}

/**
 * Opens a file as a source of its bytes, compressed or not. What comes out of a
 * pipe goes to a spool file.
 *
 * @param path The file, or `undefined` for standard input.
 * @throws {FileError} If it cannot be opened or is a directory.
 */
export async function openRaw(path: string | undefined): Promise<RawFile> {
  const { fd, name, isFile, chunks } = await openBytes(path);
  if (isFile) {
    const { mode, mtimeMs } = fs.fstatSync(fd);
    const seconds = Math.floor(mtimeMs / 1000);
    return { input: openFile(fd, name), mode: mode & 0o777, seconds };
  }
  try {
    const input = await spooled(name, chunks) as RawFile["input"];
    return { input, mode: 0o644, seconds: 0 };
  } finally {
    if (fd > 0) fs.closeSync(fd);
  }
}
