import { checkBase } from "../build/base_image.ts";
import { buildLayers } from "../build/build.ts";
import type { Isoc } from "../build/isoc.ts";
import { appcName } from "../formats/values/appc_name.ts";
import type { Face } from "../image/face.ts";
import { imagePath } from "../read/image_path.ts";
import { host } from "../system/host.ts";
import { spoolLayer } from "../system/spool_file.ts";
import { openInputs, type Wanted } from "./build_inputs.ts";
import { imageDescription } from "./description.ts";
import { ofFile } from "./failure.ts";
import type { InputStore } from "./input_store.ts";
import { isRemote } from "./opened_image.ts";
import type { Parsed } from "./options.ts";
import { withPlatform } from "./platform_words.ts";

/**
 * Whether a word of a command line is an image that is no archive to be read as
 * it comes: one in a directory or a registry, or one of several in a file.
 */
export function isNoArchive(word: string): boolean {
  if (isRemote(word)) return true;
  const { path, name } = imagePath(word, host.exists);
  return name !== undefined || (path !== "-" && host.isDirectory(path));
}

/**
 * Makes an isoc of any image that `ciso convert` takes, for a command that needs
 * one. An image without a name is called as its file.
 *
 * @param wanted The image.
 * @param store Opens what is needed; its maker closes it, after use.
 * @param faces The faces that are needed; all unless given.
 * @returns The isoc; its notes are all that there is to say of the image.
 * @throws {InputError} If it is no image.
 */
export async function imageAnew(
  parsed: Parsed,
  wanted: Wanted,
  store: InputStore,
  faces?: readonly Face[],
): Promise<Isoc> {
  const inputs = await openInputs(wanted, store);
  if (inputs.names.length === 0) {
    inputs.names = [nameOf(wanted.from!)];
    inputs.notes.push(
      `The image has no name of its own: it is called ${inputs.names[0]}`,
    );
  }
  const own = withPlatform(parsed, undefined);
  const description = imageDescription(own, inputs);
  checkBase(description);
  const { layers } = inputs;
  try {
    const isoc = await buildLayers(layers, description, spoolLayer, {
      ...(faces && { faces }),
    });
    return { ...isoc, notes: [...inputs.notes, ...isoc.notes] };
  } catch (error) {
    // Of several layers the errors name one.
    throw layers.length === 1 ? ofFile(layers[0]!.name, error) : error;
  }
}

/** A name made of a path, without what follows a dot. */
function nameOf(word: string): string {
  const base = word.replace(/\/+$/, "").replace(/^.*\//s, "");
  const name = base === "-" || /^\.*$/.test(base) ? "image" : base;
  return `${appcName(name.replace(/(.)\..*/s, "$1"), "name")}:latest`;
}
