import { escapedJson } from "../errors/shown.ts";
import {
  DIFF_VERSION,
  diffDirectories,
  diffFields,
  type DirectoryChange,
  type FieldChange,
  type FileChange,
  fileChange,
  type FileSide,
} from "../inspect/diff_images.ts";
import {
  type Difference,
  diffTrees,
  type Side,
} from "../inspect/diff_trees.ts";
import { readImageTree } from "../inspect/layer_tars.ts";
import { diffPackages, type PackageChange } from "../packages/diff_packages.ts";
import type { Input } from "../system/input.ts";
import {
  type ImageInput,
  unpackToFiles,
  withImage,
  wordsOf,
} from "./image_input.ts";
import { packageChangeLines } from "./list_packages.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits } from "./output.ts";
import { withPlatform } from "./platform_words.ts";
import { UsageError } from "./usage_error.ts";
import { printLines } from "./print_lines.ts";
import { grouped, type Paint, paintFor, plain, table } from "./style.ts";
import { humanSize } from "../inspect/human_size.ts";

/** What differs between two images. */
interface ImageDiff {
  a: ImageInput & Side;
  b: ImageInput & Side;
  fields: FieldChange[];
  packages: PackageChange[];
  files: Difference[];
}

/**
 * Runs `ciso diff`.
 *
 * @param parsed The command line.
 * @returns The exit code: 0 if the images are the same, 1 if they differ.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If a file is no image that can be read.
 */
export async function runDiff(parsed: Parsed): Promise<number> {
  const [one, two] = wordsOf(
    parsed,
    "ciso diff takes two images",
    2,
    2,
  ) as [string, string];
  const ignoreTimes = parsed.on("ignore-times");
  const open: Input[] = [];
  const unpack = unpackToFiles(unpackLimits(parsed), open);
  const read = async (input: ImageInput) => ({
    ...input,
    documents: input.opened.documents,
    read: await readImageTree(input.image, input.opened.archive, unpack, {
      packages: {},
    }),
  });
  try {
    return await withImage(
      one,
      ofSide(parsed, 0),
      async (first) => {
        const a = await read(first);
        return await withImage(two, ofSide(parsed, 1), async (second) => {
          const b = await read(second);
          const fields = diffFields(a, b, ignoreTimes);
          const files = await diffTrees(a, b, { ignoreTimes });
          const lines = parsed.on("json") ? jsonLines : textLines;
          const packages = diffPackages(
            a.read.packages!.packages,
            b.read.packages!.packages,
          );
          const diff = { a, b, fields, packages, files };
          const text = lines(diff, paintFor(parsed));
          await printLines(text);
          return fields.length + files.length > 0 ? 1 : 0;
        });
      },
    );
  } finally {
    for (const input of open) input.close();
  }
}

/** The command line as it is for A or B: of two --platform each has its own. */
function ofSide(parsed: Parsed, side: number): Parsed {
  const platforms = parsed.values("platform");
  if (platforms.length < 2) return parsed;
  if (platforms.length === 2) return withPlatform(parsed, platforms[side]);
  throw new UsageError(
    "ciso diff takes one --platform for both images, or one for each",
  );
}

function* changes({ a, b, files }: ImageDiff): Generator<FileChange> {
  for (const file of files) {
    yield fileChange(file, a.read.layered.tree, b.read.layered.tree);
  }
}

function directories({ a, b }: ImageDiff): DirectoryChange[] {
  return diffDirectories(a.read.layered.tree, b.read.layered.tree);
}

function* jsonLines(diff: ImageDiff): Generator<string> {
  const { a, b, fields, packages, files } = diff;
  const head = {
    version: DIFF_VERSION,
    same: fields.length + files.length === 0,
    a: a.name,
    b: b.name,
    configuration: fields,
    packages,
    directories: directories(diff),
  };
  yield `${escapedJson(head).slice(0, -1)},"files":[`;
  let separator = "\n";
  for (const change of changes(diff)) {
    yield separator + escapedJson(change);
    separator = ",\n";
  }
  yield "\n]}\n";
}

function* textLines(diff: ImageDiff, paint: Paint): Generator<string> {
  const { fields, packages, files } = diff;
  if (fields.length + files.length === 0) {
    yield "The images are the same.\n";
    return;
  }
  if (fields.length > 0) yield `${paint("title", "Configuration")}\n`;
  for (const { field, a, b } of fields) {
    yield `  ${field}\n`;
    const [one, two] = [valueLines(a), valueLines(b)];
    for (const line of one.filter((line) => !two.includes(line))) {
      yield paint("removed", `    - ${line}`) + "\n";
    }
    for (const line of two.filter((line) => !one.includes(line))) {
      yield paint("added", `    + ${line}`) + "\n";
    }
    if (one.every((line) => two.includes(line))) {
      yield two.every((line) => one.includes(line))
        ? "    another order\n"
        : "";
    }
  }
  if (packages.length > 0) {
    if (fields.length > 0) yield "\n";
    yield* packageChangeLines(packages, paint);
  }
  if (files.length === 0) return;
  if (fields.length + packages.length > 0) yield "\n";
  yield `${paint("title", "Files")}\n`;
  const counts = { added: 0, removed: 0, changed: 0 };
  for (const change of changes(diff)) {
    counts[change.change]++;
    yield `  ${changeLine(change, paint)}\n`;
  }
  const total = Object.entries(counts).map(([what, count]) =>
    `${grouped(count)} ${what}`
  );
  yield `  ${total.join(", ")}\n`;
  const rows = directories(diff).map(({ path, a, b }) => [
    `${b > a ? "+" : "-"}${humanSize(Math.abs(b - a))}`,
    humanSize(a),
    humanSize(b),
    `${plain(path)}/`,
  ]);
  if (rows.length === 0) return;
  const right = (title: string) => ({ title, right: true });
  const columns = [right("CHANGE"), right("A"), right("B"), { title: "PATH" }];
  yield `\n${paint("title", "Size by directory")}\n`;
  yield `${table(columns, rows, paint).join("\n")}\n`;
}

/** Characters of a field's value at most. */
const LONGEST = 2000;

/** A field's value: a line for each item of a list and each pair of an object. */
function valueLines(value: unknown): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.map(oneLine);
  if (typeof value !== "object") return [oneLine(value)];
  return Object.entries(value).map(([key, item]) =>
    `${plain(key)}=${oneLine(item)}`
  );
}

function oneLine(value: unknown): string {
  return plain(
    typeof value === "string" ? value : escapedJson(value),
    LONGEST,
  );
}

function changeLine(
  { path, change, differs = [], a, b }: FileChange,
  paint: Paint,
): string {
  const name = plain(path === "" ? "/" : path);
  if (change === "added") {
    return paint("added", `+ ${name}`) + ` (${humanSize(b!.size)})`;
  }
  if (change === "removed") {
    return paint("removed", `- ${name}`) + ` (${humanSize(a!.size)})`;
  }
  const details = differs.map((what) => detail(what, a!, b!));
  return paint("changed", `~ ${name}`) + ` (${details.join(", ")})`;
}

function detail(what: string, a: FileSide, b: FileSide): string {
  switch (what) {
    case "type":
    case "mode":
    case "size":
      return `${what} ${a[what]} to ${b[what]}`;
    case "owner":
      return `owner ${a.uid}:${a.gid} to ${b.uid}:${b.gid}`;
  }
  return what;
}
