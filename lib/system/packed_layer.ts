import { FileError } from "../errors/file_error.ts";
import {
  type PackedFile,
  readAt,
  type Source,
  toStream,
} from "../streams/source.ts";

/** Bytes as an image holds them. */
export type Stored = Source & { size?: number | undefined };

/** What is known of a layer before it is unpacked. */
export interface PackedFacts {
  likelySize(): Promise<number | undefined>;
  /** The layer, of which only the first bytes are to be read. */
  before: Source & { size: number };
  packed: PackedFile | undefined;
}

/** What {@linkcode packedLayer} takes of a layer that is compressed with gzip. */
export interface PackedLayer {
  /** The compressed bytes. */
  stored: Stored;
  /** SHA-256 that they must have, in hex, if they are to be checked. */
  digest?: string | undefined;
  /** Bytes that the layer may have at most. */
  limit: number;
  /** Unpacks it from its start. */
  unpack(): AsyncGenerator<Uint8Array>;
  /** Gives the layer's bytes, if nothing has been read of it. */
  once(): AsyncGenerator<Uint8Array> | undefined;
}

/**
 * What can be known of a layer that is compressed with gzip before all of it is
 * unpacked: how large it is, most likely, how it begins, and where its file is.
 */
export function packedLayer(layer: PackedLayer): PackedFacts {
  const { stored, unpack } = layer;
  return {
    likelySize: () => likelySize(layer),
    before: beginning(unpack),
    packed: stored.place && packedFile(layer, stored.place),
  };
}

function packedFile(
  { digest, limit, once }: PackedLayer,
  place: PackedFile["place"],
): PackedFile {
  return { place, digest, limit, chunks: () => once()! };
}

/** The size of a tar is a multiple of this. */
const BLOCK = 512;

/** Of so many bytes deflate makes one at most. */
const MOST = 1032;

/**
 * What a gzip file says at its end: the size of its last member, and only its
 * lower 32 bits (RFC 1952, section 2.3.1). Anybody can write anything there.
 */
async function likelySize(
  { stored, limit }: PackedLayer,
): Promise<number | undefined> {
  const { size } = stored;
  if (size === undefined || size < 4) return undefined;
  const end = await readAt(stored, size - 4, 4);
  if (end.length < 4) return undefined;
  const said = new DataView(end.buffer, end.byteOffset).getUint32(0, true);
  const isLikely = said > 0 && said % BLOCK === 0 && said <= limit &&
    // What deflate cannot make smaller becomes a little larger.
    said >= size * 0.9 && said <= size * MOST;
  return isLikely ? said : undefined;
}

function beginning(
  unpack: () => AsyncGenerator<Uint8Array>,
): PackedFacts["before"] {
  async function* first(start: number, end: number) {
    let at = 0;
    try {
      for await (const bytes of unpack()) {
        yield bytes.slice(Math.max(start - at, 0), Math.max(end - at, 0));
        at += bytes.length;
        if (at >= end) return;
      }
    } catch (error) {
      // Whoever reads the layer says so.
      if (!(error instanceof FileError)) throw error;
    }
  }
  const slice = (start: number, end: number): Pick<Source, "stream"> => ({
    stream: () => toStream(first(start, end)),
  });
  return {
    size: Infinity,
    stream: () => toStream(unpack()),
    slice,
  };
}
