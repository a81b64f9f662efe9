import { MAX_PLATFORMS } from "../build/platforms.ts";
import { InputError } from "../errors/input_error.ts";
import { goPlatform, platformKey } from "../formats/values/platform.ts";
import type { Face } from "../image/face.ts";
import { sameNames } from "../image/name.ts";
import { platformText, withPlatform } from "../read/choose_image.ts";
import type { Platform } from "../read/read_oci.ts";
import type { ImageDescription } from "../rootfs/facts.ts";
import type { BuildInputs } from "./build_inputs.ts";
import { named } from "./failure.ts";
import { hostPlatform } from "./host_platform.ts";
import { UsageError } from "./usage_error.ts";

/** The image of one platform, opened. */
export interface OpenedPlatform {
  inputs: BuildInputs;
  description: ImageDescription;
  platform: Platform;
  /** The image file that it is from, if it is from one. */
  from: string | undefined;
}

/**
 * Refuses more platforms than an archive takes, and faces that know none.
 *
 * @throws {UsageError} If the command line asks for too much.
 */
export function checkSeveral(
  count: number,
  faces: readonly Face[] | undefined,
): void {
  if (count > MAX_PLATFORMS) {
    throw new UsageError(
      `There are ${count} platforms: ciso takes at most ${MAX_PLATFORMS}; ` +
        "choose some with --platform",
    );
  }
  if (count > 1 && faces && !faces.includes("oci")) {
    throw new UsageError(
      "Several platforms need the face oci, the only one that knows them",
    );
  }
}

/**
 * Refuses two images for one platform.
 *
 * @throws {InputError} If both are in one file.
 * @throws {UsageError} If they are in two.
 */
export function checkTwice(all: OpenedPlatform[]): void {
  const seen = new Map<string, OpenedPlatform>();
  for (const one of all) {
    const key = platformKey(one.platform);
    const other = seen.get(key);
    seen.set(key, one);
    if (!other) continue;
    const what = `for ${titleOf(one)}`;
    if (one.from === other.from && one.from !== undefined) {
      throw new InputError(
        `${one.from}: Two images in it say that they are ${what}`,
      );
    }
    throw new UsageError(
      `Two images are ${what}: ${other.from} and ${one.from}; each platform has one`,
    );
  }
}

/**
 * The images of some platforms, in the order that they have.
 *
 * @param wanted The platforms; all unless there are any.
 * @throws {InputError} If there is no image for one of them, or are several.
 */
export function chosenPlatforms(
  all: OpenedPlatform[],
  wanted: readonly Platform[],
): OpenedPlatform[] {
  if (wanted.length === 0) return all;
  const taken = new Set(wanted.map((platform) => {
    const fits = withPlatform(all, platform);
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

/**
 * Refuses images of several names.
 *
 * @throws {UsageError} If there are some.
 */
export function checkNames(all: OpenedPlatform[]): void {
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

function titleOf({ platform }: OpenedPlatform): string {
  return platformText(platform) || "no platform";
}

/**
 * The platform of the image that has every face: what --primary says, else the
 * one that it was, else this machine's, else the first.
 *
 * @param given What --primary says.
 * @param usual The platform that is primary without it, if there is one.
 * @throws {UsageError} If no image is for the platform given.
 */
export function primaryOf(
  all: OpenedPlatform[],
  given: string | undefined,
  usual: Platform | undefined,
): Platform {
  if (given !== undefined) {
    const wanted = named("--primary", () => goPlatform(given));
    if (withPlatform(all, wanted).length > 0) return wanted;
    throw new UsageError(
      `--primary: no image is for ${platformText(wanted)}; there is ${
        all.map(titleOf).join(", ")
      }`,
    );
  }
  const choices = [usual, hostPlatform()];
  const found = choices.find((one) => one && withPlatform(all, one).length > 0);
  return found ?? all[0]!.platform;
}
