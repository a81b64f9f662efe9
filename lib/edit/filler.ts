import { inputChanged } from "../errors/input_changed.ts";
import {
  allocate,
  CHUNK,
  fromStream,
  readAt,
  type Source,
} from "../streams/source.ts";

/** Makes large chunks of pieces. */
export class Filler {
  /** Bytes that are still to come, those of the chunk not among them. */
  left: number;
  #chunk: Uint8Array;
  #filled = 0;
  #full: Uint8Array[] = [];

  /** @param size Bytes of all chunks; what comes after them is left out. */
  constructor(size: number) {
    this.left = size;
    this.#chunk = allocate(Math.min(CHUNK, size));
  }

  /** Whether a chunk can be taken. */
  get isFull(): boolean {
    return this.#full.length > 0;
  }

  add(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && this.left > 0;) {
      const room = this.room(piece.length - at);
      room.set(piece.subarray(at, at + room.length));
      at += room.length;
    }
  }

  /** Room for bytes, which counts as filled; there may be less than wanted. */
  room(wanted: number): Uint8Array {
    const from = this.#filled;
    const to = Math.min(from + wanted, this.#chunk.length);
    const room = this.#chunk.subarray(from, to);
    this.#filled = to;
    this.left -= room.length;
    if (to === this.#chunk.length && to > 0) {
      this.#full.push(this.#chunk);
      this.#chunk = allocate(Math.min(CHUNK, this.left));
      this.#filled = 0;
    }
    return room;
  }

  /** The chunks that are full. */
  take(): Uint8Array[] {
    return this.#full.splice(0);
  }
}

/** Fills memory with a stretch of a source. */
export function fillFrom(
  base: Source,
  room: Uint8Array,
  start: number,
): Promise<void> | undefined {
  if (!base.fill) return copyFrom(base, room, start);
  if (base.fill(room, start) < room.length) throw inputChanged();
  return undefined;
}

async function copyFrom(
  base: Source,
  room: Uint8Array,
  start: number,
): Promise<void> {
  const bytes = await readAt(base, start, room.length);
  if (bytes.length < room.length) throw inputChanged();
  room.set(bytes);
}

/** Whoever changes a source while it is read is found out at the end of a stream. */
export async function checkSame(base: Source): Promise<void> {
  const end = base.slice(0, 0).stream();
  for await (const chunk of fromStream(end)) {
    if (chunk.length > 0) throw inputChanged();
  }
}
