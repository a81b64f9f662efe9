import { runtimeConfig } from "../formats/bundle.ts";
import type { UserIds } from "../formats/values/user.ts";
import type { Image } from "../image/image.ts";
import { compareFields, type TellFace } from "./compare_fields.ts";
import type { Documents } from "./documents.ts";
import { idsOf, UNNAMED } from "./expected_image.ts";
import { isObject, type Json } from "./shape.ts";

/** Checks that the bundle's config.json says what the image config says. */
export function checkBundle(
  documents: Documents,
  image: Image,
  tell: TellFace,
): void {
  const { bundle } = documents;
  if (!bundle?.isGood) return;
  const found = bundle.value as Json;
  const process = (found.process ?? {}) as Json;
  const user = process.user as unknown as UserIds;
  const wanted = runtimeConfig(image, {
    ids: idsOf(documents, image) ?? user,
  });
  const entry = "config.json";
  compareFields(
    tell,
    { entry, place: "process" },
    [wanted.process, process],
    ["args", "env", "cwd"],
  );
  compareFields(
    tell,
    { entry, place: "process.user" },
    [wanted.process.user, user],
    ["uid", "gid", "additionalGids"],
  );
  if (image.names[0] !== UNNAMED) {
    compareFields(tell, { entry, place: "" }, [wanted, found], ["hostname"]);
  }
  compareFields(
    tell,
    { entry, place: "" },
    [sortedPorts(wanted), sortedPorts(found)],
    ["annotations"],
  );
}

/** The annotations, with the list of ports in order: it is a set. */
function sortedPorts(
  { annotations }: { annotations?: unknown },
): { annotations: unknown } {
  const key = "org.opencontainers.image.exposedPorts";
  if (!isObject(annotations)) return { annotations };
  const ports = annotations[key];
  if (typeof ports !== "string") return { annotations };
  const sorted = ports.split(",").sort().join(",");
  return { annotations: { ...annotations, [key]: sorted } };
}
