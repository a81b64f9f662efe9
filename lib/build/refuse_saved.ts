import { InputError } from "../errors/input_error.ts";
import type { ImageDescription } from "../rootfs/facts.ts";
import type { Stack } from "../rootfs/layer_stack.ts";
import { savedImage } from "../rootfs/saved_image.ts";

/** Refuses a rootfs that is an image which some tool has saved. */
export async function refuseSaved(
  stack: Stack,
  { base }: ImageDescription,
  { allowSavedImage = false }: { allowSavedImage?: boolean | undefined },
): Promise<void> {
  // A base image keeps what it has at its root.
  if (base || allowSavedImage) return;
  const saved = await savedImage(stack.tree);
  if (!saved) return;
  const what = stack.layers.length > 1 ? "The layers make" : "It is";
  throw new InputError(
    `${what} ${saved.name}, not a root file system: ${saved.remedy} ` +
      "(--allow-saved-image takes it as it is)",
    { remedy: saved.remedy },
  );
}
