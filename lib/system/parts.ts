import { CHUNK } from "../streams/source.ts";

/** Where parts of a copy are. */
interface Rooms {
  /** Whether other threads can have bytes where they are. */
  holds(bytes: Uint8Array): boolean;
  /** Memory for a part, of a chunk's size. */
  room(): Uint8Array;
}

/**
 * Gathers pieces to parts. A large piece that stays where it is is a part; small
 * ones are brought together.
 *
 * @param pieces Lists of pieces, which last until the next list is asked for.
 */
export async function* partsOf(
  pieces: AsyncGenerator<readonly Uint8Array[]>,
  rooms: Rooms,
): AsyncGenerator<Uint8Array> {
  let room: Uint8Array | undefined;
  let filled = 0;
  for await (const list of pieces) {
    const [first] = list;
    const isPart = list.length === 1 && 2 * first!.length >= CHUNK &&
      rooms.holds(first!);
    if (isPart) {
      if (room) yield room.subarray(0, filled);
      room = undefined;
      filled = 0;
      yield first!;
      continue;
    }
    for (const piece of list) {
      for (let at = 0; at < piece.length;) {
        room ??= rooms.room();
        const some = piece.subarray(at, at + CHUNK - filled);
        room.set(some, filled);
        filled += some.length;
        at += some.length;
        if (filled < CHUNK) continue;
        yield room;
        room = undefined;
        filled = 0;
      }
    }
  }
  if (room) yield room.subarray(0, filled);
}
