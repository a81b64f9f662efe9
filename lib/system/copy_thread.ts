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
  /** Chunks that this thread copies alone, until the other one takes over. */
  claimed: 4,
  /** Those that are in the copy. */
  copied: 5,
  /** Chunks that somebody reads or has read into a place. */
  read: 6,
  /** Chunks that somebody writes or has written to the copy. */
  written: 7,
  hashed: 8,
  /** Chunks whose places are free again. */
  done: 9,
  /** For each place, the count of chunks with the one that is read into it. */
  filled: 10,
  /** For each place, the same of the one that is in the copy. */
  kept: 10 + PLACES,
  end: 10 + 2 * PLACES,
} as const;

/** In {@linkcode WORD.claimed}: the other thread has taken over. */
export const TAKEN = -1;

/**
 * What the other thread of a copy runs. First it hashes what has been copied
 * already. When it has caught up, it takes over: from then on chunks are read
 * into places that both threads share. It hashes them, and reads and writes as
 * well while there is nothing to hash. It never creates a file, and takes none
 * that is not the one that was meant.
 */
export const COPY = `
Promise.all([import("node:crypto"), import("node:fs")])
  .then(([{ createHash }, fs]) => {
  const { path, id, start, input, size } = data;
  const ring = new Uint8Array(data.ring);
  const state = new Int32Array(data.state);
  const OTHER = "the file is not what it was";
  const open = (path, id, flags) => {
    const fd = path === 0 ? 0 : fs.openSync(path, flags);
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    if (id === dev + ":" + ino) return fd;
    if (fd > 0) fs.closeSync(fd);
    throw OTHER;
  };
  const count = Math.ceil(input.size / size);
  const load = (at) => Atomics.load(state, at);
  const claims = (at, chunk) =>
    Atomics.compareExchange(state, at, chunk, chunk + 1) === chunk;
  const say = (at, value) => {
    Atomics.store(state, at, value);
    Atomics.add(state, ${WORD.there}, 1);
    Atomics.notify(state, ${WORD.there});
  };
  const lengthOf = (chunk) => Math.min(size, input.size - chunk * size);
  const place = (chunk) => {
    const from = chunk % ${PLACES} * size;
    return ring.subarray(from, from + lengthOf(chunk));
  };
  const fill = (fd, bytes, position) => {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.length - at;
      const count = fs.readSync(fd, bytes, at, rest, position + at);
      if (count === 0) throw OTHER;
      at += count;
    }
    return bytes;
  };
  let fd = -1, from = -1;
  const read = () => {
    const chunk = load(${WORD.read});
    if (chunk >= count || chunk - load(${WORD.done}) >= ${PLACES}) return false;
    if (!claims(${WORD.read}, chunk)) return true;
    fill(from, place(chunk), input.start + chunk * size);
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
  try {
    try {
      from = open(input.path, input.id, "r");
    } catch {
      // Then the other thread copies all of it.
    }
    fd = open(path, id, from >= 0 ? "r+" : "r");
    const hash = createHash("sha256");
    const own = new Uint8Array(size);
    const takesOver = (chunk) => {
      if (from < 0) return chunk === count;
      for (let at = ${WORD.read}; at <= ${WORD.done}; at++) state[at] = chunk;
      return Atomics.compareExchange(
        state,
        ${WORD.claimed},
        chunk,
        ${TAKEN},
      ) === chunk;
    };
    let chunk = 0;
    while (!takesOver(chunk)) {
      const now = load(${WORD.here});
      if (load(${WORD.stop})) return;
      if (load(${WORD.copied}) > chunk) {
        const bytes = own.subarray(0, lengthOf(chunk));
        hash.update(fill(fd, bytes, start + chunk++ * size));
      } else Atomics.wait(state, ${WORD.here}, now);
    }
    while (chunk < count) {
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
    for (const one of [fd, from]) if (one > 0) fs.closeSync(one);
  }
});`;
