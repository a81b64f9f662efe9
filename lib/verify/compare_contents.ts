import type { FileSource } from "../read/image_files.ts";
import { CHUNK, readAt } from "../streams/source.ts";
import { type ByteWindow, sameBytes } from "./byte_window.ts";
import type { TakeData } from "./walk_tar.ts";

/**
 * Compares data as they pass with those below rootfs/.
 *
 * @param window Reads what is there.
 * @param start Offset of the data there, in bytes.
 * @param differ Gets, once, the byte from about which on they differ.
 */
export function comparer(
  window: ByteWindow,
  start: number,
  differ: (at: number) => void,
): TakeData {
  let isSame = true;
  const tell = (at: number) => {
    isSame = false;
    differ(at);
  };
  const slowly = async (piece: Uint8Array, at: number, done: number) => {
    for (let from = done; from < piece.length;) {
      const view = window.view(start + at + from, piece.length - from);
      if (!view) {
        await window.load(start + at + from);
        continue;
      }
      if (!sameBytes(piece.subarray(from, from + view.length), view)) {
        return tell(at + from);
      }
      from += view.length;
    }
  };
  return (piece, at) => {
    if (!isSame) return;
    // Mostly all of it is at hand: that needs no promise.
    const view = window.view(start + at, piece.length);
    if (view?.length !== piece.length) return slowly(piece, at, 0);
    if (!sameBytes(piece, view)) tell(at);
  };
}

/** Gives a comparer a stretch of a layer that is read already. */
export async function compareAgain(
  source: FileSource,
  start: number,
  size: number,
  compare: TakeData,
): Promise<void> {
  for (let at = 0; at < size; at += CHUNK) {
    const length = Math.min(CHUNK, size - at);
    await compare(await readAt(source, start + at, length), at);
  }
}
