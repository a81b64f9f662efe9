import { InputError } from "../errors/input_error.ts";
import { type ImageFiles, readDocument } from "./image_files.ts";
import { savedBelow, type SavedImage } from "./saved_forms.ts";

/** What files of an image can be looked through by. */
type Files = Pick<ImageFiles, "open" | "top" | "rootfsIn" | "folders">;

/** Directories of a directory that are looked into. */
const FOLDERS = 100;

/** What no image lacks all of. */
const LACKING = "there is no index.json with oci-layout, no manifest.json or " +
  "repositories, no appc manifest with rootfs/, no config.json of a bundle " +
  "and no metadata.yaml (of a rootfs make one: ciso FILE -t NAME -- COMMAND)";

/**
 * Says that files are no image, or where the image is: a directory lower.
 *
 * @param files What was looked through.
 */
export async function noImage(files: Files): Promise<InputError> {
  const below = await imageBelow(files);
  if (!below && files.top?.size === 0) {
    return new InputError("It is empty; make or fetch it again");
  }
  if (!below) return new InputError(`It is no image: ${LACKING}`);
  const { name, remedy } = below;
  return new InputError(`It is ${name}: ${remedy}`, { remedy });
}

async function imageBelow(files: Files): Promise<SavedImage | undefined> {
  // What cannot be read, such as a directory, is there.
  const has = (path: string) =>
    path.endsWith("/rootfs") && files.rootfsIn?.has(path.slice(0, -7)) ||
    files.open(path).then(Boolean, () => true);
  const read = (path: string) =>
    readDocument(files, path).catch(() => undefined);
  for (const folder of files.folders?.().slice(0, FOLDERS) ?? []) {
    const saved = await savedBelow(folder, read, has);
    if (saved) return { ...saved, remedy: "give that directory itself" };
  }
  const [only, ...others] = [...files.top ?? []].filter((name) => name !== "");
  return others.length > 0 ? undefined : await savedBelow(only, read, has);
}
