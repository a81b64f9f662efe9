import { OPEN_MEANT } from "./meant_file.ts";

/** Places in the memory that both threads share, of a chunk each. */
export const PLACES = 8;

/**
 * Words of the state that both threads share: counts of chunks, most of them.
 * Each thread has a word that it changes to wake the other one.
 */
export const WORD = {
  here: 0,
  there: 1,
  /** Whether the other thread is to stop. */
  stop: 2,
  /** Whether it has failed. */
  failed: 3,
  /** Chunks that are laid out: their pieces can be read. */
  laidOut: 4,
  /** Chunks of which somebody reads or has read the pieces. */
  read: 5,
  /** Chunks that somebody writes or has written. */
  written: 6,
  hashed: 7,
  /** Chunks whose places are free again. */
  done: 8,
  /** For each place, the count of chunks with the one that is complete there. */
  filled: 9,
  /** For each place, the same of the one that is written. */
  kept: 9 + PLACES,
  end: 9 + 2 * PLACES,
} as const;

/**
 * What the other thread of a patchwork runs: it hashes chunks that are complete,
 * and reads pieces and writes as well while there is nothing to hash.
 */
export const PATCHWORK = `
${OPEN_MEANT}
Promise.all([import("node:crypto"), import("node:fs")])
  .then(([{ createHash }, fs]) => {
  const { start, total, size, listSize } = data;
  const ring = new Uint8Array(data.ring);
  const lists = new Uint8Array(data.lists);
  const state = new Int32Array(data.state);
  const count = Math.ceil(total / size);
  const load = (at) => Atomics.load(state, at);
  const claims = (at, chunk) =>
    Atomics.compareExchange(state, at, chunk, chunk + 1) === chunk;
  const say = (at, value) => {
    Atomics.store(state, at, value);
    Atomics.add(state, ${WORD.there}, 1);
    Atomics.notify(state, ${WORD.there});
  };
  const place = (chunk) => {
    const from = chunk % ${PLACES} * size;
    return ring.subarray(from, from + Math.min(size, total - chunk * size));
  };
  let fd = -1;
  try {
    const readPieces = new Function("fs", data.code)(fs);
    fd = openMeant(fs, data, "r+");
    const read = () => {
      const chunk = load(${WORD.read});
      if (chunk >= load(${WORD.laidOut})) return false;
      if (!claims(${WORD.read}, chunk)) return true;
      const from = chunk % ${PLACES} * listSize;
      readPieces(place(chunk), lists.subarray(from, from + listSize));
      say(${WORD.filled} + chunk % ${PLACES}, chunk + 1);
      return true;
    };
    const isFilled = (chunk) =>
      load(${WORD.filled} + chunk % ${PLACES}) === chunk + 1;
    const write = () => {
      const chunk = load(${WORD.written});
      if (chunk >= count || !isFilled(chunk)) return false;
      if (!claims(${WORD.written}, chunk)) return true;
      const bytes = place(chunk);
      for (let done = 0; done < bytes.length;) {
        const rest = bytes.length - done;
        done += fs.writeSync(fd, bytes, done, rest, start + chunk * size + done);
      }
      say(${WORD.kept} + chunk % ${PLACES}, chunk + 1);
      return true;
    };
    const hash = createHash("sha256");
    for (let chunk = 0; chunk < count;) {
      const now = load(${WORD.here});
      if (load(${WORD.stop})) return;
      if (isFilled(chunk)) {
        hash.update(place(chunk));
        say(${WORD.hashed}, ++chunk);
      } else if (!read() && !write()) Atomics.wait(state, ${WORD.here}, now);
    }
    port.postMessage(hash.digest("hex"));
  } catch {
    // What it has not done, and the hash, are made where the rest is.
    say(${WORD.failed}, 1);
    port.postMessage(undefined);
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
});`;
