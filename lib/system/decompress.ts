import { type Compression, compressionOf } from "../streams/compression.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import {
  type ChildProcessWithoutNullStreams,
  isDeno,
  spawn,
  zlib,
} from "./node.ts";
import { fromStream, readAt, type Source } from "../streams/source.ts";
import { ZstdFrames } from "../streams/zstd_frames.ts";
import { isFileError } from "./errors.ts";
import { feed } from "./feed.ts";
import { openSpool } from "./spool_file.ts";

/** Bytes decompressed at once. */
const INFLATED = 1 << 16;

/** Takes a compression off, by the runtime's own code or by a program. */
export async function* unpack(
  chunks: AsyncGenerator<Uint8Array>,
  compression: Compression,
  name: string,
): AsyncGenerator<Uint8Array> {
  const options = { chunkSize: INFLATED };
  const inflate = compression === "gzip"
    ? zlib.createGunzip(options)
    : compression === "zstd"
    ? zstdInflate(options)
    : undefined;
  if (inflate) {
    const frames = compression === "zstd" ? new ZstdFrames() : undefined;
    const input = frames ? followed(chunks, frames) : chunks;
    let failure: unknown;
    feed(input, inflate).catch((error) => {
      failure = error;
      inflate.destroy(error);
    });
    try {
      for await (const chunk of inflate) yield ownBytes(chunk);
      if (frames && !frames.isComplete) throw new Error("The frame goes on");
    } catch (error) {
      // Reading the compressed bytes has failed: its own message says more.
      if (failure) throw failure;
      if (isFileError(error)) throw error;
      throw new Error(
        `${name}: the ${compression} data are damaged or cut short`,
        { cause: error },
      );
    } finally {
      inflate.destroy();
    }
    return;
  }
  yield* unpackBy(compression, chunks, name);
}

/** Passes chunks on, and shows them to one who follows the frames. */
async function* followed(
  chunks: AsyncGenerator<Uint8Array>,
  frames: ZstdFrames,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    frames.feed(chunk);
    yield chunk;
  }
}

/** The runtime's own zstd: Bun and newer versions of Deno and Node have it. */
function zstdInflate(options: { chunkSize: number }): zlib.Gunzip | undefined {
  if (!("createZstdDecompress" in zlib)) return undefined;
  try {
    const create = zlib.createZstdDecompress as typeof zlib.createGunzip;
    // ZSTD_d_windowLogMax: windows above 128 MiB have to be asked for.
    const params = { 100: 31 };
    return create({ ...options, params } as zlib.ZlibOptions);
  } catch {
    // Deno 2.6 has the name, and nothing behind it.
    return undefined;
  }
}

/** Takes a compression off by the program of the same name. */
async function* unpackBy(
  program: string,
  chunks: AsyncGenerator<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const missing = (cause: unknown) =>
    new Error(
      `${name} is compressed with ${program}, which needs the program ` +
        `${program}: install it${
          isDeno
            ? `, and under deno run allow it with --allow-run=${program}`
            : ""
        }, or decompress the file first`,
      { cause },
    );
  let started = true;
  let child: ChildProcessWithoutNullStreams;
  try {
    // zstd refuses windows above 128 MiB unless it is asked for more.
    const args = program === "zstd" ? ["-dc", "--long=31"] : ["-dc"];
    child = spawn(program, args, { stdio: "pipe" });
    child.on("error", () => {
      started = false;
    });
  } catch (error) {
    throw missing(error);
  }
  // Without permission Deno gives a child that has no streams.
  if (!child.stdin) throw missing(undefined);
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => resolve(code));
    child.on("error", () => resolve(null));
  });
  feed(chunks, child.stdin).catch((error) => child.stdout.destroy(error));
  child.stderr.resume();
  try {
    try {
      for await (const chunk of child.stdout) yield ownBytes(chunk);
    } catch (error) {
      // Bun closes the stream of a program that it does not find.
      child.kill();
      await ended;
      throw started ? error : missing(error);
    }
    const code = await ended;
    if (!started) throw missing(undefined);
    if (code !== 0) {
      throw new Error(`${name}: the ${program} data are damaged or cut short`);
    }
  } finally {
    child.kill();
  }
}

/** A copy that is the whole of its buffer; Node's are slices of shared ones. */
function ownBytes(chunk: Uint8Array): Uint8Array {
  return chunk.byteLength === chunk.buffer.byteLength
    ? new Uint8Array(chunk.buffer as ArrayBuffer)
    : new Uint8Array(chunk);
}

/** Refuses more bytes than a limit: a small file can hold terabytes of zeros. */
export async function* limited(
  chunks: AsyncGenerator<Uint8Array>,
  limit: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) {
      throw new Error(
        `${name} holds more than ${limit} bytes when it is decompressed; if ` +
          "it shall, raise the limit with --max-unpacked",
      );
    }
    yield chunk;
  }
}

/**
 * Takes the compression off a layer of an image, if it has one.
 *
 * @param source The layer as its image holds it.
 * @param name What messages call it.
 * @param maxUnpacked Bytes at most that it may hold.
 * @param digest SHA-256 of the compressed bytes in hex, where the image says it.
 * @returns The uncompressed layer: the source itself, or an {@linkcode Input}.
 */
export async function unpackLayer(
  source: Source,
  name: string,
  maxUnpacked: number,
  digest?: string,
): Promise<{ source: Source; compression?: Compression }> {
  const compression = compressionOf(await readAt(source, 0, 8));
  if (!compression) return { source };
  const stored = fromStream(source.stream());
  const checked = digest
    ? digestChecked(
      stored,
      digest,
      `${name} is damaged: its digest is not sha256:${digest}`,
    )
    : stored;
  const chunks = unpack(checked, compression, name);
  return {
    source: openSpool(-1, name, limited(chunks, maxUnpacked, name)),
    compression,
  };
}
