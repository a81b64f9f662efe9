import { concat } from "../streams/bytes.ts";
import type { LayerMethod } from "../streams/packing.ts";
import { cutFirstFrame } from "../streams/zstd_frames.ts";
import { BLOCK, BlockMemory } from "./block_memory.ts";
import { compressThreads } from "./compress_threads.ts";
import { isDeno, zlib } from "./node.ts";
import { zstdParams } from "./zstd.ts";

/** Compresses blocks, several at a time. */
interface BlockCompressor {
  /** Memory for blocks and their ends. */
  readonly memory: BlockMemory;
  /**
   * Compresses a block.
   *
   * @param block The block, whose memory becomes another block's.
   * @param before How the block before it ends, for gzip; the same.
   */
  compress(
    block: Uint8Array<ArrayBuffer>,
    before?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array>;
  close(): void;
}

/** How zlib compresses. */
interface Size {
  level: number;
  memLevel: number;
}

/**
 * A compressor of blocks on all cores: each gives deflate data that end on a byte,
 * without a last block, or a zstd frame.
 */
export function blockCompressor(
  compression: LayerMethod,
  size: Size,
): BlockCompressor {
  const isGzip = compression === "gzip";
  const memory = new BlockMemory();
  const here: BlockCompressor = {
    memory,
    async compress(block, before) {
      const data = isGzip
        ? await deflate(block, before, size)
        : await zstdFrame(block, size.level);
      memory.give(block.buffer);
      memory.give(before?.buffer);
      return data;
    },
    close() {},
  };
  // Node's and Bun's zlib work in threads of their own.
  return isDeno ? inThreads(here, isGzip, size) : here;
}

/**
 * Bytes that a compressed block has at most. Deno's zlib puts all of it in one
 * piece of memory then, which can be given back at once: collectors let tens of
 * megabytes pile up. In pieces of another size it may make other bytes.
 */
const PACKED_BLOCK = BLOCK + (1 << 14);

/**
 * Compresses in other threads. Each takes some 40 ms to start, so all that a short
 * layer has, less than a block, is compressed here.
 */
function inThreads(
  here: BlockCompressor,
  isGzip: boolean,
  size: Size,
): BlockCompressor {
  const { memory } = here;
  const threads = compressThreads(
    `${isGzip ? "gzip" : "zstd"} ${size.level} ${size.memLevel}`,
    isGzip
      ? { deflate: deflateOptions(size) }
      : { params: zstdParams(size.level) },
  );
  const beside: BlockCompressor["compress"] = async (block, end) => {
    const answer = await threads.compress({
      buffer: block.buffer,
      size: block.length,
      before: end?.buffer,
    });
    memory.give(answer.buffer);
    memory.give(answer.before);
    return new Uint8Array(answer.result);
  };
  return {
    memory,
    async compress(block, end) {
      const isShort = block.length < BLOCK && !threads.haveStarted();
      const data =
        await (isShort ? here.compress(block, end) : beside(block, end));
      return isGzip ? data : cutFirstFrame(data);
    },
    close: threads.close,
  };
}

let canLookBack: boolean | undefined;

/** Whether the runtime's deflate looks at what comes before: Deno's does not. */
export function looksBack(): boolean {
  const bytes = new Uint8Array(256).map((_, i) => i);
  canLookBack ??= zlib().deflateRawSync(bytes, { dictionary: bytes }).length <
    bytes.length / 2;
  return canLookBack;
}

function deflateOptions(size: Size) {
  return {
    ...size,
    finishFlush: zlib().constants.Z_SYNC_FLUSH,
    ...(isDeno && { chunkSize: PACKED_BLOCK }),
  };
}

function deflate(
  block: Uint8Array,
  dictionary: Uint8Array | undefined,
  size: Size,
): Promise<Uint8Array> {
  const options = {
    ...deflateOptions(size),
    ...(dictionary && { dictionary }),
  };
  return new Promise((resolve, reject) =>
    zlib().deflateRaw(
      block,
      options,
      (error, data) => error ? reject(error) : resolve(data),
    )
  );
}

/**
 * Compresses a block into a zstd frame. A stream that knows how much comes gives
 * the same bytes on all runtimes; a call for all at once does not.
 */
function zstdFrame(block: Uint8Array, level: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = {
      params: zstdParams(level),
      pledgedSrcSize: block.length,
    };
    const packer = zlib().createZstdCompress(options);
    const parts: Uint8Array[] = [];
    packer.on("data", (part: Uint8Array) => parts.push(part));
    packer.on("error", reject);
    packer.on("end", () => resolve(concat(parts)));
    // The first write must not be the last one: that is a call for all at once.
    packer.write(block, () => packer.end());
  });
}
