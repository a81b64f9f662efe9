import { shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { environment } from "../formats/values/environment.ts";
import { platformKey } from "../formats/values/platform.ts";
import { parseName } from "../image/name.ts";
import type { ImageFields } from "../image/image.ts";
import { readConfig } from "../read/read_config.ts";
import type { Documents } from "./documents.ts";
import type { Findings } from "./finding.ts";
import type { FaceImage } from "./face_image.ts";
import { checkRootfsFaces } from "./rootfs_faces.ts";
import { sameJson } from "./same_json.ts";
import { described, isObject } from "./shape.ts";

/** Checks that all faces of an archive are of the same image. */
export function checkFaces(documents: Documents, findings: Findings): void {
  checkOciAgainstDocker(documents, findings);
  checkV1(documents, findings);
  for (const image of documents.oci) checkPlatform(image, findings);
  checkRootfsFaces(documents, findings);
}

/** The image that manifest.json lists has to be one of the OCI layout. */
function checkOciAgainstDocker(
  { docker, oci, faces }: Documents,
  findings: Findings,
): void {
  if (docker.length === 0) return;
  if (oci.length === 0) {
    if (!faces.has("oci")) return;
    return findings.add(
      "face-incomplete",
      shown("index.json"),
      "it lists no image, and manifest.json does",
    );
  }
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
  const tags = new Set(
    docker.flatMap(({ names }) => names.map((name) => tagOf(name))),
  );
  for (const tag of oci.flatMap(({ tags = [] }) => tags)) {
    if (tags.size === 0 || tags.has(tag)) continue;
    findings.add(
      "faces-names",
      shown("index.json"),
      `its reference name ${shown(tag)} is the tag of no name in manifest.json`,
    );
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
  { v1, docker, oci, image: primary }: Documents,
  findings: Findings,
): void {
  const others = docker.length > 0 ? docker : oci;
  // Of several platforms with the same names it must be the primary one.
  const images = primary ? [primary, ...others] : others;
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
  ...["stopSignal", "healthcheck", "shell", "onBuild"],
] as (keyof ImageFields)[];

function environmentOf(fields: ImageFields): string[] {
  return unlessRefused(() => environment(fields)) ?? fields.env ?? [];
}

function fieldsOf(text: string): ImageFields | undefined {
  return unlessRefused(() => readConfig(text))?.fields;
}

/** A descriptor's platform has to be that of its image. */
function checkPlatform(
  { entry, config, platform }: FaceImage,
  findings: Findings,
): void {
  if (!platform || !isObject(config.value)) return;
  for (const key of ["os", "architecture"] as const) {
    // Another rule tells of what is missing.
    if (platform[key] === undefined) continue;
    if (platform[key] === config.value[key]) continue;
    findings.add(
      "faces-platform",
      entry,
      `its descriptor says ${key} ${shown(platform[key])}, its config ` +
        described(config.value[key], 200),
    );
  }
  const [one, two] = [platform, config.value].map(({ variant }) => variant);
  if (typeof one !== "string" || typeof two !== "string") return;
  const { architecture } = platform;
  const key = (variant: string) =>
    platformKey({ architecture: String(architecture), variant });
  if (key(one) === key(two)) return;
  findings.add(
    "faces-platform",
    entry,
    `its descriptor says variant ${shown(one)}, its config ${shown(two)}`,
  );
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

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}

/** A name with registry and tag. */
function qualified(name: string): string {
  return unlessRefused(() => parseName(name))?.qualified ?? name;
}
