import { InputError } from "../errors/input_error.ts";
import { buildPlatforms, MAX_PLATFORMS } from "../build/platforms.ts";
import type { PlatformInput } from "../build/platforms.ts";
import { goPlatform } from "../formats/values/platform.ts";
import { sameNames } from "../image/name.ts";
import { platformText, withPlatform as suiting } from "../read/choose_image.ts";
import type { Platform } from "../read/read_oci.ts";
import type { ImageDescription } from "../rootfs/facts.ts";
import { spoolLayer } from "../system/spool_file.ts";
import { archiveOptions } from "./archive_options.ts";
import { type BuildInputs, openInputs, type Wanted } from "./build_inputs.ts";
import { editImage } from "./image_edits.ts";
import { imageDescription } from "./description.ts";
import { packingOf } from "./compress_options.ts";
import { inFile, named } from "./failure.ts";
import { hostPlatform } from "./host_platform.ts";
import type { InputStore } from "./input_store.ts";
import type { Parsed } from "./options.ts";
import { progressBar, writeOutput } from "./output.ts";
import { withSboms } from "./sbom_files.ts";
import { tellBuilt } from "./tell_built.ts";
import { UsageError } from "./usage_error.ts";

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

/** One platform's image, opened. */
interface Opened {
  inputs: BuildInputs;
  description: ImageDescription;
  platform: Platform;
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
  checkCount(several.images.length);
  const found: Opened[] = [];
  for (const image of several.images) found.push(await openOne(image, store));
  const all = chosen(found, several.only ?? []);
  checkNames(all);
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
      const made = await buildPlatforms(all.map(inputOf), spoolLayer, {
        ...options,
        primary: primaryOf(several, all),
        onRead: (bytes) => reading?.add(bytes),
      });
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

async function openOne(
  { parsed, wanted, platform }: PlatformImage,
  store: InputStore,
): Promise<Opened> {
  const inputs = await openInputs(wanted, store);
  await editImage(parsed, inputs, wanted, { store, isOnly: false });
  const { from } = wanted;
  const base = from === undefined ? undefined : inputs;
  const description = {
    ...platform,
    ...from === undefined
      ? imageDescription(parsed)
      : inFile(from, () => imageDescription(parsed, base)),
  };
  const { os = "linux", architecture, variant } = description;
  return { inputs, description, platform: { os, architecture, variant } };
}

/** The images of some platforms, in the order that they have. */
function chosen(all: Opened[], wanted: readonly Platform[]): Opened[] {
  if (wanted.length === 0) return all;
  const taken = new Set(wanted.map((platform) => {
    const fits = suiting(all, platform);
    if (fits.length === 1) return fits[0]!;
    const [what, which] = fits.length === 0
      ? ["No image is", all]
      : ["More than one image is", fits];
    throw new InputError(
      `${what} for ${platformText(platform)}; there is ${
        which.map(titleOf).join(", ")
      }`,
    );
  }));
  return all.filter((image) => taken.has(image));
}

function inputOf({ inputs, description }: Opened): PlatformInput {
  const { layers, plain } = inputs;
  return { layers, isRootfs: plain, description };
}

/** Bytes of all layers, where they are known. */
function sizeOf(all: Opened[]): number | undefined {
  let sum = 0;
  for (const { source } of all.flatMap(({ inputs }) => inputs.layers)) {
    const { size } = source as { size?: number };
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}

function checkCount(count: number): void {
  if (count <= MAX_PLATFORMS) return;
  throw new UsageError(
    `There are ${count} platforms: ciso takes at most ${MAX_PLATFORMS}; ` +
      "choose some with --platform",
  );
}

/** Refuses images of several names. */
function checkNames(all: Opened[]): void {
  const [first, ...others] = all;
  for (const other of others) {
    const [one, two] = [first!, other].map(({ description }) =>
      description.names
    );
    if (sameNames(one!, two!)) continue;
    throw new UsageError(
      `The images have different names (${titleOf(first!)}: ${
        one!.join(" ")
      }; ${titleOf(other)}: ${two!.join(" ")}): choose with --name or --tag`,
    );
  }
}

function titleOf({ platform }: Opened): string {
  return platformText(platform) || "no platform";
}

/**
 * The platform of the image that has every face: what --primary says, else the
 * one that it was, else this machine's, else the first.
 */
function primaryOf({ parsed, primary }: Several, all: Opened[]): Platform {
  const given = parsed.value("primary");
  if (given !== undefined) {
    const wanted = named("--primary", () => goPlatform(given));
    if (suiting(all, wanted).length > 0) return wanted;
    throw new UsageError(
      `--primary: no image is for ${platformText(wanted)}; there is ${
        all.map(titleOf).join(", ")
      }`,
    );
  }
  const choices = [primary, hostPlatform()];
  const found = choices.find((one) => one && suiting(all, one).length > 0);
  return found ?? all[0]!.platform;
}
