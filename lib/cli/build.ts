import { type Format, FORMATS, unsupported } from "../formats/unsupported.ts";
import type { Image } from "../image.ts";
import { build, type BuildOptions, type Isoc } from "../isoc.ts";
import { parseNames } from "../name.ts";
import type { ImageDescription } from "../rootfs_facts.ts";
import { type Compression, host, openInput, openOutput } from "../runtime.ts";
import type { LayerChange } from "../tree.ts";
import { IMAGE_OPTIONS, WORK_OPTIONS } from "./build_options.ts";
import { imageDescription } from "./description.ts";
import { type Option, parseOptions } from "./options.ts";
import { formatBytes, Progress } from "./progress.ts";
import { parseSize } from "./size.ts";
import { UsageError } from "./usage_error.ts";

/** The options of `ciso build`. */
export const BUILD_OPTIONS: Option[] = [...IMAGE_OPTIONS, ...WORK_OPTIONS];

/** Bytes that a compressed rootfs may hold, unless the user says otherwise. */
const MAX_UNPACKED = 32 * 2 ** 30;

/** What was changed in the layer, as `-v` says it. */
const CHANGES: Record<LayerChange, string> = {
  "entry-types": "entry types that some engines refuse became plain ones",
  "global-headers": "PAX global headers went into the entries' own",
  "hard-links": "hard links got the metadata of the files they lead to",
  "moved-entries": "entries below a symlink went to where it leads",
  "repeated-paths": "paths that came again lost their earlier entries",
  "several-archives": "several archives, one behind another, became one",
  "sparse-files": "sparse files were filled with their zeros",
  "volume-label": "the volume label was left out",
};

/**
 * Runs `ciso build`.
 *
 * @param args The words behind the command's name.
 * @throws {UsageError} If the command line is wrong.
 * @throws {Error} If the build fails; the message is for the user.
 */
export async function runBuild(args: string[]): Promise<void> {
  const parsed = parseOptions(args, BUILD_OPTIONS);
  const description = imageDescription(parsed);
  if (parsed.words.length > 1) {
    throw new UsageError(
      `One rootfs is taken, but here are ${parsed.words.length}: ` +
        `${parsed.words.join(", ")} (the command goes behind --)`,
    );
  }
  const layout = parsed.value("layout") ?? "full";
  if (layout !== "full" && layout !== "classic") {
    throw new UsageError(`--layout is full or classic, not ${layout}`);
  }
  const [word] = parsed.words;
  const rootfs = word === "-" ? undefined : word;
  if (rootfs === undefined && host.isTerminal(0)) {
    throw new UsageError(
      "There is no rootfs: give a tar file, or pipe one in",
    );
  }
  const output = parsed.value("output");
  const toFile = output !== undefined && output !== "-";
  if (!toFile && host.isTerminal(1)) {
    throw new UsageError(
      "The archive is not for a terminal: give a file with -o, or redirect it",
    );
  }
  const quiet = parsed.on("quiet");
  const size = parsed.value("max-unpacked");
  const made = await buildTo(
    rootfs,
    description,
    toFile ? output : undefined,
    {
      layout,
      pristine: parsed.on("pristine"),
      allowWhiteouts: parsed.on("allow-whiteouts"),
    },
    quiet,
    size === undefined ? MAX_UNPACKED : maxUnpacked(size),
  );
  if (!quiet) { for (const note of made.notes) host.print(`ciso: ${note}\n`); }
  if (parsed.on("verbose")) report(made, toFile ? output : undefined);
  if (parsed.on("json")) {
    host.print(`${JSON.stringify(summary(made))}\n`, toFile ? 1 : 2);
  }
}

function maxUnpacked(text: string): number {
  try {
    return parseSize(text);
  } catch (error) {
    throw new UsageError(`--max-unpacked: ${(error as Error).message}`);
  }
}

/** An archive, and what happened to its input before. */
type Made = Isoc & { compression?: Compression };

async function buildTo(
  rootfs: string | undefined,
  description: ImageDescription,
  path: string | undefined,
  options: BuildOptions,
  quiet: boolean,
  maxUnpacked: number,
): Promise<Made> {
  const bar = (label: string, total: number | undefined) =>
    quiet || !host.isTerminal(2) ? undefined : new Progress({
      write: (text) => host.print(text),
      total,
      columns: host.columns(),
      label,
    });
  const input = await openInput(rootfs, maxUnpacked);
  try {
    const reading = bar("reading", input.size);
    let isoc;
    try {
      isoc = await build(input, description, {
        ...options,
        onRead: (bytes) => reading?.add(bytes),
      });
    } catch (error) {
      // The tar's errors name the entry; the file is known only here.
      if (error instanceof SyntaxError) {
        throw new Error(`${rootfs ?? "standard input"}: ${error.message}`, {
          cause: error,
        });
      }
      throw error;
    } finally {
      reading?.end();
    }
    const writing = bar("writing", isoc.size);
    const output = openOutput(path, (bytes) => writing?.add(bytes));
    try {
      await isoc.stream().pipeTo(output.writable);
      output.commit();
    } catch (error) {
      output.abort();
      throw error;
    } finally {
      writing?.end();
    }
    return { ...isoc, compression: input.compression };
  } finally {
    input.close();
  }
}

function summary(made: Made) {
  const changes: string[] = [...made.layerChanges.keys()];
  if (made.compression) changes.unshift("decompressed");
  return {
    names: parseNames(made.image.names).map(({ qualified }) => qualified),
    size: made.size,
    entries: made.entries,
    imageId: `sha256:${made.imageId}`,
    manifestDigest: `sha256:${made.manifestDigest}`,
    layer: {
      digest: `sha256:${made.layer.digest}`,
      size: made.layer.size,
      changes,
    },
    notExpressed: Object.fromEntries(missing(made.image)),
    notes: made.notes,
  };
}

/** What each format cannot say of an image, by format; none for most. */
function missing(image: Image): [Format, string[]][] {
  return FORMATS.map((format): [Format, string[]] => [
    format,
    unsupported(image, format),
  ]).filter(([, fields]) => fields.length > 0);
}

function report(made: Made, path: string | undefined): void {
  const say = (text: string) => host.print(`ciso: ${text}\n`);
  say(
    `${path ?? "standard output"}: ${
      parseNames(made.image.names).map(({ familiar }) => familiar).join(", ")
    }, ${formatBytes(made.size)}, ${made.entries} entries`,
  );
  say(`image ID sha256:${made.imageId}`);
  say(`layer sha256:${made.layer.digest}`);
  if (made.compression) {
    say(`the layer is the input, decompressed (${made.compression})`);
  } else if (made.layerChanges.size === 0) {
    say("the layer is the input, byte for byte");
  }
  for (const [reason, path] of made.layerChanges) {
    say(
      `the layer is not the input: ${CHANGES[reason]}` +
        (path === '""' ? "" : `, first ${path}`),
    );
  }
  for (const [format, fields] of missing(made.image)) {
    say(`${format} cannot express: ${fields.join(", ")}`);
  }
}
