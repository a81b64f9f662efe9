import { buildLayers } from "../build/build.ts";
import { InputError } from "../errors/input_error.ts";
import { platformText, withPlatform as suiting } from "../read/choose_image.ts";
import { filesOfTar } from "../read/image_files.ts";
import type { Platform } from "../read/read_oci.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { spoolLayer } from "../system/spool_file.ts";
import { openInputs } from "./build_inputs.ts";
import { ofImage, wantedImage } from "./convert.ts";
import { imageDescription } from "./description.ts";
import { filePlatforms } from "./file_platforms.ts";
import type { InputStore } from "./input_store.ts";
import type { Parsed } from "./options.ts";
import { withPlatform } from "./platform_words.ts";

/** The image of one platform to take of a file. */
export interface OnePlatform {
  /** What messages call the file. */
  path: string;
  platform: Platform;
  /** Why it is that platform, where the command line does not say it. */
  reason?: string;
}

/**
 * Makes an isoc of one platform's image in an image file: the one that `ciso
 * convert --platform` makes.
 *
 * @param source The file.
 * @param store Opens what is needed; its maker closes it, after use.
 * @returns The isoc, as a stream.
 * @throws {InputError} If the file has no such image.
 */
export async function onePlatform(
  source: Source,
  { path, platform, reason = "" }: OnePlatform,
  parsed: Parsed,
  store: InputStore,
): Promise<AsyncGenerator<Uint8Array>> {
  const { whole, found } = await ofImage(path, async () => {
    const whole = await filesOfTar(source);
    return { whole, found: await filePlatforms(whole) };
  });
  const fits = suiting(found?.images ?? [], platform);
  if (found && fits.length !== 1) {
    const all = found.images.map(({ platform }) => platformText(platform));
    const name = path === "-" ? "standard input" : path;
    throw new InputError(
      `${name}: ${
        fits.length > 1 ? "More than one image" : "No image"
      } in it is for ` +
        `${platformText(platform)}${reason}; it has ${
          all.join(", ")
        }: choose one with --platform`,
    );
  }
  const own = withPlatform(parsed, undefined);
  const inputs = await openInputs({
    ...wantedImage(path, own, found ? {} : platform),
    image: { path, files: fits[0]?.files ?? whole, isRemote: false },
  }, store);
  const description = {
    ...fits[0]?.platform,
    ...imageDescription(own, inputs),
  };
  const isoc = await buildLayers(inputs.layers, description, spoolLayer);
  return fromStream(isoc.stream());
}
