import { OPEN_MEANT } from "./meant_file.ts";
import { WRITE_ALL } from "./whole_calls.ts";

/** Words of the state that both threads of an unpacking share. */
export const WORD = {
  /** How many bytes are in the file. */
  there: 0,
  /** Whether the thread writes nothing any more: it has ended. */
  ended: 1,
  /** Whether it is to stop. */
  stop: 2,
  end: 3,
} as const;

/** Bytes decompressed at once: of larger pieces less memory comes back at once. */
const INFLATED = 1 << 16;

/**
 * What the thread runs: it takes gzip off a stretch of a file and writes what
 * comes to its place in another one. It hashes both. It says nothing of an error:
 * whoever started it finds it again. It never creates a file, takes none that is
 * not the one that was meant, and writes no byte past its room.
 */
export const UNPACK = `
${OPEN_MEANT}
${WRITE_ALL}
Promise.all([
  import("node:crypto"),
  import("node:fs"),
  import("node:zlib"),
]).then(async ([{ createHash }, fs, zlib]) => {
  const { start, room, input, digest, size } = data;
  const state = new BigInt64Array(data.state);
  const files = [];
  const open = (file, flags) => {
    const fd = openMeant(fs, file, flags);
    if (fd > 0) files.push(fd);
    return fd;
  };
  const say = (there) => {
    const before = Atomics.exchange(state, ${WORD.there}, BigInt(there));
    // To be woken takes long.
    if (Math.floor(there / size) > Math.floor(Number(before) / size)) {
      Atomics.notify(state, ${WORD.there});
    }
  };
  const mustGoOn = () => {
    if (Atomics.load(state, ${WORD.stop}) > 0n) throw "it is stopped";
  };
  let hex;
  try {
    const from = open(input, "r");
    const to = open(data, "r+");
    const packed = digest ? createHash("sha256") : undefined;
    const hash = createHash("sha256");
    const inflate = zlib.createGunzip({ chunkSize: ${INFLATED} });
    const feed = async () => {
      const buffer = new Uint8Array(size);
      for (let at = 0; at < input.size;) {
        mustGoOn();
        const most = Math.min(size, input.size - at);
        const count = fs.readSync(from, buffer, 0, most, input.start + at);
        if (count === 0) throw "it is shorter";
        const bytes = buffer.subarray(0, count);
        packed?.update(bytes);
        await new Promise((resolve, reject) =>
          inflate.write(bytes, (error) => error ? reject(error) : resolve())
        );
        at += count;
      }
      inflate.end();
    };
    feed().catch((error) => inflate.destroy(Error(error)));
    let there = 0;
    for await (const bytes of inflate) {
      mustGoOn();
      if (there + bytes.length > room) throw "it is larger";
      writeAll(fs, to, bytes, start + there);
      hash.update(bytes);
      there += bytes.length;
      say(there);
      // Collectors let tens of megabytes pile up.
      if (bytes.length === bytes.buffer.byteLength) bytes.buffer.transfer?.(0);
    }
    if (inflate.bytesWritten !== input.size) throw "something follows";
    if (packed && packed.digest("hex") !== digest) throw "it is damaged";
    hex = hash.digest("hex");
  } catch {
    // The first thread does it again, and reports its errors.
  } finally {
    for (const fd of files) fs.closeSync(fd);
  }
  Atomics.store(state, ${WORD.ended}, 1n);
  Atomics.notify(state, ${WORD.there});
  port.postMessage(hex);
});`;
