import { named } from "./failure.ts";
import { host } from "../system/host.ts";
import { openFileOutput, openOutput } from "../system/output.ts";
import { ways } from "../system/ways.ts";
import type { Sink } from "../streams/sink.ts";
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
}

/**
 * Writes a stream to its place: a file appears when it is complete.
 *
 * @param path The file, or `undefined` for standard output.
 */
export async function writeOutput(
  stream: ReadableStream<Uint8Array>,
  path: string | undefined,
  { bar, noFsync = false }: WriteOptions = {},
): Promise<void> {
  let output;
  try {
    const onWritten = (bytes: number) => bar?.add(bytes);
    output = await openOutput(path, { onWritten, noFsync });
    await stream.pipeTo(output.writable);
    await output.commit();
  } catch (error) {
    output?.abort();
    throw error;
  } finally {
    bar?.end();
  }
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
