import type { StoredLayer } from "../read/stored_image.ts";
import {
  type KnownLayer,
  type LayerPieces,
  packedAlready,
  type PackedLayer,
} from "../registry/push_layer.ts";
import { LAYER_METHODS, type LayerMethod, LEVELS } from "../streams/packing.ts";
import { sha256 } from "../streams/sha256.ts";
import { compressionOf, LOOKED_AT } from "../streams/compression.ts";
import { lentChunks, readAt } from "../streams/source.ts";
import { compressBlocks } from "../system/compress_blocks.ts";
import { host } from "../system/host.ts";
import { packChunks } from "../system/pack_layer.ts";
import type { FileMemory } from "../system/upload_memory.ts";
import { type COMPRESSIONS, methodOf } from "./compress_options.ts";
import type { Parsed } from "./options.ts";

/** How uncompressed layers go out. */
export interface PushPacking {
  /** None if they go out as they are. */
  method: LayerMethod | undefined;
  level: number;
}

/** Half the time of level 6, and as small as what skopeo sends. */
const GZIP_LEVEL = 3;
/** As much as zlib takes: a tenth quicker, and nearly as small. */
const GZIP_MEMORY = 9;

/**
 * How uncompressed layers go out, by --compression.
 *
 * @param usual What that is unless given.
 * @throws {UsageError} If its value is wrong.
 */
export function pushPacking(
  parsed: Parsed,
  usual: (typeof COMPRESSIONS)[number] = "gzip",
): PushPacking {
  const text = parsed.value("compression") ?? usual;
  const { method, level } = methodOf("--compression", text, LAYER_METHODS);
  const own = method === "zstd" ? LEVELS.zstd.usual : GZIP_LEVEL;
  return { method, level: level ?? own };
}

/**
 * Makes a layer ready to go out: as it is if it is compressed, else compressed
 * into a spool file.
 *
 * @param layer The layer.
 * @param packing How an uncompressed one goes out.
 * @param memory Remembers what became of it.
 * @param signal Stops it.
 */
export async function packLayer(
  layer: StoredLayer,
  packing: PushPacking,
  memory: FileMemory | undefined,
  signal: AbortSignal,
): Promise<PackedLayer> {
  const ready = await packedAlready(layer);
  if (ready) return ready;
  const { source } = layer;
  const chunks = stoppable(bytesOf(source), signal);
  const { method, level } = packing;
  if (method === undefined) {
    const digest = layer.digest ?? await digestOf(chunks);
    return {
      digest: `sha256:${digest}`,
      size: source.size,
      source,
      suffix: "",
    };
  }
  const packed = await packChunks(chunks, method, level, GZIP_MEMORY);
  const { digest, size } = packed;
  const key = keyOf(layer, packing);
  if (key !== undefined) memory?.set(key, `${digest} ${size}`);
  return {
    digest: `sha256:${digest}`,
    size,
    source: packed.source,
    suffix: `+${method}`,
    // It goes on where it went out while it was compressed.
    ...(key !== undefined && { key: uploadKey(key) }),
    close: packed.close,
  };
}

/**
 * Compresses a layer while it goes out.
 *
 * @param layer The layer.
 * @param packing How an uncompressed one goes out.
 * @param memory Remembers what became of it.
 * @param signal Stops it.
 * @returns `undefined` if it goes out as it is, or has no name to be known by.
 */
export async function packPieces(
  layer: StoredLayer,
  packing: PushPacking,
  memory: FileMemory | undefined,
  signal: AbortSignal,
): Promise<LayerPieces | undefined> {
  const key = keyOf(layer, packing);
  const { method, level } = packing;
  if (key === undefined || method === undefined) return undefined;
  const { source } = layer;
  if (compressionOf(await readAt(source, 0, LOOKED_AT))) return undefined;
  return {
    pieces: () =>
      compressBlocks(
        stoppable(bytesOf(source), signal),
        method,
        level,
        GZIP_MEMORY,
      ),
    suffix: `+${method}`,
    key: uploadKey(key),
    onUploaded: ({ digest, size }) =>
      memory?.set(key, `${digest.replace("sha256:", "")} ${size}`),
  };
}

/**
 * What became of a layer when it was compressed before. Where the registry has
 * that already, there is nothing to compress.
 */
export function knownLayer(
  layer: StoredLayer,
  packing: PushPacking,
  memory: FileMemory | undefined,
): KnownLayer | undefined {
  const key = keyOf(layer, packing);
  const text = key && memory?.get(key);
  const [, digest, size] = /^([0-9a-f]{64}) (\d{1,15})$/.exec(text ?? "") ?? [];
  if (!key || digest === undefined) return undefined;
  return {
    digest: `sha256:${digest}`,
    size: Number(size),
    suffix: `+${packing.method}`,
    key: uploadKey(key),
  };
}

/** What a layer is remembered by: its diff ID, if it is not compressed. */
function keyOf(
  { digest, diffId, aci }: StoredLayer,
  { method, level }: PushPacking,
): string | undefined {
  const isPlain = diffId !== undefined && !aci &&
    (digest === undefined || digest === diffId);
  return isPlain && method ? `${diffId} ${method}:${level}` : undefined;
}

/** What an unfinished upload is remembered by: runtimes compress differently. */
function uploadKey(key: string): string {
  return `${key} ${host.runtime()}`;
}

/** A layer's bytes; each chunk is the reader's only until it asks for the next. */
async function* bytesOf(
  source: StoredLayer["source"],
): AsyncGenerator<Uint8Array> {
  yield* lentChunks(source, 0, source.size);
  source.place?.check();
}

async function* stoppable(
  chunks: AsyncGenerator<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
  }
}

async function digestOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = sha256();
  for await (const chunk of chunks) hash.update(chunk);
  return hash.hex();
}
