import { shownList } from "../errors/shown.ts";
import type { Platform } from "../read/read_oci.ts";
import { archiveOptions } from "./archive_options.ts";
import type { Wanted } from "./build_inputs.ts";
import { buildOne, checkInputs } from "./build_one.ts";
import { buildSeveral, type PlatformImage } from "./build_platforms.ts";
import { directoryOptions } from "./directory_options.ts";
import { editPlan } from "./edit_plan.ts";
import { ofFile } from "./failure.ts";
import { type FilePlatform, filePlatforms } from "./file_platforms.ts";
import { imageChoice } from "./image_choice.ts";
import { InputStore } from "./input_store.ts";
import { isRemote, type OpenedImage, openImage } from "./opened_image.ts";
import type { Parsed } from "./options.ts";
import { outputPath, unpackLimits } from "./output.ts";
import { platformWords, withPlatform } from "./platform_words.ts";
import { registryClient } from "./registry_client.ts";
import { signatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/** The platforms that a command line wants of image files. */
export interface WantedPlatforms {
  /** Those that it names; none means all, or the only one. */
  platforms: Platform[];
  /** Whether it says --platform all. */
  all: boolean;
}

/**
 * Reads --platform where it chooses, once or several times.
 *
 * @throws {UsageError} If one is malformed, or two are for one platform.
 */
export function wantedPlatforms(parsed: Parsed): WantedPlatforms {
  const values = parsed.values("platform");
  if (values.length === 1 && values[0] === "all") {
    return { platforms: [], all: true };
  }
  const words = platformWords(parsed);
  const file = values.find((value) => value.includes("="));
  if (file !== undefined) {
    throw new UsageError(
      `--platform ${file}: only ciso build takes a file there`,
    );
  }
  return { platforms: words.map(({ platform }) => platform), all: false };
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
        `${shownList(words)} (the command goes after --; ciso join takes ` +
        "several, each for another platform)",
    );
  }
  await convertFile(from, parsed, rootfs);
}

/**
 * Makes an isoc of an image. Of a file that has it for several platforms all are
 * kept, unless --platform chooses; of a registry one is taken, unless --platform
 * says several, or all.
 *
 * @param from The image's path; `-` is standard input.
 * @param parsed The options of `ciso convert`, or some of them.
 * @param rootfs The file with the rootfs of an image whose metadata are alone, as
 * in `lxc image import METADATA ROOTFS`.
 */
export async function convertFile(
  from: string,
  parsed: Parsed,
  rootfs?: string,
): Promise<void> {
  const { platforms, all } = wantedPlatforms(parsed);
  archiveOptions(parsed, true);
  const plan = editPlan(parsed);
  const files = plan.added.map(({ file }) => file);
  checkInputs(parsed, { from, layers: [], rootfs, files });
  const output = outputPath(parsed);
  const check = await signatureCheck(parsed);
  if (check && rootfs !== undefined) {
    throw new UsageError(
      "--verify-key and --verify-keyring are about one file, but here are two",
    );
  }
  const store = new InputStore(unpackLimits(parsed));
  const takesSeveral = rootfs === undefined &&
    (all || platforms.length > 1 ||
      (platforms.length === 0 && !isRemote(from)));
  try {
    const wanted: Wanted = {
      ...wantedImage(from, parsed, platforms[0]),
      directory: directoryOptions(plan, output),
      plan,
      check,
      rootfs,
      isSplit: rootfs !== undefined,
    };
    if (!takesSeveral) return await buildOne(parsed, wanted, output, store);
    const opened = await openWanted(wanted, store);
    const found = await ofImage(
      from,
      () => filePlatforms(opened.files, opened.name ?? wanted.choice.name),
    );
    if (!found) {
      if (platforms.length > 1) {
        throw new UsageError(`${from} has no image for several platforms`);
      }
      const own = withPlatform(parsed, undefined);
      const image = { ...wanted, image: opened };
      return await buildOne(own, image, output, store);
    }
    await buildSeveral({
      parsed,
      images: found.images.map((one) =>
        platformImage(parsed, wanted, opened, one)
      ),
      notes: found.notes,
      only: platforms,
      primary: found.primary,
      output,
      store,
    });
  } finally {
    store.close();
  }
}

/**
 * What is built of an image file alone.
 *
 * @param platform The image to take of several.
 */
export function wantedImage(
  from: string,
  parsed: Parsed,
  platform?: Platform,
): Wanted {
  return {
    from,
    layers: [],
    choice: imageChoice(from, parsed, platform),
    client: (reference) => registryClient(parsed, reference),
    directory: {},
  };
}

/** Opens the image that something is built of. */
export async function openWanted(
  { from, client, check }: Wanted,
  store: InputStore,
): Promise<OpenedImage> {
  const openFile = (path: string) => store.file(path, check?.of(path));
  const opener = { openFile, client, check };
  return await ofImage(from!, () => openImage(from!, opener));
}

/** Names the file in errors about what it holds. */
export async function ofImage<T>(
  from: string,
  use: () => T | Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw ofFile(from === "-" ? "standard input" : from, error);
  }
}

/** One image of a file that has several, to be built. */
export function platformImage(
  parsed: Parsed,
  wanted: Wanted,
  { path, isRemote }: OpenedImage,
  { platform, files }: FilePlatform,
): PlatformImage {
  return {
    platform,
    parsed: withPlatform(parsed, undefined),
    wanted: {
      ...wanted,
      choice: {},
      image: { path, files, isRemote },
    },
  };
}
