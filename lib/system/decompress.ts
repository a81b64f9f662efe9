import { FileError } from "../errors/file_error.ts";
import {
  type Compression,
  compressionOf,
  LOOKED_AT,
} from "../streams/compression.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import { fromStream, readAt, type Source } from "../streams/source.ts";
import { ZstdFrames } from "../streams/zstd_frames.ts";
import { decompressBy } from "./decompress_program.ts";
import { framesOf, gunzip, zstdInflater } from "./inflate.ts";
import { packedLayer, type Stored } from "./packed_layer.ts";
import { openSpool } from "./spool_file.ts";
import { type UnpackLimits, windowError } from "./unpack_limits.ts";

/**
 * Takes a compression off, by the runtime's own code or by a program.
 *
 * @param chunks The compressed bytes. Released.
 * @param name What messages call them.
 * @throws {FileError} If they are damaged or cut short, junk follows, or they
 * hold or need more than the limits.
 */
export async function* unpack(
  chunks: AsyncGenerator<Uint8Array>,
  compression: Compression,
  name: string,
  { maxUnpacked, maxWindow }: UnpackLimits,
): AsyncGenerator<Uint8Array> {
  yield* limited(
    compression === "gzip"
      ? gunzip(chunks, name)
      : compression === "zstd"
      ? unzstd(chunks, name, maxWindow)
      : decompressBy(compression, chunks, name, maxWindow),
    maxUnpacked,
    name,
  );
}

/**
 * Node before 22.15 has no zstd: there the program does it. fzstd, the one
 * decoder in plain JavaScript, checks no checksum, and no newer runtime needs
 * it.
 */
function unzstd(
  chunks: AsyncGenerator<Uint8Array>,
  name: string,
  maxWindow: number,
): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames({
    maxWindow,
    tooLarge: (window) => windowError(name, "zstd", maxWindow, window),
  });
  return zstdInflater(chunks, frames, name) ??
    decompressBy("zstd", framesOf(chunks, frames, name), name, maxWindow);
}

/** Refuses more bytes than a limit: a small file can hold terabytes of zeros. */
async function* limited(
  chunks: AsyncGenerator<Uint8Array>,
  limit: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) {
      throw new FileError(
        `${name} holds more than ${limit} bytes when it is decompressed; if ` +
          "that is right, raise the limit with --max-unpacked",
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
 * @param digest SHA-256 of the compressed bytes in hex, where the image says it.
 * @returns The uncompressed layer: the source itself, or an {@linkcode Input}.
 */
export async function unpackLayer(
  source: Stored,
  name: string,
  limits: UnpackLimits,
  digest?: string,
): Promise<{ source: Source; compression?: Compression }> {
  const compression = compressionOf(await readAt(source, 0, LOOKED_AT));
  if (!compression) return { source };
  const unpackStored = () =>
    unpack(fromStream(source.stream()), compression, name, limits);
  async function* unpackChecked() {
    const stored = fromStream(source.stream());
    const checked = digest
      ? digestChecked(
        stored,
        digest,
        () =>
          new FileError(
            `${name} is damaged: its digest is not sha256:${digest}`,
          ),
      )
      : stored;
    yield* unpack(checked, compression!, name, limits);
  }
  const spool = openSpool(-1, name, unpackChecked());
  if (compression !== "gzip") return { source: spool, compression };
  const facts = packedLayer({
    stored: source,
    digest,
    limit: limits.maxUnpacked,
    unpack: unpackStored,
    once: () => spool.once!(),
  });
  return { source: Object.assign(spool, facts), compression };
}
