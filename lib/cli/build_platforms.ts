import { buildPlatforms, type PlatformInput } from "../build/platforms.ts";
import type { Platform } from "../read/read_oci.ts";
import { spoolLayer } from "../system/spool_file.ts";
import { archiveOptions } from "./archive_options.ts";
import { openInputs, type Wanted } from "./build_inputs.ts";
import { packingOf } from "./compress_options.ts";
import { imageDescription } from "./description.ts";
import { inFile, ofFile } from "./failure.ts";
import { editImage } from "./image_edits.ts";
import { splitInputs } from "./layer_size.ts";
import type { InputStore } from "./input_store.ts";
import {
  checkNames,
  checkSeveral,
  checkTwice,
  chosenPlatforms,
  type OpenedPlatform,
  primaryOf,
} from "./opened_platforms.ts";
import type { Parsed } from "./options.ts";
import { progressBar, writeOutput } from "./output.ts";
import { withSboms } from "./sbom_files.ts";
import { tellBuilt } from "./tell_built.ts";

/** The image of one platform, as a command line asks for it. */
export interface PlatformImage {
  /** Its platform, where its own config does not say one. */
  platform?: Platform;
  /** The command line as it is for this platform alone. */
  parsed: Parsed;
  /** What the image is built of. */
  wanted: Wanted;
}

/** What all platforms have in common. */
export interface Several {
  /** The command line. */
  parsed: Parsed;
  images: PlatformImage[];
  /** What the user should know of, in sentences. */
  notes?: string[];
  /** The platforms to take; all unless there are any. */
  only?: readonly Platform[];
  /** The platform that is primary where --primary says none. */
  primary?: Platform | undefined;
  output: string | undefined;
  store: InputStore;
}

/**
 * Builds an archive of several platforms and writes it.
 *
 * @throws {UsageError} If the images do not go together.
 * @throws {Error} If the build fails; the message is for the user.
 */
export async function buildSeveral(several: Several): Promise<void> {
  const { parsed, output, store } = several;
  const options = archiveOptions(parsed, true);
  const packing = packingOf(parsed);
  const found: OpenedPlatform[] = [];
  for (const image of several.images) {
    found.push(await openOne(image, store));
  }
  const all = chosenPlatforms(found, several.only ?? []);
  checkSeveral(all.length, options.faces);
  checkTwice(all);
  checkNames(all);
  const primary = primaryOf(all, parsed.value("primary"), several.primary);
  const quiet = parsed.on("quiet");
  const reading = progressBar(quiet, "reading", sizeOf(all));
  const archive = {
    path: output,
    inputs: several.images.flatMap(({ wanted: { from, layers, rootfs } }) =>
      [from, ...layers, rootfs].filter((path) => path !== undefined)
    ),
    platforms: all.map(({ platform }) => platform),
  };
  try {
    const made = await withSboms(parsed, archive, async () => {
      const inputs = all.map(inputOf);
      const made = await ofOnlyFile(
        all,
        () =>
          buildPlatforms(inputs, spoolLayer, {
            ...options,
            primary,
            onRead: (bytes) => reading?.add(bytes),
          }),
      );
      reading?.end();
      const bar = progressBar(quiet, "writing", made.size);
      const written = await writeOutput(made.stream(), output, {
        bar,
        noFsync: parsed.on("no-fsync"),
        packing,
        size: made.size,
      });
      return { ...made, written };
    });
    const notes = new Set([
      ...several.notes ?? [],
      ...all.flatMap(({ inputs }) => inputs.notes),
      ...made.notes,
    ]);
    const at = made.platforms?.findIndex(({ isPrimary }) => isPrimary) ?? 0;
    const origins = all[at]!.inputs.origins;
    const { plan } = several.images[0]!.wanted;
    const isoc = { ...made, notes: [...notes] };
    tellBuilt(parsed, isoc, { origins, output, packing, plan });
  } finally {
    reading?.end();
  }
}

/** Names the file in errors, if all images are of one: it is at fault. */
async function ofOnlyFile<T>(
  all: OpenedPlatform[],
  make: () => Promise<T>,
): Promise<T> {
  const [from, ...others] = new Set(all.map(({ from }) => from));
  try {
    return await make();
  } catch (error) {
    throw from === undefined || others.length > 0 ? error : ofFile(from, error);
  }
}

async function openOne(
  { parsed, wanted, platform }: PlatformImage,
  store: InputStore,
): Promise<OpenedPlatform> {
  const inputs = await openInputs(wanted, store);
  await editImage(parsed, inputs, wanted, { store, isOnly: false });
  await splitInputs(parsed, inputs, store);
  const { from } = wanted;
  const base = from === undefined ? undefined : inputs;
  const description = {
    ...platform,
    ...from === undefined
      ? imageDescription(parsed)
      : inFile(from, () => imageDescription(parsed, base)),
  };
  const { os = "linux", architecture, variant } = description;
  return { inputs, description, platform: { os, architecture, variant }, from };
}

function inputOf({ inputs, description }: OpenedPlatform): PlatformInput {
  const { layers, plain } = inputs;
  return { layers, isRootfs: plain, description };
}

/** Bytes of all layers, where they are known. */
function sizeOf(all: OpenedPlatform[]): number | undefined {
  let sum = 0;
  for (const { source } of all.flatMap(({ inputs }) => inputs.layers)) {
    const { size } = source as { size?: number };
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}
