import { OPEN_MEANT } from "./meant_file.ts";
import { WRITE_ALL } from "./whole_calls.ts";

/** Places in the memory that both threads share, of a chunk each. */
export const PLACES = 12;
/** Parts that are made before the first of them is given. */
export const DEPTH = 5;
/** Chunks that are read ahead: there are places for one more and for a new part. */
export const AHEAD = PLACES - DEPTH - 2;

/**
 * Words of the state that both threads share. Pieces of the input are chunks,
 * pieces of the output are parts; most words count them. Each thread has a word
 * that it changes to wake the other one.
 */
export const WORD = {
  here: 0,
  there: 1,
  /** Whether the other thread is to stop. */
  stop: 2,
  /** Whether it has failed. */
  failed: 3,
  /** Parts that this thread writes alone, until the other one takes over. */
  claimed: 4,
  /** Those that are in the output. */
  copied: 5,
  /** Chunks that are laid out in a place: their pieces can be read. */
  granted: 6,
  /** Chunks that somebody reads or has read. */
  read: 7,
  /** Parts that are ready to be hashed and written. */
  made: 8,
  /** Parts that somebody writes or has written. */
  written: 9,
  hashed: 10,
  /** Parts there are, and one more; 0 until that is known. */
  total: 11,
  // From here on, one word each for as many chunks or parts as there are places.
  /** The count of chunks with the one that has been read. */
  filled: 12,
  /** The place of a chunk. */
  place: 12 + PLACES,
  /** The count of parts with the one that is in the output. */
  kept: 12 + 2 * PLACES,
  /** Where in the shared memory a part is, in bytes, and how long it is. */
  offset: 12 + 3 * PLACES,
  length: 12 + 4 * PLACES,
  end: 12 + 5 * PLACES,
} as const;

/** Offsets in the output, which may be large: of parts, and of the end so far. */
export const OFFSET = { end: PLACES, size: PLACES + 1 } as const;

/** In {@linkcode WORD.claimed}: the other thread has taken over. */
export const TAKEN = -1;

/**
 * What the other thread of a copy runs. First it hashes what has been written
 * already. When it has caught up, it takes over: from then on chunks are read
 * into places that both threads share, and parts are in such places as well. It
 * hashes parts, and while there is nothing to hash, it reads chunks and writes
 * parts. It never creates a file, and takes none that is not the one that was
 * meant.
 */
export const COPY = `
${OPEN_MEANT}
${WRITE_ALL}
Promise.all([import("node:crypto"), import("node:fs")])
  .then(([{ createHash }, fs]) => {
  const { start, total, code, listSize, size } = data;
  const memory = new Uint8Array(data.memory);
  const lists = new Uint8Array(data.lists);
  const state = new Int32Array(data.state);
  const offsets = new BigInt64Array(data.offsets);
  const load = (at) => Atomics.load(state, at);
  const claims = (at, count) =>
    Atomics.compareExchange(state, at, count, count + 1) === count;
  const say = (at, value) => {
    Atomics.store(state, at, value);
    Atomics.add(state, ${WORD.there}, 1);
    Atomics.notify(state, ${WORD.there});
  };
  let fd = -1, readPieces;
  const read = () => {
    const chunk = load(${WORD.read});
    if (!readPieces || chunk >= load(${WORD.granted})) return false;
    if (!claims(${WORD.read}, chunk)) return true;
    const at = load(${WORD.place} + chunk % ${PLACES}) * size;
    const length = Math.min(size, total - chunk * size);
    const list = chunk % ${AHEAD} * listSize;
    readPieces(
      memory.subarray(at, at + length),
      lists.subarray(list, list + listSize),
    );
    say(${WORD.filled} + chunk % ${PLACES}, chunk + 1);
    return true;
  };
  const bytesOf = (part) => {
    const at = load(${WORD.offset} + part % ${PLACES});
    return memory.subarray(at, at + load(${WORD.length} + part % ${PLACES}));
  };
  const write = () => {
    const part = load(${WORD.written});
    if (part >= load(${WORD.made})) return false;
    if (!claims(${WORD.written}, part)) return true;
    const position = Number(Atomics.load(offsets, part % ${PLACES}));
    writeAll(fs, fd, bytesOf(part), position);
    say(${WORD.kept} + part % ${PLACES}, part + 1);
    return true;
  };
  try {
    fd = openMeant(fs, data, "r+");
    try {
      readPieces = new Function("fs", code)(fs);
    } catch {
      // Then the other thread reads all of it.
    }
    const hash = createHash("sha256");
    const own = new Uint8Array(size);
    let at = start, part = 0;
    for (;;) {
      const now = load(${WORD.here});
      if (load(${WORD.stop})) return;
      part = load(${WORD.copied});
      const end = Number(Atomics.load(offsets, ${OFFSET.end}));
      if (at < end) {
        const length = Math.min(size, end - at);
        const count = fs.readSync(fd, own, 0, length, at);
        if (count === 0) throw "it is shorter";
        hash.update(own.subarray(0, count));
        at += count;
        continue;
      }
      state[${WORD.written}] = state[${WORD.hashed}] = part;
      if (
        Atomics.compareExchange(state, ${WORD.claimed}, part, ${TAKEN}) === part
      ) break;
      Atomics.wait(state, ${WORD.here}, now);
    }
    for (;;) {
      const now = load(${WORD.here});
      if (load(${WORD.stop})) return;
      if (part < load(${WORD.made})) {
        hash.update(bytesOf(part));
        say(${WORD.hashed}, ++part);
      } else if (part + 1 === load(${WORD.total})) break;
      else if (!read() && !write()) Atomics.wait(state, ${WORD.here}, now);
    }
    port.postMessage(hash.digest("hex"));
  } catch {
    // What it has not done, and the hash, are made where the rest is.
    say(${WORD.failed}, 1);
    port.postMessage(undefined);
  } finally {
    if (fd >= 0) fs.closeSync(fd);
    readPieces?.close?.();
  }
});`;
