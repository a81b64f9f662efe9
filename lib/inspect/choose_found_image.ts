import {
  type Candidate,
  noChoice,
  platformText,
  withName,
  withPlatform,
} from "../read/choose_image.ts";
import type { FoundImage } from "./found_image.ts";
import type { OpenedImage } from "./open_image_file.ts";

/**
 * Chooses an image of a file. Of several platforms it is the first, which all
 * faces have.
 *
 * @param platform What its platform must be, as far as it is given.
 * @param name A name that it must have.
 * @param isOverview Whether any image will do, since all are listed.
 * @throws {InputError} If none fits, or several of other names; the message lists
 * those that there are.
 */
export function chooseImage(
  { images }: OpenedImage,
  platform: FoundImage["platform"],
  name?: string,
  isOverview = false,
): FoundImage {
  const all = images.map((image, i) => ({
    image,
    id: `${i}`,
    names: image.names,
    digests: digestsOf(image),
    platform: image.platform,
  }));
  const named = name === undefined ? all : withName(all, name);
  const fits = withPlatform(
    named.filter(({ platform: has }) =>
      !platform.architecture || has.architecture === platform.architecture
    ),
    platform,
  );
  const [first, ...others] = fits;
  if (first && (isOverview || others.every((one) => isSame(first, one)))) {
    return first.image;
  }
  throw noChoice({ all, named, fits }, { platform, name });
}

/** Whether two images may be one: for several platforms, or in two faces. */
function isSame(a: Candidate, b: Candidate): boolean {
  if (a.names.some((name) => b.names.includes(name))) return true;
  const hasNames = a.names.length > 0 && b.names.length > 0;
  return !hasNames && platformText(a.platform) !== platformText(b.platform);
}

function digestsOf({ digest, config }: FoundImage): string[] {
  return [digest, config?.path].flatMap((text) =>
    /[0-9a-f]{64}/.exec(text ?? "") ?? []
  );
}
