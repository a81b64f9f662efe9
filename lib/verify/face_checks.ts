import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { appcManifest } from "../formats/appc.ts";
import { runtimeConfig } from "../formats/bundle.ts";
import { lxdMetadata } from "../formats/lxd.ts";
import { environment } from "../formats/values/environment.ts";
import type { UserIds } from "../formats/values/user.ts";
import type { Image } from "../image/image.ts";
import { parseName } from "../image/name.ts";
import { type ImageFields, readConfig } from "../read/read_config.ts";
import type { Documents } from "./documents.ts";
import type { Findings } from "./finding.ts";
import type { FaceImage } from "./image_documents.ts";
import type { RuleName } from "./rules.ts";
import { isObject, type Json } from "./shape.ts";

/** Checks that all faces of an archive are of the same image. */
export function checkFaces(documents: Documents, findings: Findings): void {
  checkOciAgainstDocker(documents, findings);
  checkV1(documents, findings);
  for (const image of documents.oci) checkPlatform(image, findings);
  const image = expectedImage(documents);
  if (!image) return;
  const tell = (rule: RuleName, entry: string, message: string) =>
    findings.add(rule, shown(entry), message);
  for (const check of [checkAppc, checkBundle, checkLxd]) {
    try {
      check(documents, image, tell);
    } catch (error) {
      // What a foreign config says may have no words in another face.
      if (
        !(error instanceof DescriptionError || error instanceof InputError)
      ) throw error;
    }
  }
}

type Tell = (rule: RuleName, entry: string, message: string) => void;

/** The image that manifest.json lists has to be one of the OCI layout. */
function checkOciAgainstDocker(
  { docker, oci, faces }: Documents,
  findings: Findings,
): void {
  if (oci.length === 0 || docker.length === 0) return;
  const entry = shown("manifest.json");
  for (const image of docker) {
    const same = oci.find(({ config }) =>
      config.digest === image.config.digest
    );
    if (!same) {
      findings.add(
        "faces-config",
        entry,
        `the OCI layout has no image with its config ${image.config.digest}`,
      );
      continue;
    }
    const one = image.layers.map(({ path }) => digestIn(path));
    const two = same.layers.map(({ path }) => digestIn(path));
    if (one.some((digest, i) => digest && two[i] && digest !== two[i])) {
      findings.add(
        "faces-layers",
        entry,
        `its layers are not those of ${same.entry}`,
      );
    }
  }
  const named = oci.filter(({ names }) => names.length > 0);
  if (named.length === 0 || !faces.has("docker")) return;
  compareNames(
    docker.flatMap(({ names }) => names),
    oci.flatMap(({ names }) => names),
    "index.json",
    findings,
  );
}

function digestIn(path: string): string | undefined {
  return /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
}

function checkV1(
  { v1, docker, oci }: Documents,
  findings: Findings,
): void {
  const images = docker.length > 0 ? docker : oci;
  if (!v1 || images.length === 0 || v1.images.length === 0) return;
  const names = images.flatMap(({ names }) => names);
  if (names.length > 0) {
    const others = v1.images.flatMap(({ names }) => names);
    compareNames(names, others, "repositories", findings);
  }
  for (const { json, names, place } of v1.images) {
    const image = images.find((image) =>
      image.names.some((name) =>
        names.some((other) => qualified(name) === qualified(other))
      )
    );
    if (!image) continue;
    const one = fieldsOf(image.config.text);
    const two = fieldsOf(json.text);
    if (!one || !two) continue;
    for (const key of V1_FIELDS) {
      // The default PATH may be in one of them only.
      const isSame = key === "env"
        ? sameJson(environmentOf(one), environmentOf(two))
        : sameJson(one[key], two[key]);
      if (isSame) continue;
      findings.add(
        "faces-config",
        shown(`${place}json`),
        `its ${key} is not that of the image config`,
      );
    }
  }
}

const V1_FIELDS = [
  ...["command", "entrypoint", "env", "workdir", "user", "labels"],
  ...["exposedPorts", "volumes", "os", "architecture"],
] as (keyof ImageFields)[];

function environmentOf(fields: ImageFields): string[] {
  try {
    return environment(fields);
  } catch {
    return fields.env ?? [];
  }
}

function fieldsOf(text: string): ImageFields | undefined {
  try {
    return readConfig(text).fields;
  } catch {
    return undefined;
  }
}

/** A descriptor's platform has to be that of its image. */
function checkPlatform(
  { entry, config, platform }: FaceImage,
  findings: Findings,
): void {
  if (!platform || !isObject(config.value)) return;
  for (const key of ["os", "architecture"] as const) {
    if (platform[key] === config.value[key]) continue;
    findings.add(
      "faces-platform",
      entry,
      `its descriptor says ${key} ${
        shown(String(platform[key]))
      }, its config ` +
        shown(String(config.value[key])),
    );
  }
}

function compareNames(
  one: string[],
  two: string[],
  entry: string,
  findings: Findings,
): void {
  const a = new Set(one.map(qualified));
  const b = new Set(two.map(qualified));
  for (const name of new Set([...a, ...b])) {
    if (a.has(name) && b.has(name)) continue;
    findings.add(
      "faces-names",
      shown(entry),
      `${shown(name)} is ${a.has(name) ? "not in it" : "in it alone"}`,
    );
  }
}

/** A name with registry and tag. */
function qualified(name: string): string {
  try {
    return parseName(name).qualified;
  } catch {
    return name;
  }
}

/** The image as its image config says, for the faces to be compared with. */
function expectedImage(
  { docker, oci, v1 }: Documents,
): Image | undefined {
  const first = docker[0] ?? oci[0];
  const v1Image = v1?.images[0];
  const text = first?.config.text ?? v1Image?.json.text;
  const fields = text === undefined ? undefined : fieldsOf(text);
  if (!fields?.architecture) return undefined;
  const names = first?.names.length ? first.names : v1Image?.names ?? [];
  const same = oci.find(({ config }) => config.digest === first?.config.digest);
  return {
    ...fields,
    architecture: fields.architecture,
    created: fields.created ?? 0,
    // Names that the writers take, where the image has none.
    names: names.length > 0 ? names : [UNNAMED],
    ...(same?.annotations && { annotations: same.annotations }),
  };
}

const UNNAMED = "unnamed/image";

function checkAppc(
  { appc }: Documents,
  image: Image,
  tell: Tell,
): void {
  if (!appc?.isGood) return;
  const found = appc.value as Json;
  const app = (found.app ?? {}) as Json;
  const gids = app.supplementaryGIDs as number[] | undefined;
  const [executable] = (app.exec ?? []) as string[];
  const gid = Number(app.group);
  const wanted = appcManifest(image, {
    ids: { uid: 0, gid: gid >= 0 ? gid : 0, additionalGids: gids },
    ...(isCommand(image, executable) && { executable }),
  });
  compare("manifest", "app", asSets(wanted.app), asSets(app), tell, [
    ...["exec", "user", "group", "workingDirectory", "environment"],
    ...["mountPoints", "ports", "userLabels"],
  ]);
  const labels = new Map(
    ((found.labels ?? []) as { name: string; value: string }[])
      .map(({ name, value }) => [name, value]),
  );
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
      `its name is ${shown(String(found.name))}, not ${shown(wanted.name)}`,
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

/** Whether the image has no name, and this would be one. */
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
  { bundle }: Documents,
  image: Image,
  tell: Tell,
): void {
  if (!bundle?.isGood) return;
  const found = bundle.value as Json;
  const process = (found.process ?? {}) as Json;
  const user = (process.user ?? {}) as unknown as UserIds;
  const wanted = runtimeConfig(image, { ids: user });
  compare("config.json", "process", { ...wanted.process }, process, tell, [
    ...["args", "env", "cwd"],
  ]);
  const [name = "", group] = (image.user ?? "0").split(":");
  for (
    const [key, text] of [["uid", name || "0"], ["gid", group ?? ""]] as const
  ) {
    if (!/^\d+$/.test(text) || Number(text) === user[key]) continue;
    // A name that is all digits may stand for another number.
    if (text !== "0") continue;
    tell(
      "faces-config",
      "config.json",
      `process.user.${key} is ${user[key]}, not ${text}`,
    );
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
      `its architecture is ${shown(String(found.architecture))}, not ` +
        shown(wanted.architecture),
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
      `${path} is ${told(two)}, where the image config asks for ${told(one)}`,
    );
  }
}

function told(value: unknown): string {
  return value === undefined ? "missing" : shown(canonical(value), 80);
}

/** Tells whether two values are the same JSON, whatever the order of keys. */
function sameJson(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, inner) =>
      isObject(inner)
        ? Object.fromEntries(
          Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)),
        )
        : inner,
  ) ?? "";
}
