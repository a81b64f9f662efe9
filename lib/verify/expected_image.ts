import { unlessRefused } from "../errors/refusal.ts";
import { type UserIds, userIds } from "../formats/values/user.ts";
import type { Image } from "../image/image.ts";
import { readConfig } from "../read/read_config.ts";
import type { Documents } from "./documents.ts";

/** The image as its image config says, for the faces to be compared with. */
export function expectedImage(
  { image: first, oci, v1 }: Documents,
): Image | undefined {
  const v1Image = v1?.images[0];
  const text = first?.config.text ?? v1Image?.json.text;
  const fields = text === undefined ? undefined : readConfig(text).fields;
  if (!fields?.architecture) return undefined;
  const names = first?.names.length ? first.names : v1Image?.names ?? [];
  const same = oci.find(({ config }) => config.digest === first?.config.digest);
  return {
    ...fields,
    architecture: fields.architecture,
    created: fields.created ?? 0,
    names: names.length > 0 ? names : [UNNAMED],
    ...(same?.annotations && { annotations: same.annotations }),
  };
}

/** What the writers get for a name where the image has none. */
export const UNNAMED = "unnamed/image";

/** The numbers of the image's user, where the rootfs has them. */
export function idsOf(
  { accounts }: Documents,
  { user }: Image,
): UserIds | undefined {
  if (!accounts) return undefined;
  return unlessRefused(() => userIds(user, accounts.passwd, accounts.group));
}

/** Whether the image has no name of its own, and a field tells of the name. */
export function isUnnamed({ names }: Image, key: string): boolean {
  return names[0] === UNNAMED &&
    ["name", "version", "description"].includes(key);
}
