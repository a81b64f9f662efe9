import { concat, utf8 } from "../streams/bytes.ts";
import { putChecksum } from "./block.ts";
import { newHeader, padding } from "./header.ts";

/** A whole entry for a small file: header blocks, contents and padding. */
export function fileEntry(
  path: string,
  text: string,
  mtime: number,
): Uint8Array {
  const bytes = utf8(text);
  const size = bytes.length;
  return concat([
    newHeader({ path, type: "file", size, mtime }),
    bytes,
    padding(size),
  ]);
}

/** An entry for a hard link. */
export function hardLinkEntry(
  path: string,
  link: string,
  mtime: number,
): Uint8Array {
  const header = newHeader({ path, type: "symlink", link, mode: 0o644, mtime });
  header[156] = 0x31;
  putChecksum(header);
  return header;
}

/** An entry for a directory; its path ends with a slash. */
export function directoryEntry(path: string, mtime: number): Uint8Array {
  return newHeader({ path, type: "directory", mtime });
}
