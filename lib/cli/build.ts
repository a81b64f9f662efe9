import { build, type BuildOptions, type Isoc } from "../isoc.ts";
import { parseNames } from "../name.ts";
import type { ImageDescription } from "../rootfs_facts.ts";
import { host, openInput, openOutput } from "../runtime.ts";
import { CLASSIC_USAGE } from "./help.ts";
import { type Option, parseOptions } from "./options.ts";
import { formatBytes, Progress } from "./progress.ts";
import { UsageError } from "./usage_error.ts";
import { splitWords } from "./words.ts";

/** The options of `ciso build`. */
export const BUILD_OPTIONS: Option[] = [
  {
    name: "tag",
    short: "t",
    value: "NAME[:TAG]",
    repeat: true,
    help: "name of the image; can be repeated; the tag is latest unless given",
  },
  {
    name: "output",
    short: "o",
    value: "FILE",
    help: "where the archive goes; standard output unless given",
  },
  {
    name: "layout",
    value: "full|classic",
    help: "classic: only the entries of 2015, for Docker 1.9 and older",
  },
  {
    name: "pristine",
    help: "add no file to the container's root, not even Docker v1's three",
  },
  {
    name: "allow-whiteouts",
    help: "take names that start with .wh. as ordinary files",
  },
  {
    name: "json",
    help: "print what was made as JSON: on standard output with -o, or else\n" +
      " ".repeat(28) + "on standard error",
  },
  { name: "quiet", short: "q", help: "no notes and no progress bar" },
  {
    name: "verbose",
    short: "v",
    help: "say what was done, and what was changed",
  },
  { name: "help", short: "h", help: "show this text" },
  { name: "version", short: "V", help: "show the version" },
];

/** What was changed in the layer, as `-v` says it. */
const CHANGES: Record<string, string> = {
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
  const names = imageNames(parsed.values("tag"));
  const command = commandWords(parsed.behind);
  if (names.length === 0 || command.length === 0) {
    const what = names.length > 0
      ? "command"
      : command.length > 0
      ? "name"
      : "name and no command";
    throw new UsageError(
      `There is no ${what}. Usage: ${CLASSIC_USAGE}\n` +
        "or: ciso rootfs.tar -t NAME[:TAG] -o image.isoc -- COMMAND ARG…",
    );
  }
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
  const description: ImageDescription = {
    names,
    command,
    created: creationTime(),
  };
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
  const isoc = await buildTo(rootfs, description, toFile ? output : undefined, {
    layout,
    pristine: parsed.on("pristine"),
    allowWhiteouts: parsed.on("allow-whiteouts"),
  }, quiet);
  if (!quiet) { for (const note of isoc.notes) host.print(`ciso: ${note}\n`); }
  if (parsed.on("verbose")) report(isoc, names, toFile ? output : undefined);
  if (parsed.on("json")) {
    host.print(`${JSON.stringify(summary(isoc, names))}\n`, toFile ? 1 : 2);
  }
}

async function buildTo(
  rootfs: string | undefined,
  description: ImageDescription,
  path: string | undefined,
  options: BuildOptions,
  quiet: boolean,
): Promise<Isoc> {
  const bar = (label: string, total: number | undefined) =>
    quiet || !host.isTerminal(2) ? undefined : new Progress({
      write: (text) => host.print(text),
      total,
      columns: host.columns(),
      label,
    });
  const input = openInput(rootfs);
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
    return isoc;
  } finally {
    input.close();
  }
}

/** Names from the command line, or else from `NAME`, checked. */
function imageNames(tags: string[]): string[] {
  const name = host.env("NAME");
  const names = tags.length > 0 ? tags : name ? [name] : [];
  if (names.length === 0) return names;
  try {
    parseNames(names);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return names;
}

/** The command from behind `--`, or else from `COMMAND`. */
function commandWords(behind: string[] | undefined): string[] {
  if (behind && behind.length > 0) return behind;
  try {
    return splitWords(host.env("COMMAND") ?? "");
  } catch (error) {
    throw new UsageError(`COMMAND: ${(error as Error).message}`);
  }
}

/** SOURCE_DATE_EPOCH, or now, in seconds since 1970. */
function creationTime(): number {
  const given = host.env("SOURCE_DATE_EPOCH");
  if (given === undefined) return Math.floor(Date.now() / 1000);
  // The last second of the year 9999, which RFC 3339 ends with.
  if (!/^\d{1,12}$/.test(given) || Number(given) > 253402300799) {
    throw new UsageError(
      `SOURCE_DATE_EPOCH is a count of seconds since 1970, not ${
        JSON.stringify(given)
      }`,
    );
  }
  return Number(given);
}

function summary(isoc: Isoc, names: string[]) {
  return {
    names: parseNames(names).map(({ qualified }) => qualified),
    size: isoc.size,
    entries: isoc.entries,
    imageId: `sha256:${isoc.imageId}`,
    manifestDigest: `sha256:${isoc.manifestDigest}`,
    layer: {
      digest: `sha256:${isoc.layer.digest}`,
      size: isoc.layer.size,
      changes: [...isoc.layerChanges.keys()],
    },
    notes: isoc.notes,
  };
}

function report(isoc: Isoc, names: string[], path: string | undefined): void {
  const say = (text: string) => host.print(`ciso: ${text}\n`);
  say(
    `${path ?? "standard output"}: ${
      parseNames(names).map(({ familiar }) => familiar).join(", ")
    }, ${formatBytes(isoc.size)}, ${isoc.entries} entries`,
  );
  say(`image ID sha256:${isoc.imageId}`);
  say(`layer sha256:${isoc.layer.digest}`);
  if (isoc.layerChanges.size === 0) {
    say("the layer is the input, byte for byte");
  }
  for (const [reason, path] of isoc.layerChanges) {
    say(
      `the layer is not the input: ${CHANGES[reason]}` +
        (path === '""' ? "" : `, first ${path}`),
    );
  }
}
