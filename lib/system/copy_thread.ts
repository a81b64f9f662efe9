import { OPEN_MEANT } from "./meant_file.ts";

/** Places in the memory that both threads share, of a chunk each. */
export const PLACES = 12;

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
  /** Chunks that have a place to be read into. */
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
Promise.all([import("node:crypto"), import("node:fs")])
  .then(([{ createHash }, fs]) => {
  const { start, input, size } = data;
  const ring = new Uint8Array(data.ring);
  const state = new Int32Array(data.state);
  const offsets = new BigInt64Array(data.offsets);
  // Where stretches of the input start, in the file and in all of them.
  const starts = new Float64Array(data.starts);
  const sums = new Float64Array(data.sums);
  const load = (at) => Atomics.load(state, at);
  const claims = (at, count) =>
    Atomics.compareExchange(state, at, count, count + 1) === count;
  const say = (at, value) => {
    Atomics.store(state, at, value);
    Atomics.add(state, ${WORD.there}, 1);
    Atomics.notify(state, ${WORD.there});
  };
  const fill = (fd, bytes, position) => {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.length - at;
      const count = fs.readSync(fd, bytes, at, rest, position + at);
      if (count === 0) throw "it is shorter";
      at += count;
    }
    return bytes;
  };
  let fd = -1, from = -1, stretch = 0;
  const gather = (bytes, at) => {
    while (sums[stretch] > at) stretch--;
    for (let done = 0; done < bytes.length;) {
      while (sums[stretch + 1] <= at + done) stretch++;
      const skip = at + done - sums[stretch];
      const end = sums[stretch + 1] - at;
      const room = bytes.subarray(done, end);
      fill(from, room, starts[stretch] + skip);
      done += room.length;
    }
  };
  const read = () => {
    const chunk = load(${WORD.read});
    if (from < 0 || chunk >= load(${WORD.granted})) return false;
    if (!claims(${WORD.read}, chunk)) return true;
    const at = load(${WORD.place} + chunk % ${PLACES}) * size;
    const length = Math.min(size, input.size - chunk * size);
    gather(ring.subarray(at, at + length), chunk * size);
    say(${WORD.filled} + chunk % ${PLACES}, chunk + 1);
    return true;
  };
  const place = (part) => {
    const at = load(${WORD.offset} + part % ${PLACES});
    return ring.subarray(at, at + load(${WORD.length} + part % ${PLACES}));
  };
  const write = () => {
    const part = load(${WORD.written});
    if (part >= load(${WORD.made})) return false;
    if (!claims(${WORD.written}, part)) return true;
    const bytes = place(part);
    const position = Number(Atomics.load(offsets, part % ${PLACES}));
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.length - done;
      done += fs.writeSync(fd, bytes, done, rest, position + done);
    }
    say(${WORD.kept} + part % ${PLACES}, part + 1);
    return true;
  };
  try {
    fd = openMeant(fs, data, "r+");
    try {
      from = openMeant(fs, input, "r");
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
        const bytes = own.subarray(0, end - at);
        hash.update(fill(fd, bytes, at));
        at += bytes.length;
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
        hash.update(place(part));
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
    for (const one of [fd, from]) if (one > 0) fs.closeSync(one);
  }
});`;
