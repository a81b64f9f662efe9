import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { appcManifest, type NameValue } from "../formats/appc.ts";
import { runtimeConfig } from "../formats/bundle.ts";
import { lxdMetadata } from "../formats/lxd.ts";
import { type UserIds, userIds } from "../formats/values/user.ts";
import type { Image } from "../image/image.ts";
import { readConfig } from "../read/read_config.ts";
import type { Documents } from "./documents.ts";
import type { Findings } from "./finding.ts";
import type { RuleName } from "./rules.ts";
import { sameJson, shownJson } from "./same_json.ts";
import { isObject, type Json } from "./shape.ts";

type Tell = (rule: RuleName, entry: string, message: string) => void;

/**
 * Checks that the faces that read rootfs/ say what the image config says, as
 * far as each can express it: what ciso writes for it.
 */
export function checkRootfsFaces(
  documents: Documents,
  findings: Findings,
): void {
  const tell = (rule: RuleName, entry: string, message: string) =>
    findings.add(rule, shown(entry), message);
  for (const check of [checkAppc, checkBundle, checkLxd]) {
    try {
      const image = expectedImage(documents);
      if (image) check(documents, image, tell);
    } catch (error) {
      // Another face may have no words for what a foreign config says.
      if (
        !(error instanceof DescriptionError || error instanceof InputError)
      ) throw error;
    }
  }
}

/** The image as its image config says, for the faces to be compared with. */
function expectedImage(
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
    // Names that the writers use where the image has none.
    names: names.length > 0 ? names : [UNNAMED],
    ...(same?.annotations && { annotations: same.annotations }),
  };
}

const UNNAMED = "unnamed/image";

/** The numbers of the image's user, where the rootfs has them. */
function idsOf({ accounts }: Documents, { user }: Image): UserIds | undefined {
  if (!accounts) return undefined;
  try {
    return userIds(user, accounts.passwd, accounts.group);
  } catch {
    return undefined;
  }
}

function checkAppc(
  documents: Documents,
  image: Image,
  tell: Tell,
): void {
  const { appc, oci } = documents;
  if (!appc?.isGood) return;
  const found = appc.value as Json;
  const app = (found.app ?? {}) as Json;
  const gids = app.supplementaryGIDs as number[] | undefined;
  const [executable] = (app.exec ?? []) as string[];
  const gid = Number(app.group);
  const wanted = appcManifest(image, {
    ids: idsOf(documents, image) ??
      { uid: 0, gid: gid >= 0 ? gid : 0, additionalGids: gids },
    ...(isCommand(image, executable) && { executable }),
  });
  compare("manifest", "app", asSets(wanted.app), asSets(app), tell, [
    ...["exec", "user", "group", "workingDirectory", "environment"],
    ...["mountPoints", "ports", "userLabels", "supplementaryGIDs"],
  ]);
  checkAnnotations(found, wanted.annotations, image, oci.length > 0, tell);
  const labels = valuesOf(found.labels);
  for (const { name, value } of wanted.labels) {
    if (labels.get(name) === value || unnamed(image, name)) continue;
    tell(
      name === "version" ? "faces-names" : "faces-platform",
      "manifest",
      `its label ${name} is ${shown(labels.get(name) ?? "")}, not ${
        shown(value)
      }`,
    );
  }
  if (!unnamed(image, "name") && found.name !== wanted.name) {
    tell(
      "faces-names",
      "manifest",
      `its name is ${shown(found.name)}, not ${shown(wanted.name)}`,
    );
  }
}

/** Values by name, of appc's lists of pairs. */
function valuesOf(pairs: unknown): Map<string, string> {
  return new Map(
    ((pairs ?? []) as NameValue[]).map(({ name, value }) => [name, value]),
  );
}

/**
 * Compares annotations.
 *
 * @param areAll Whether no others are expected.
 */
function checkAnnotations(
  manifest: Json,
  wanted: NameValue[],
  image: Image,
  areAll: boolean,
  tell: Tell,
): void {
  const found = valuesOf(manifest.annotations);
  const expected = valuesOf(wanted);
  if (image.created === 0) expected.delete("created");
  for (const [name, value] of expected) {
    if (found.get(name) === value) continue;
    tell(
      "faces-config",
      "manifest",
      `its annotation ${shown(name)} is ${
        shownJson(found.get(name))
      }, where the ` +
        `image asks for ${shownJson(value)}`,
    );
  }
  for (const name of areAll ? found.keys() : []) {
    if (expected.has(name) || name === "created") continue;
    tell(
      "faces-config",
      "manifest",
      `its annotation ${shown(name)} is in no other face`,
    );
  }
}

/** An appc app whose ports and mount points are in order, without names. */
function asSets(app: object): object {
  const { ports, mountPoints } = app as {
    ports?: { port: number; protocol: string }[];
    mountPoints?: { path: string }[];
  };
  return {
    ...app,
    ports: ports?.map(({ port, protocol }) => `${port}/${protocol}`).sort(),
    mountPoints: mountPoints?.map(({ path }) => path).sort(),
  };
}

/** Whether the image has no name, but this is one. */
function unnamed({ names }: Image, key: string): boolean {
  return names[0] === UNNAMED &&
    ["name", "version", "description"].includes(key);
}

/** Whether a path may be that of the command's first word in the rootfs. */
function isCommand(
  { entrypoint = [], command = [] }: Image,
  executable: string | undefined,
): boolean {
  const [word] = [...entrypoint, ...command];
  return word !== undefined && executable !== undefined &&
    executable.startsWith("/") && executable !== word &&
    executable.endsWith(`/${word.replace(/^(\.?\/)+/, "")}`);
}

function checkBundle(
  documents: Documents,
  image: Image,
  tell: Tell,
): void {
  const { bundle } = documents;
  if (!bundle?.isGood) return;
  const found = bundle.value as Json;
  const process = (found.process ?? {}) as Json;
  const user = process.user as unknown as UserIds;
  const wanted = runtimeConfig(image, {
    ids: idsOf(documents, image) ?? user,
  });
  compare("config.json", "process", { ...wanted.process }, process, tell, [
    ...["args", "env", "cwd"],
  ]);
  for (const key of ["uid", "gid", "additionalGids"] as const) {
    compare("config.json", "process.user", wanted.process.user, user, tell, [
      key,
    ]);
  }
  if (image.names[0] !== UNNAMED) {
    compare("config.json", "", { ...wanted }, found, tell, ["hostname"]);
  }
  compare(
    "config.json",
    "",
    { annotations: sortedPorts(wanted.annotations) },
    { annotations: sortedPorts(found.annotations) },
    tell,
    ["annotations"],
  );
}

/** Annotations with the list of ports in order: it is a set. */
function sortedPorts(annotations: unknown): unknown {
  const key = "org.opencontainers.image.exposedPorts";
  if (!isObject(annotations)) return annotations;
  const ports = annotations[key];
  if (typeof ports !== "string") return annotations;
  return { ...annotations, [key]: ports.split(",").sort().join(",") };
}

function checkLxd(
  { lxd, bundle, oci }: Documents,
  image: Image,
  tell: Tell,
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
    if (unnamed(image, key)) continue;
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

/** Compares fields of two objects. */
function compare(
  entry: string,
  place: string,
  wanted: object,
  found: object,
  tell: Tell,
  keys: string[],
): void {
  for (const key of keys) {
    const one = (wanted as Json)[key];
    const two = (found as Json)[key];
    if (sameJson(one ?? undefined, two ?? undefined)) continue;
    const path = place === "" ? key : `${place}.${key}`;
    tell(
      "faces-config",
      entry,
      `${path} is ${shownJson(two)}, where the image config asks for ${
        shownJson(one)
      }`,
    );
  }
}
