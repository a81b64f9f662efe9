import { named } from "./failure.ts";
import { host } from "../system/host.ts";
import { openFileOutput, openOutput } from "../system/output.ts";
import { ways } from "../system/ways.ts";
import { type Packing, windowFor } from "../streams/packing.ts";
import type { Sink } from "../streams/sink.ts";
import { fromStream, toStream } from "../streams/source.ts";
import { compress } from "../system/compress.ts";
import { MAX_WINDOW, type UnpackLimits } from "../system/unpack_limits.ts";
import { MAX_UNPACKED } from "../rootfs/holes.ts";
import type { Parsed } from "./options.ts";
import { Progress } from "./progress.ts";
import { parseSize } from "./size.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Where --output says that an archive goes.
 *
 * @returns A path, or `undefined` for standard output.
 * @throws {UsageError} If that is a terminal.
 */
export function outputPath(parsed: Parsed): string | undefined {
  const given = parsed.value("output");
  const output = given === "-" ? undefined : given;
  if (output === undefined && host.isTerminal(1)) {
    throw new UsageError(
      "The archive is not for a terminal: give a file with -o, or redirect it",
    );
  }
  return output;
}

/**
 * What --max-unpacked and --max-window say, in bytes.
 *
 * @throws {UsageError} If one is no size.
 */
export function unpackLimits(parsed: Parsed): UnpackLimits {
  return {
    maxUnpacked: sizeOf(parsed, "max-unpacked") ?? MAX_UNPACKED,
    maxWindow: sizeOf(parsed, "max-window") ?? MAX_WINDOW,
  };
}

function sizeOf(parsed: Parsed, name: string): number | undefined {
  const text = parsed.value(name);
  if (text === undefined) return undefined;
  return named(`--${name}`, () => parseSize(text));
}

/** A progress bar, where standard error is a terminal and not to be quiet. */
export function progressBar(
  quiet: boolean,
  label: string,
  total: number | undefined,
): Progress | undefined {
  if (quiet || !host.isTerminal(2)) return undefined;
  return new Progress({
    write: (text) => host.print(text),
    total,
    columns: host.columns(),
    label,
  });
}

/** How {@linkcode writeOutput} writes. */
export interface WriteOptions {
  /** Shows what has been written; ended here. */
  bar?: Progress | undefined;
  /** Gives a file its name before it is on the disk. */
  noFsync?: boolean;
  /** How the file is compressed, if it is. */
  packing?: Packing | undefined;
  /** Bytes of the stream, where that is known. */
  size?: number | undefined;
}

/**
 * Writes a stream to its place: a file appears when it is complete.
 *
 * @param path The file, or `undefined` for standard output.
 * @returns How many bytes were written.
 */
export async function writeOutput(
  stream: ReadableStream<Uint8Array>,
  path: string | undefined,
  { bar, noFsync = false, packing, size }: WriteOptions = {},
): Promise<number> {
  let output;
  let written = 0;
  try {
    const onWritten = (bytes: number) => {
      written += bytes;
      if (!packing) bar?.add(bytes);
    };
    output = await openOutput(path, { onWritten, noFsync });
    await packed(stream, packing, { size, bar }).pipeTo(output.writable);
    await output.commit();
    return written;
  } catch (error) {
    output?.abort();
    throw error;
  } finally {
    bar?.end();
  }
}

/** A stream, compressed; its progress is that of what goes in. */
function packed(
  stream: ReadableStream<Uint8Array>,
  packing: Packing | undefined,
  { size, bar }: Pick<WriteOptions, "size" | "bar">,
): ReadableStream<Uint8Array> {
  if (!packing) return stream;
  async function* counted() {
    for await (const chunk of fromStream(stream)) {
      bar?.add(chunk.length);
      yield chunk;
    }
  }
  const { window } = packing;
  return toStream(compress(counted(), {
    ...packing,
    ...(window !== undefined && { window: windowFor(window, size) }),
  }));
}

/**
 * Writes a new file out of order; it appears when it is complete.
 *
 * @param write Writes into the sink.
 * @param noFsync As in {@linkcode WriteOptions}.
 * @returns What that gives; `undefined` if the output cannot be written so: it is
 * a pipe, a device or standard output.
 */
export async function placeOutput<T>(
  path: string | undefined,
  write: (sink: Sink) => Promise<T>,
  noFsync: boolean,
): Promise<T | undefined> {
  const output = path === undefined || ways().has("stream")
    ? undefined
    : openFileOutput(path, { noFsync });
  if (!output) return undefined;
  try {
    const result = await write(output.sink);
    await output.commit();
    return result;
  } catch (error) {
    output.abort();
    throw error;
  }
}
