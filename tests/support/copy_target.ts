// Where two threads write a copy, in tests of what they do.

import { createHash } from "node:crypto";
import type { Target } from "../../lib/system/file_copy.ts";
import type { FileSink } from "../../lib/system/file_sink.ts";
import { fileId } from "../../lib/system/file_id.ts";
import { fs } from "../../lib/system/node.ts";

/** What a sink's file holds. */
export function written({ fd }: FileSink): Uint8Array {
  const bytes = new Uint8Array(fs.fstatSync(fd).size);
  fs.readSync(fd, bytes, 0, bytes.length, 0);
  return bytes;
}

/** SHA-256 in hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * A copy that goes into a sink.
 *
 * @param onHash Is called if this thread hashes.
 */
export function copyTarget(
  sink: FileSink,
  start: number,
  onHash: () => void = () => {},
): Target {
  return {
    path: sink.path,
    id: fileId(fs.fstatSync(sink.fd, { bigint: true })),
    start,
    write: (bytes, position) => sink.write(bytes, position),
    otherwise(end) {
      onHash();
      return digestOf(written(sink).subarray(start, end));
    },
  };
}
