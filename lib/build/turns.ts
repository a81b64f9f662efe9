import { inputChanged } from "../errors/input_changed.ts";
import { padded } from "../tar/block.ts";
import { TarReader } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import type { Stretch } from "./stretch.ts";

/** How much of a window is used: headers below rootfs/ may be longer. */
export const USED = 0.97;

/**
 * Finds where rootfs/ pauses for each layer, so that a compressor finds the second
 * copy of a file within its window. A layer comes in the middle of its own files:
 * from each copy to the other is half of its size, so that it may be two windows
 * long, which is the most that any order can give.
 *
 * @param layers Their sizes, lowest first, in bytes.
 * @param rootfs Bytes below rootfs/.
 * @param window How far back the compressor looks, in bytes.
 * @returns An offset in rootfs/ for each layer; nothing if it is to come after all
 * layers, since the window reaches over them.
 */
export function pausesOf(
  layers: readonly number[],
  rootfs: number,
  window: number,
): number[] | undefined {
  const total = layers.reduce((sum, size) => sum + size, 0);
  const reach = window * USED;
  if (total <= reach) return undefined;
  // What upper layers replace is not below rootfs/, and nobody knows where it was.
  const scale = rootfs / total;
  let before = 0;
  return layers.map((size) => {
    const pause = before + Math.min(size / 2, reach);
    before += size;
    return Math.floor(pause * scale);
  });
}

/**
 * Cuts a stretch of entries into parts, each between the two entries nearest to an
 * offset. The parts are read in order: they share one pass over the stretch.
 *
 * @param offsets Where they are cut, in bytes, in order.
 * @returns One part more than there are offsets.
 */
export function partsOf(
  { size, chunks }: Stretch,
  offsets: readonly number[],
): Stretch[] {
  let pass: AsyncGenerator<Uint8Array | typeof PAUSE>;
  let read = 0;
  return [...offsets, undefined].map((offset, i) => ({
    size: undefined,
    async *chunks() {
      if (i === 0) {
        pass = withPauses(chunks(), offsets);
        read = 0;
      }
      let isWhole = false;
      try {
        for (;;) {
          const { value, done } = await pass.next();
          if (done || value === PAUSE) break;
          read += value.length;
          yield value;
        }
        isWhole = true;
      } finally {
        // The stretch's source is let go of.
        if (!isWhole) await pass.return(undefined);
      }
      if (offset === undefined && read !== size) throw inputChanged();
    },
  }));
}

const PAUSE = Symbol();

/** The bytes of entries, and where they are cut. */
async function* withPauses(
  chunks: AsyncGenerator<Uint8Array>,
  offsets: readonly number[],
): AsyncGenerator<Uint8Array | typeof PAUSE> {
  const tar = new TarReader(wholeBlocks(chunks));
  let next = 0;
  for await (const bytes of tar.buffers()) {
    let start = 0;
    let end = 0;
    for (let item; (item = tar.next());) {
      if (item.part === "header") {
        const { start: at, end: data, entry } = item;
        const middle = tar.offset + (at + data + padded(entry.stored)) / 2;
        for (; next < offsets.length && offsets[next]! <= middle; next++) {
          if (at > start) yield bytes.slice(start, at);
          start = at;
          yield PAUSE;
        }
      }
      end = item.end;
    }
    if (end > start) yield bytes.slice(start, end);
  }
  for (; next < offsets.length; next++) yield PAUSE;
}
