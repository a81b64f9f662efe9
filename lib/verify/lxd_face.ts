import { shown } from "../errors/shown.ts";
import { lxdMetadata } from "../formats/lxd.ts";
import type { Image } from "../image/image.ts";
import type { TellFace } from "./compare_fields.ts";
import type { Documents } from "./documents.ts";
import { isUnnamed } from "./expected_image.ts";
import { shownJson } from "./same_json.ts";
import type { Json } from "./shape.ts";

/** Checks that the metadata.yaml of LXD says what the image config says. */
export function checkLxd(
  { lxd, bundle, oci }: Documents,
  image: Image,
  tell: TellFace,
): void {
  if (!lxd?.isGood) return;
  const found = lxd.value as Json;
  const wanted = lxdMetadata(image, { application: bundle !== undefined });
  if (found.architecture !== wanted.architecture) {
    tell(
      "faces-platform",
      "metadata.yaml",
      `its architecture is ${shown(found.architecture)}, not ` +
        shown(wanted.architecture),
    );
  }
  if (image.created > 0 && found.creation_date !== wanted.creation_date) {
    tell(
      "faces-config",
      "metadata.yaml",
      `its creation_date is ${shownJson(found.creation_date)}, not ` +
        shownJson(wanted.creation_date),
    );
  }
  const properties = (found.properties ?? {}) as Record<string, string>;
  for (const [key, value] of Object.entries(wanted.properties)) {
    if (isUnnamed(image, key)) continue;
    const has = Object.hasOwn(properties, key) ? properties[key] : undefined;
    // Fields that the config has no time for are the builder's own.
    if (has === value || (key === "created" && image.created === 0)) continue;
    tell(
      ["name", "version"].includes(key) ? "faces-names" : "faces-config",
      "metadata.yaml",
      `its property ${shown(key)} is ${shown(has ?? "")}, not ${shown(value)}`,
    );
  }
  if (oci.length === 0) return;
  for (const key of Object.keys(properties)) {
    if (Object.hasOwn(wanted.properties, key) || key === "type") continue;
    tell(
      "faces-config",
      "metadata.yaml",
      `its property ${shown(key)} is in no other face`,
    );
  }
}
