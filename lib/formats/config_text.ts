import type { Image } from "../image/image.ts";
import type { Layer } from "../image/layer.ts";
import { type JsonObject, keyOf } from "./json_object.ts";
import { losslessJson } from "./lossless_json.ts";
import { jsonText, parseJson } from "./json_text.ts";
import { historyEntry, imageConfig } from "./oci_config.ts";
import { processConfig } from "./process_config.ts";
import { changedProcess } from "./changed_process.ts";
import { isGoTime, rfc3339 } from "./values/time.ts";

/** What messages call the base image's document. */
const NAME = "The image config";

/**
 * Writes the image config. If the image was made from another one, this is the
 * other one's config, changed only where the two images differ and where Docker
 * refuses it. Every field that ciso does not know, every fraction of a second
 * and every null stays. If nothing changes it is the same text, so the image
 * has the same ID.
 *
 * @param image The image.
 * @param layers Its layers, lowest first.
 * @returns The document's text.
 * @throws {DescriptionError} If what the image says anew breaks a rule.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md}
 */
export function configText(image: Image, layers: Layer[]): string {
  const text = image.base?.config;
  if (text === undefined) return jsonText(imageConfig(image, layers));
  const { value, write } = losslessJson(NAME, text);
  const document = value as JsonObject;
  const before = JSON.stringify(document);
  set(document, "architecture", image.architecture);
  set(document, "os", image.os ?? "linux");
  setIf(document, "variant", image.variant);
  setAuthor(document, image);
  setCreated(document, image);
  const key = keyOf(document, "config") ?? "config";
  const process = changedProcess(document[key], image);
  if (process) document[key] = process;
  const had = setDiffIds(document, layers);
  setHistory(document, image, layers.length, had);
  return JSON.stringify(document) === before ? text : `${write(document)}\n`;
}

/**
 * The `config` object of an image config, for Docker v1's `json`: as
 * {@linkcode configText} has it.
 *
 * @param image The image.
 * @returns The object.
 */
export function processObject(image: Image): object {
  const text = image.base?.config;
  if (text === undefined) return processConfig(image);
  const document = parseJson(NAME, text) as JsonObject;
  const was = document[keyOf(document, "config") ?? "config"];
  return changedProcess(was, image) ?? was ?? {};
}

/** Sets a field, whatever the case of its name is. */
function set(document: JsonObject, name: string, value: unknown): void {
  document[keyOf(document, name) ?? name] = value;
}

/** Sets a field that has a value; null and "" may stay where it has none. */
function setIf(
  document: JsonObject,
  name: string,
  value: string | undefined,
): void {
  const key = keyOf(document, name);
  if (value) document[key ?? name] = value;
  else if (key !== undefined && document[key]) delete document[key];
}

function setAuthor(document: JsonObject, image: Image): void {
  if (image.author !== image.base?.fields.author) {
    setIf(document, "author", image.author);
  }
}

/** A time that Docker cannot read goes; one that says the same stays. */
function setCreated(document: JsonObject, image: Image): void {
  const was = image.base?.fields.created;
  if (image.created !== (was ?? 0)) {
    set(document, "created", rfc3339(image.created));
    return;
  }
  mendTime(document);
}

/** Makes a `created` field say what Go can read, or nothing. */
function mendTime(document: JsonObject): void {
  const key = keyOf(document, "created");
  const time = key === undefined ? undefined : document[key];
  if (typeof time !== "string" || isGoTime(time)) return;
  const capitals = time.toUpperCase().replace(" ", "T");
  if (isGoTime(capitals)) document[key!] = capitals;
  else delete document[key!];
}

/**
 * Writes the layers' diff IDs.
 *
 * @returns How many there were.
 */
function setDiffIds(document: JsonObject, layers: Layer[]): number {
  const key = keyOf(document, "rootfs") ?? "rootfs";
  const rootfs = (document[key] ?? { type: "layers" }) as JsonObject;
  const ids = keyOf(rootfs, "diff_ids") ?? "diff_ids";
  const had = Array.isArray(rootfs[ids]) ? rootfs[ids].length : 0;
  rootfs[ids] = layers.map(({ digest }) => `sha256:${digest}`);
  document[key] = rootfs;
  return had;
}

/**
 * Adds an entry to the history for each new layer. A history that names more
 * layers than there are goes: Docker refuses it.
 *
 * @param layers How many layers the image has.
 * @param had How many it was made from.
 */
function setHistory(
  document: JsonObject,
  image: Image,
  layers: number,
  had: number,
): void {
  const key = keyOf(document, "history") ?? "history";
  const all = (document[key] ?? []) as JsonObject[];
  const named =
    all.filter((entry) => !entry[keyOf(entry, "empty_layer") ?? "empty_layer"])
      .length;
  if (named > had) {
    delete document[key];
    if (layers > had) document[key] = added(image, layers);
    return;
  }
  for (const entry of all) mendTime(entry);
  if (layers > had) document[key] = [...all, ...added(image, layers - named)];
}

function added(image: Image, count: number): object[] {
  return Array.from({ length: count }, () => historyEntry(image));
}
