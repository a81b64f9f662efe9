import type { Compression } from "../streams/compression.ts";
import { fromStream, toStream } from "../streams/source.ts";
import { unpack } from "./decompress.ts";
import type { Input } from "./input.ts";
import { openInput } from "./open_input.ts";
import { MAX_WINDOW, type UnpackLimits } from "./unpack_limits.ts";

/** Without a limit on what a file may hold: a program knows its own files. */
const LIMITS: UnpackLimits = { maxUnpacked: Infinity, maxWindow: MAX_WINDOW };

/**
 * Opens a file as a source: a tar or an image file. A compression that it has
 * (gzip, zstd, xz or bzip2) is taken off; what comes out goes to a spool file
 * in the temporary directory (`TMPDIR`) while it is read.
 *
 * @param path The file.
 * @param limits What a compressed file may take at most; any size, and a window of
 * 128 MiB, unless given.
 * @returns The source. Close it in the end.
 * @throws {InputError} If it cannot be opened or is a directory.
 *
 * @example
 * ```ts
 * import { build } from "@isoc/isoc";
 * import { openFile } from "@isoc/isoc/node";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".tar.gz" });
 * const args = ["-czf", path, "-C", "tests", "."];
 * await new Deno.Command("tar", { args }).output();
 *
 * const rootfs = await openFile(path);
 * const isoc = await build(rootfs, { names: ["x"], command: ["/bin/sh"] });
 * await Deno.writeFile(`${path}.isoc`, isoc.stream());
 * rootfs.close();
 * assert.equal((await Deno.stat(`${path}.isoc`)).size, isoc.size);
 * ```
 */
export async function openFile(
  path: string,
  limits: Partial<UnpackLimits> = {},
): Promise<Input> {
  return await openInput(path, { ...LIMITS, ...limits });
}

/**
 * Takes a compression off a stream of bytes: gzip and zstd by the runtime where it can,
 * else by the program of that name. It is what `convert()` of `@isoc/isoc` may be given.
 *
 * @param stream The compressed bytes.
 * @returns The bytes; the stream fails where they are damaged or cut short.
 *
 * @example
 * ```ts
 * import { decompress } from "@isoc/isoc/node";
 * import assert from "node:assert/strict";
 *
 * const gzip = new CompressionStream("gzip");
 * const compressed = new Blob(["make container"]).stream().pipeThrough(gzip);
 * const stream = decompress(compressed, "gzip");
 * assert.equal(await new Response(stream).text(), "make container");
 * ```
 */
export function decompress(
  stream: ReadableStream<Uint8Array>,
  compression: Compression,
): ReadableStream<Uint8Array> {
  const chunks = fromStream(stream);
  return toStream(unpack(chunks, compression, "the stream", LIMITS));
}
