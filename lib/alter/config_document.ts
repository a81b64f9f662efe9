import { type JsonObject, keyOf } from "../formats/json_object.ts";
import { losslessJson } from "../formats/lossless_json.ts";
import type { BaseImage } from "../image/image.ts";
import { readConfig } from "../read/read_config.ts";

/** What messages call the document. */
export const NAME = "The image config";

/** An image config, to be changed. */
export interface ConfigDocument {
  document: JsonObject;
  /** Writes it: its text, numbers as they were. */
  write(): string;
}

/** Reads an image config; numbers that JavaScript cannot hold are texts in it. */
export function configDocument(text: string): ConfigDocument {
  const { value, write } = losslessJson(NAME, text);
  return {
    document: value as JsonObject,
    write: () => `${write(value)}\n`,
  };
}

/** What a changed image config says; the rest of the base image stays. */
export function withConfig(base: BaseImage, config: string): BaseImage {
  const { fields, oddities, faults } = readConfig(config);
  return { ...base, fields, config, oddities, faults };
}

/** A field that is an object, whatever the case of its name is. */
export function objectIn(
  document: JsonObject,
  name: string,
): JsonObject | undefined {
  const value = document[keyOf(document, name) ?? name];
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : undefined;
}

/** A field that is a list; anything else counts as an empty one. */
export function listIn(document: JsonObject, name: string): unknown[] {
  const value = document[keyOf(document, name) ?? name];
  return Array.isArray(value) ? value : [];
}

/** Sets a field, whatever the case of its name is; `undefined` removes it. */
export function put(
  document: JsonObject,
  name: string,
  value: unknown,
): void {
  const key = keyOf(document, name);
  if (value !== undefined) document[key ?? name] = value;
  else if (key !== undefined) delete document[key];
}

/** Whether an entry of a history has a layer. */
export function hasLayer(entry: unknown): boolean {
  const { key, entry: object } = emptyLayer(entry);
  return object?.[key] !== true;
}

function emptyLayer(entry: unknown) {
  const object = typeof entry === "object" && entry !== null
    ? entry as JsonObject
    : undefined;
  const key = object && keyOf(object, "empty_layer");
  return { key: key ?? "empty_layer", entry: object };
}

/** Says of an entry of a history that it has no layer any more. */
export function markEmpty(entry: unknown): void {
  const { key, entry: object } = emptyLayer(entry);
  if (object) object[key] = true;
}
