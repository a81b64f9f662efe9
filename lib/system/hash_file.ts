import { sha256 } from "../streams/sha256.ts";
import { CHUNK } from "../streams/source.ts";
import { readFile } from "./fd.ts";

/** SHA-256 of a stretch of a file, in hex. */
export function hashFile(fd: number, start: number, end: number): string {
  const hash = sha256();
  const buffer = new Uint8Array(CHUNK);
  for (let at = start; at < end;) {
    const room = buffer.subarray(0, Math.min(CHUNK, end - at));
    const count = readFile(fd, room, at);
    hash.update(room.subarray(0, count));
    at += count;
    if (count < room.length) break;
  }
  return hash.hex();
}
