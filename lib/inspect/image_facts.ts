import { unlessRefused } from "../errors/refusal.ts";
import { parse as parseYaml } from "@std/yaml";
import type { Healthcheck, HistoryEntry, ImageFields } from "../image/image.ts";
import { parseJson } from "../formats/json_text.ts";
import { goPlatform } from "../formats/values/platform.ts";
import { readAppcManifest } from "../read/read_appc.ts";
import { readConfig } from "../read/read_config.ts";
import type { Document, FoundImage } from "./found_image.ts";
import {
  listOf,
  listOfTexts,
  numberOf,
  objectOf,
  textOf,
  textsOf,
} from "../read/json_values.ts";

/** What an image says about itself, wherever it says it. */
export interface ImageFacts {
  names: string[];
  platform: {
    os?: string | undefined;
    architecture?: string | undefined;
    variant?: string | undefined;
  };
  /** RFC 3339, as it is written where it is written. */
  created?: string;
  author?: string;
  entrypoint?: string[];
  command?: string[];
  env?: string[];
  workdir?: string;
  user?: string;
  exposedPorts?: string[];
  volumes?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  stopSignal?: string;
  healthcheck?: Healthcheck;
  shell?: string[];
  onBuild?: string[];
  history?: HistoryEntry[];
  /** What of it is unreadable, in sentences. */
  notes: string[];
}

/**
 * Gathers what an image says about itself: from its image config, else from the
 * documents of the faces that read `rootfs/`.
 */
export function imageFacts(
  image: FoundImage,
  documents: ReadonlyMap<string, Document>,
): ImageFacts {
  const facts: ImageFacts = {
    names: [...image.names],
    platform: { ...image.platform },
    notes: [],
  };
  if (image.config) fromConfig(facts, image.config);
  if (image.manifest) {
    const { annotations } = parsed(image.manifest.text);
    const texts = textsOf(annotations);
    if (texts.size > 0) facts.annotations = Object.fromEntries(texts);
  }
  if (!image.layered) {
    const takes = [
      ["appc", "manifest", fromAppc],
      ["bundle", "config.json", fromBundle],
      ["lxd", "metadata.yaml", fromLxd],
    ] as const;
    for (const [face, path, take] of takes) {
      const document = documents.get(path);
      if (document && image.faces.includes(face)) take(facts, document);
    }
  }
  return facts;
}

function parsed(text: string) {
  return objectOf(unlessRefused(() => parseJson("The document", text)));
}

function fromConfig(facts: ImageFacts, { path, text }: Document): void {
  const document = parsed(text);
  const created = textOf(document.created);
  if (created) facts.created = created;
  const history = listOf(document.history).map((entry) =>
    objectOf(entry) as HistoryEntry
  );
  if (history.length > 0) facts.history = history;
  try {
    const { fields, faults } = readConfig(text, path);
    takeFields(facts, fields);
    facts.notes.push(...faults.map(({ message }) => message));
  } catch (error) {
    facts.notes.push(`${path}: ${(error as Error).message}`);
  }
}

function fromAppc(facts: ImageFacts, { path, text }: Document): void {
  try {
    const { name, base, annotations } = readAppcManifest(text);
    facts.names.push(name);
    takeFields(facts, base.fields);
    if (annotations) facts.annotations = annotations;
  } catch (error) {
    facts.notes.push(`${path}: ${(error as Error).message}`);
    const name = textOf(parsed(text).name);
    if (name) facts.names.push(name);
  }
}

const IN_BUNDLE = "org.opencontainers.image.";

/** OCI runtime-spec 1.0, config.md; OCI image-spec 1.1, conversion.md. */
function fromBundle(facts: ImageFacts, { text }: Document): void {
  const document = parsed(text);
  const process = objectOf(document.process);
  const args = listOfTexts(process.args);
  if (args.length > 0 && !facts.command && !facts.entrypoint) {
    facts.command = args;
  }
  const env = listOfTexts(process.env);
  if (env.length > 0) facts.env ??= env;
  const workdir = textOf(process.cwd);
  if (workdir) facts.workdir ??= workdir;
  const annotations = textsOf(document.annotations);
  if (annotations.size > 0) {
    facts.annotations ??= Object.fromEntries(annotations);
  }
  // The image-spec's names for facts that a bundle has no fields for.
  const { platform } = facts;
  for (const key of ["os", "architecture", "variant"] as const) {
    const value = annotations.get(`${IN_BUNDLE}${key}`);
    if (value) platform[key] ??= value;
  }
  for (const key of ["created", "author", "stopSignal"] as const) {
    const value = annotations.get(`${IN_BUNDLE}${key}`);
    if (value) facts[key] ??= value;
  }
  const user = objectOf(process.user);
  const uid = numberOf(user.uid);
  if (uid !== undefined) facts.user ??= `${uid}:${numberOf(user.gid) ?? 0}`;
  const hostname = textOf(document.hostname);
  if (hostname && facts.names.length === 0) facts.names.push(hostname);
}

/** LXD's metadata.yaml. */
function fromLxd(facts: ImageFacts, { text }: Document): void {
  const values = lxdValues(text);
  const arch = values.get("architecture");
  if (arch) {
    facts.platform = { ...lxdPlatform(arch), ...facts.platform };
  }
  const seconds = Number(values.get("creation_date"));
  if (seconds > 0 && seconds < 2 ** 42) {
    facts.created ??= new Date(seconds * 1000).toISOString().replace(
      ".000",
      "",
    );
  }
  const name = values.get("properties.name") ??
    values.get("properties.description");
  if (name && facts.names.length === 0) facts.names.push(name);
}

function lxdPlatform(arch: string): ImageFacts["platform"] {
  const { os, architecture, variant } =
    unlessRefused(() => goPlatform(`linux/${arch}`)) ??
      { os: "linux", architecture: arch };
  return { os, architecture, ...(variant && { variant }) };
}

/** The members of metadata.yaml that are texts or numbers, by their path. */
function lxdValues(text: string): Map<string, string> {
  let document;
  try {
    document = objectOf(parseYaml(text));
  } catch {
    return new Map();
  }
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(document)) {
    if (typeof value !== "object") values.set(key, String(value));
  }
  for (const [key, value] of Object.entries(objectOf(document.properties))) {
    if (typeof value !== "object") {
      values.set(`properties.${key}`, String(value));
    }
  }
  return values;
}

function takeFields(facts: ImageFacts, fields: ImageFields): void {
  const { created, os, architecture, variant, ...rest } = fields;
  Object.assign(facts, rest);
  if (created !== undefined) {
    facts.created ??= new Date(created * 1000).toISOString().replace(
      ".000",
      "",
    );
  }
  facts.platform = {
    ...(os && { os }),
    ...(architecture && { architecture }),
    ...(variant && { variant }),
    ...facts.platform,
  };
}
