import { shown } from "../errors/shown.ts";
import {
  LAYER_METHODS,
  LEVELS,
  type Method,
  METHODS,
  type Packing,
  USUAL_WINDOW,
  WINDOWS,
} from "../streams/packing.ts";
import { named } from "./failure.ts";
import { group, type Option, type Parsed } from "./options.ts";
import { parseSize } from "./size.ts";
import { UsageError } from "./usage_error.ts";

/** The options that say how an archive is compressed. */
export const COMPRESS_OPTIONS: Option[] = group("Compression", [
  {
    name: "compress",
    value: "METHOD[:LEVEL]",
    values: [...METHODS, "none"],
    help:
      "compress the file; unless given, the ending of -o says how: .gz, .zst, .xz",
  },
  {
    name: "window",
    value: "SIZE",
    help:
      "how far back zstd and xz look for the same bytes, 128M unless given; " +
      "engines take no more than docs/compression.md says",
  },
]);

/** How layers can be compressed. */
export const COMPRESSIONS = [...LAYER_METHODS, "none"] as const;

/** The option that says how layers are compressed. */
export const LAYER_OPTION: Option = {
  name: "layer-compression",
  group: "Compression",
  value: "METHOD[:LEVEL]",
  values: COMPRESSIONS,
  help:
    "compress the layers of the faces docker and oci; they stay as they are " +
    "unless given",
};

/** The option that splits a rootfs into layers. */
export const LAYER_SIZE_OPTION: Option = {
  name: "layer-size",
  group: "Compression",
  value: "SIZE",
  help:
    "split the rootfs into layers of at most SIZE, such as 240M: where the " +
    "window is more than half of that, a compressed archive has no file twice",
};

/** The endings of file names that ask for a compression. */
const ENDINGS: [RegExp, Method][] = [
  [/\.(gz|tgz)$/i, "gzip"],
  [/\.(zst|zstd|tzst)$/i, "zstd"],
  [/\.(xz|txz)$/i, "xz"],
];

/**
 * How the file is compressed, by --compress or by the ending of --output.
 *
 * @returns `undefined` if it is not.
 * @throws {UsageError} If an option's value is wrong.
 */
export function packingOf(parsed: Parsed): Packing | undefined {
  const given = parsed.value("compress");
  const { method, level } = given === undefined
    ? { method: endingOf(parsed.value("output")), level: undefined }
    : methodOf("--compress", given, METHODS);
  const size = windowOf(parsed, method);
  if (method === undefined) return undefined;
  return {
    method,
    ...(level !== undefined && { level }),
    ...(method !== "gzip" && { window: size ?? USUAL_WINDOW }),
  };
}

/** Endings of compressions that ciso reads or others write. */
const FOREIGN = /\.(bz2|tbz2?|lz4|lzma|lzo|lz|br|Z|7z|zip)$/;

/** The method that a file's name asks for. */
function endingOf(output: string | undefined): Method | undefined {
  const [ending] = FOREIGN.exec(output ?? "") ?? [];
  if (ending !== undefined) {
    throw new UsageError(
      `--output: ciso does not write ${ending}: end the name in .gz, .zst or ` +
        ".xz, or give --compress none",
    );
  }
  return ENDINGS.find(([ending]) => ending.test(output ?? ""))?.[1];
}

/**
 * Reads a method with a level.
 *
 * @param option What messages call it.
 * @param methods The methods that it takes, besides none.
 * @returns No method if it is none.
 * @throws {UsageError} If it is wrong.
 */
export function methodOf<M extends Method>(
  option: string,
  text: string,
  methods: readonly M[],
): { method: M | undefined; level: number | undefined } {
  const [word, number, ...more] = text.split(":");
  const method = methods.find((method) => method === word);
  if (word === "none" && number === undefined) {
    return { method: undefined, level: undefined };
  }
  if (!method || more.length > 0) {
    throw new UsageError(
      `${option}: ${shown(text)} is not one of ${methods.join(", ")}, none`,
    );
  }
  if (number === undefined) return { method, level: undefined };
  const { lowest, highest } = LEVELS[method];
  const level = /^\d{1,2}$/.test(number) ? Number(number) : -1;
  if (level < lowest || level > highest) {
    throw new UsageError(
      `${option}: the levels of ${method} are ${lowest} to ${highest}, not ${
        shown(number)
      }`,
    );
  }
  return { method, level };
}

/** What --window says, in bytes. */
function windowOf(
  parsed: Parsed,
  method: Method | undefined,
): number | undefined {
  const text = parsed.value("window");
  if (text === undefined) return undefined;
  if (method === undefined || method === "gzip") {
    throw new UsageError(
      "--window goes with --compress zstd or xz" +
        (method ? ": gzip has a window of 32 KiB" : ""),
    );
  }
  const size = named("--window", () => parseSize(text));
  if (size < WINDOWS.lowest || size > HIGHEST[method]) {
    throw new UsageError(
      `--window: ${method} takes 1M to ${HIGHEST[method] / 2 ** 20}M, not ${
        shown(text)
      }`,
    );
  }
  return size;
}

/** xz takes half a gigabyte less than two. */
const HIGHEST = { zstd: WINDOWS.highest, xz: 1536 * 2 ** 20 };
