import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { platformKey } from "../formats/values/platform.ts";
import { parseNames, sameNames } from "../image/name.ts";
import { platformText, withPlatform } from "../read/choose_image.ts";
import type { Platform } from "../read/read_oci.ts";
import type { ImageDescription } from "../rootfs/facts.ts";
import {
  type LayerInput,
  readLayers,
  type Spool,
  type Stack,
} from "../rootfs/layer_stack.ts";
import { scanRootfs } from "../rootfs/scan.ts";
import { assemble } from "./assemble.ts";
import { refuseSaved } from "./refuse_saved.ts";
import { checkDescription, isocOf, scanOptions, stackOf } from "./build.ts";
import type { ArchiveOptions, Isoc } from "./isoc.ts";
import { type OtherPlatform, otherPlatform } from "./other_platform.ts";

/** The image of one platform, to be put into an archive with others. */
export interface PlatformInput {
  /** Its layers, lowest first; or a rootfs, if it is one alone. */
  layers: LayerInput[];
  /** Whether it is a rootfs alone, which {@linkcode build} takes. */
  isRootfs?: boolean;
  /** What it says about itself. It must say its architecture. */
  description: ImageDescription;
}

/** How {@linkcode buildPlatforms} makes an isoc. */
export interface PlatformOptions extends ArchiveOptions {
  /** The platform whose image has every face; the first one's unless given. */
  primary?: Platform | undefined;
}

/** Platforms of one archive at most. Go itself knows fewer than 50. */
export const MAX_PLATFORMS = 100;

/**
 * Makes an isoc of the images of several platforms.
 *
 * This is the one function that writes several platforms; `ciso join`, `ciso
 * build --platform OS/ARCH=FILE` and `ciso convert` call it. Whoever has images
 * of one name for several platforms, as files or from a registry, gives the
 * layers and the description of each; nothing else is needed. One image alone
 * becomes what {@linkcode buildLayers} makes of it.
 *
 * The primary image has every face. Each name in `index.json` leads to an image
 * index of all images, which has the others as blobs. A layer that several
 * images have is in the archive once. All inputs are read when the archive is
 * streamed, too, so they must stay open. Memory stays flat: of the images that
 * are not the primary one, only digests and documents are kept.
 *
 * @param inputs The images, in the order that the image index gets. All have
 * the same names.
 * @param spool Holds each layer that cannot stay as it is.
 * @returns The archive, to be streamed.
 * @throws {DescriptionError} If two images are for the same platform, an image
 * does not say its platform, the names differ, or a description breaks a rule
 * of a format.
 * @throws {InputError} If a layer is no tar, cannot be a layer, or is damaged;
 * the message starts with the platform.
 */
export async function buildPlatforms(
  inputs: readonly PlatformInput[],
  spool: Spool,
  options: PlatformOptions = {},
): Promise<Isoc> {
  checkPlatforms(inputs, options);
  const at = primaryOf(inputs, options);
  const others: OtherPlatform[] = [];
  for (const [i, input] of inputs.entries()) {
    if (i === at) continue;
    others.push(
      await ofPlatform(input, async () => {
        const stack = await stackFrom(input, spool, options);
        await refuseSaved(stack, input.description, options);
        return await otherPlatform(stack, input.description, options);
      }),
    );
  }
  const input = inputs[at]!;
  const isoc = await ofPlatform(input, async () => {
    const stack = await stackFrom(input, spool, options);
    const assembled = await assemble(stack, input.description, {
      ...options,
      others,
      position: at,
    });
    return isocOf(stack, assembled);
  });
  if (others.length === 0) return isoc;
  const notes: readonly string[][] = others.map(({ notes }) => notes)
    .toSpliced(at, 0, [...isoc.notes]);
  return {
    ...isoc,
    notes: [
      ...namesNote(isoc, platformOf(input)),
      ...inputs.flatMap((input, i) =>
        notes[i]!.map((note) => `${platformOf(input)}: ${note}`)
      ),
    ],
  };
}

/** What podman makes of several names. */
function namesNote({ image, faces }: Isoc, primary: string): string[] {
  const { length } = parseNames(image.names);
  if (length < 2 || !faces.includes("docker")) return [];
  return [
    `With ${length} names, podman load takes the docker face, which is for ` +
    `${primary} alone; podman pull oci-archive:FILE:TAG takes each platform`,
  ];
}

/** Which of the images has every face. */
function primaryOf(
  inputs: readonly PlatformInput[],
  { primary }: PlatformOptions,
): number {
  if (!primary) return 0;
  const all = inputs.map(({ description }, i) => ({
    platform: description,
    i,
  }));
  const [first] = withPlatform(all, primary);
  if (first) return first.i;
  throw new DescriptionError(
    `No image is for the primary platform ${platformText(primary)}; there is ${
      inputs.map(platformOf).join(", ")
    }`,
  );
}

function checkPlatforms(
  inputs: readonly PlatformInput[],
  { faces }: PlatformOptions,
): void {
  const [first] = inputs;
  if (!first) throw new DescriptionError("An image needs a platform");
  if (inputs.length > MAX_PLATFORMS) {
    throw new DescriptionError(
      `There are ${inputs.length} platforms: an archive takes at most ` +
        `${MAX_PLATFORMS}; choose some with --platform`,
    );
  }
  if (inputs.length > 1 && faces && !faces.includes("oci")) {
    throw new DescriptionError(
      "Several platforms need the face oci, the only one that knows them",
    );
  }
  const seen = new Set<string>();
  for (const input of inputs) {
    const { description } = input;
    if (description.architecture === undefined) {
      throw new DescriptionError(
        "An image does not say its platform: ciso convert IMAGE --platform " +
          "OS/ARCH makes one that does",
      );
    }
    checkWords(input);
    const key = platformKey(description);
    if (seen.has(key)) {
      throw new DescriptionError(
        `Two images are for ${platformOf(input)}: each platform has one`,
      );
    }
    seen.add(key);
    if (!sameNames(first.description.names, description.names)) {
      throw new DescriptionError(
        `The images have different names (${
          first.description.names.join(" ")
        }` +
          ` and ${description.names.join(" ")}): choose with --tag NAME[:TAG]`,
      );
    }
    checkDescription(description);
  }
}

/** Refuses a platform that no program can write as text. */
function checkWords({ description }: PlatformInput): void {
  for (const key of ["os", "architecture", "variant"] as const) {
    const word = description[key];
    if (word === undefined || /^[\w.-]{1,64}$/.test(word)) continue;
    throw new DescriptionError(
      `The ${key} of an image is ${shown(word, 80)}: no platform has it`,
    );
  }
}

/** The platform of an image, as messages call it. */
function platformOf(
  { description: { os = "linux", architecture, variant } }: PlatformInput,
): string {
  return platformText({ os, architecture, variant });
}

/** Reads all layers of an image, and finds what they make. */
async function stackFrom(
  { layers, isRootfs }: PlatformInput,
  spool: Spool,
  options: ArchiveOptions,
): Promise<Stack> {
  const scanning = scanOptions(options);
  return isRootfs
    ? stackOf(await scanRootfs(layers[0]!.source, scanning))
    : await readLayers(layers, scanning, spool);
}

/** Makes something of an image; what it finds wrong starts with the platform. */
async function ofPlatform<T>(
  input: PlatformInput,
  make: () => Promise<T>,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { entry, remedy, message } = error;
    // Of several layers the message names one.
    const [first, ...others] = input.layers;
    const name = first && others.length === 0 ? `${first.name}: ` : "";
    throw new InputError(`${platformOf(input)}: ${name}${message}`, {
      ...(entry !== undefined && { entry }),
      ...(remedy !== undefined && { remedy }),
      cause: error,
    });
  }
}
