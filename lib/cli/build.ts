import { InputError } from "../errors/input_error.ts";
import { shownList } from "../errors/shown.ts";
import { printJson, say } from "./say.ts";
import { inFile, ofFile } from "./failure.ts";
import { shown } from "../errors/shown.ts";
import { build, buildLayers } from "../build/build.ts";
import type { ArchiveOptions, Isoc } from "../build/isoc.ts";
import { checkBase } from "../build/base_image.ts";
import { type Face, FACES } from "../image/face.ts";
import { buildInto, buildLayersInto } from "../build/build_into.ts";
import { host } from "../system/host.ts";
import { spoolLayer } from "../system/spool_file.ts";
import type { ImageDescription } from "../rootfs/facts.ts";
import { type BuildInputs, openInputs, type Wanted } from "./build_inputs.ts";
import { imageDescription, platformOf } from "./description.ts";
import { directoryOptions } from "./directory_options.ts";
import type { Parsed } from "./options.ts";
import {
  outputPath,
  placeOutput,
  progressBar,
  unpackLimits,
  writeOutput,
} from "./output.ts";
import { registryClient } from "./registry_options.ts";
import { report, summary } from "./report.ts";
import { signatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs `ciso build`.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {Error} If the build fails; the message is for the user.
 */
export async function runBuild(parsed: Parsed): Promise<void> {
  const from = parsed.value("from");
  const layers = parsed.values("layer");
  const { words } = parsed;
  if (words.length > 1) {
    throw new UsageError(
      `One rootfs is taken, but here are ${words.length}: ` +
        `${shownList(words)} (the command goes after --)`,
    );
  }
  // The original reads standard input; with other inputs it must be asked for.
  const rootfs = words[0] ??
    (from === undefined && layers.length === 0 ? "-" : undefined);
  // Wrong words on the command line are refused before anything is read.
  if (from === undefined) imageDescription(parsed);
  const directory = directoryOptions(
    parsed,
    rootfs === undefined ? layers : [...layers, rootfs],
  );
  await run(parsed, { from, layers, rootfs, directory });
}

/**
 * Runs `ciso convert`: an image file in, an isoc out, with the same layers and
 * configuration.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {Error} If the conversion fails; the message is for the user.
 */
export async function runConvert(parsed: Parsed): Promise<void> {
  const { words } = parsed;
  const [from = "-", rootfs] = words;
  if (words.length > 2) {
    throw new UsageError(
      `ciso convert takes one image, but here are ${words.length}: ` +
        `${shownList(words)} (the command goes after --)`,
    );
  }
  if (rootfs === undefined) return await convertFile(from, parsed);
  // As in lxc image import METADATA ROOTFS.
  await run(parsed, {
    from,
    layers: [],
    rootfs,
    directory: {},
    isSplit: true,
  });
}

/**
 * Makes an isoc of an image file.
 *
 * @param from The image's path; `-` is standard input.
 * @param parsed The options of `ciso convert`, or some of them.
 */
export async function convertFile(from: string, parsed: Parsed): Promise<void> {
  await run(parsed, { from, layers: [], directory: {} });
}

/** Refuses inputs that do not fit together. */
function checkInputs(
  parsed: Parsed,
  { from, layers, rootfs }: Pick<Wanted, "from" | "layers" | "rootfs">,
): void {
  const reads = [from, ...layers, rootfs].filter((path) => path === "-");
  if (reads.length > 1) {
    throw new UsageError("Standard input can be read once only");
  }
  if (reads.length > 0 && host.isTerminal(0)) {
    throw new UsageError(
      `There is no ${
        from === "-" ? "image" : "rootfs"
      }: give a file, or pipe one in`,
    );
  }
  if (
    parsed.on("allow-whiteouts") && (from !== undefined || layers.length > 0)
  ) {
    throw new UsageError(
      "--allow-whiteouts goes with a rootfs alone: in a layer, names that " +
        "start with .wh. delete files of lower layers",
    );
  }
}

async function run(
  parsed: Parsed,
  wanted: Pick<
    Wanted,
    "from" | "layers" | "rootfs" | "directory" | "isSplit"
  >,
): Promise<void> {
  const { from, layers, rootfs } = wanted;
  const faces = facesOf(parsed, layers.length > 1 || from !== undefined);
  checkInputs(parsed, { from, layers, rootfs });
  const output = outputPath(parsed);
  const check = await signatureCheck(parsed);
  if (check && from === undefined) {
    throw new UsageError(
      "--verify-key and --verify-keyring are about the image of --from",
    );
  }
  if (check && wanted.isSplit && rootfs !== undefined) {
    throw new UsageError(
      "--verify-key and --verify-keyring are about one file, but here are two",
    );
  }
  const inputs = await openInputs({
    check,
    ...wanted,
    choice: {
      platform: platformOf(parsed),
      ...(parsed.value("name") !== undefined &&
        { name: parsed.value("name")! }),
      anyPlatform: parsed.on("force-platform"),
    },
    client: (reference) => registryClient(parsed, reference),
    limits: unpackLimits(parsed),
  });
  try {
    const base = from === undefined ? undefined : inputs;
    const description = imageDescription(parsed, base);
    if (from !== undefined) inFile(from, () => checkBase(description));
    const made = await make(inputs, description, output, {
      faces,
      pristine: parsed.on("pristine"),
      allowWhiteouts: parsed.on("allow-whiteouts"),
      allowSavedImage: parsed.on("allow-saved-image"),
      maxUnpacked: unpackLimits(parsed).maxUnpacked,
    }, parsed);
    const isoc = { ...made, notes: [...inputs.notes, ...made.notes] };
    tell(parsed, isoc, inputs, { faces, output });
  } finally {
    inputs.close();
  }
}

/** Says what was made, as far as it is asked for. */
function tell(
  parsed: Parsed,
  isoc: Isoc,
  { origins }: BuildInputs,
  { faces, output }: { faces: Face[] | undefined; output: string | undefined },
): void {
  if (!parsed.on("quiet")) {
    const hint = loadHint(isoc, faces, output);
    if (hint) say(hint);
    for (const note of isoc.notes) say(note);
  }
  if (parsed.on("verbose")) {
    for (const line of report(isoc, origins, output)) say(line);
  }
  if (parsed.on("json")) {
    const to = output === undefined ? 2 : 1;
    printJson(summary(isoc, origins), to);
  }
}

/** Entries from which on containerd's way of loading takes long. */
const MANY = 5000;

/**
 * What the users of containerd want to know of a large archive. A pipe's reader
 * gets the archive as it is, and `ciso load` there does this by itself.
 */
function loadHint(
  isoc: Isoc,
  faces: Face[] | undefined,
  output: string | undefined,
): string | undefined {
  if (host.fileIdentity(output ?? 1) === undefined) return undefined;
  const both = faces === undefined || faces.includes("oci") &&
      faces.some((face) => ["appc", "bundle", "lxd"].includes(face));
  if (!both || isoc.entries < MANY) return undefined;
  return `with ${isoc.entries} entries, engines on containerd take long to load ` +
    `this; ciso load ${output ?? "IMAGE"} gives them their face alone`;
}

/** What Docker 1.9 and older need, which take no file of any other face. */
const CLASSIC: Face[] = ["appc", "docker-v1"];

/** The faces that the archive must have, by --faces or --layout. */
function facesOf(parsed: Parsed, layered: boolean): Face[] | undefined {
  const layout = parsed.value("layout") ?? "full";
  if (layout !== "full" && layout !== "classic") {
    throw new UsageError(`--layout is full or classic, not ${shown(layout)}`);
  }
  const list = parsed.value("faces");
  if (layout === "classic") {
    if (list !== undefined) {
      throw new UsageError("--layout classic and --faces exclude each other");
    }
    if (layered) throw new UsageError("--layout classic takes a rootfs alone");
    return CLASSIC;
  }
  if (list === undefined) return undefined;
  const faces = list.split(",").filter((face) => face !== "");
  const unknown = faces.find((face) => !FACES.includes(face as Face));
  if (unknown !== undefined || faces.length === 0) {
    throw new UsageError(
      `--faces: ${shown(unknown ?? list)} is not one of ${FACES.join(", ")}`,
    );
  }
  return faces as Face[];
}

/** Builds the archive and writes it, with a progress bar for each half. */
async function make(
  inputs: BuildInputs,
  description: ImageDescription,
  path: string | undefined,
  options: ArchiveOptions,
  parsed: Parsed,
): Promise<Isoc> {
  const quiet = parsed.on("quiet");
  const noFsync = parsed.on("no-fsync");
  const reading = progressBar(quiet, "reading", inputs.size);
  const work = { ...options, onRead: (bytes: number) => reading?.add(bytes) };
  const [first] = inputs.layers;
  try {
    const { layers, plain } = inputs;
    const made = await placeOutput(
      path,
      (sink) =>
        plain
          ? buildInto(sink, first!.source, description, work)
          : buildLayersInto(sink, layers, description, {
            ...work,
            spool: spoolLayer,
          }),
      noFsync,
    );
    if (made) return made;
    const isoc = plain
      ? await build(first!.source, description, work)
      : await buildLayers(layers, description, spoolLayer, work);
    reading?.end();
    const writing = progressBar(quiet, "writing", isoc.size);
    await writeOutput(isoc.stream(), path, { bar: writing, noFsync });
    return isoc;
  } catch (error) {
    // The tar's errors name the entry; the file is known only here.
    // Of several layers the tar's own errors name one.
    throw error instanceof InputError && inputs.layers.length === 1
      ? ofFile(first!.name, error)
      : error;
  } finally {
    reading?.end();
  }
}
