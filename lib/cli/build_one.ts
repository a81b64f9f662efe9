import { checkBase } from "../build/base_image.ts";
import { build, buildLayers } from "../build/build.ts";
import { buildInto, buildLayersInto } from "../build/build_into.ts";
import type { ArchiveOptions, Isoc } from "../build/isoc.ts";
import { InputError } from "../errors/input_error.ts";
import type { ImageDescription } from "../rootfs/facts.ts";
import type { Packing } from "../streams/packing.ts";
import { host } from "../system/host.ts";
import { spoolLayer } from "../system/spool_file.ts";
import { archiveOptions } from "./archive_options.ts";
import { type BuildInputs, openInputs, type Wanted } from "./build_inputs.ts";
import { editImage } from "./image_edits.ts";
import { splitInputs } from "./layer_size.ts";
import { imageDescription } from "./description.ts";
import { packingOf } from "./compress_options.ts";
import { inFile, ofFile } from "./failure.ts";
import type { InputStore } from "./input_store.ts";
import type { Parsed } from "./options.ts";
import { placeOutput, progressBar, writeOutput } from "./output.ts";
import { withSboms } from "./sbom_files.ts";
import { tellBuilt } from "./tell_built.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Refuses inputs that do not fit together.
 *
 * @throws {UsageError} If standard input is read twice, or the like.
 */
export function checkInputs(
  parsed: Parsed,
  { from, layers, rootfs, files = [] }:
    & Pick<Wanted, "from" | "layers" | "rootfs">
    & { files?: string[] },
): void {
  const reads = [from?.replace(/^-:.*/s, "-"), ...layers, rootfs, ...files]
    .filter((path) => path === "-");
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

/**
 * Builds an archive of one image and writes it.
 *
 * @param output Where it goes; standard output if there is no path.
 */
export async function buildOne(
  parsed: Parsed,
  wanted: Wanted,
  output: string | undefined,
  store: InputStore,
): Promise<void> {
  if (parsed.value("primary") !== undefined) {
    throw new UsageError(
      "--primary goes with several platforms; --platform says that of one image",
    );
  }
  const { from, layers } = wanted;
  const options = archiveOptions(
    parsed,
    layers.length > 1 || from !== undefined,
  );
  const packing = packingOf(parsed);
  const inputs = await openInputs(wanted, store);
  await editImage(parsed, inputs, wanted, { store, isOnly: true });
  await splitInputs(parsed, inputs, store);
  const base = from === undefined ? undefined : inputs;
  const description = imageDescription(parsed, base);
  if (from !== undefined) inFile(from, () => checkBase(description));
  const { rootfs } = wanted;
  const archive = {
    path: output,
    inputs: [from, ...layers, rootfs].filter((path) => path !== undefined),
  };
  const made = await withSboms(
    parsed,
    archive,
    () => make(inputs, description, options, { parsed, path: output, packing }),
  );
  const isoc = { ...made, notes: [...inputs.notes, ...made.notes] };
  const { origins } = inputs;
  tellBuilt(parsed, isoc, { origins, output, packing, plan: wanted.plan });
}

/** Where an archive goes, and how. */
interface Output {
  parsed: Parsed;
  path: string | undefined;
  packing: Packing | undefined;
}

/** Builds the archive and writes it, with a progress bar for each half. */
async function make(
  inputs: BuildInputs,
  description: ImageDescription,
  options: ArchiveOptions,
  { parsed, path, packing }: Output,
): Promise<Isoc & { written?: number }> {
  const quiet = parsed.on("quiet");
  const noFsync = parsed.on("no-fsync");
  const reading = progressBar(quiet, "reading", inputs.size);
  const work = { ...options, onRead: (bytes: number) => reading?.add(bytes) };
  const [first] = inputs.layers;
  try {
    const { layers, plain } = inputs;
    const made = await placeOutput(
      // What is compressed has no places to write to.
      packing || options.packLayer || options.faces?.includes("containerd")
        ? undefined
        : path,
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
    const written = await writeOutput(isoc.stream(), path, {
      bar: writing,
      noFsync,
      packing,
      size: isoc.size,
    });
    const size = packing ? isoc.size : written;
    return { ...isoc, written, size };
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
