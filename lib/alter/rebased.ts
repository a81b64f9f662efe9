import { counted } from "../errors/counted.ts";
import { InputError } from "../errors/input_error.ts";
import { type JsonObject, keyOf } from "../formats/json_object.ts";
import { parseJson } from "../formats/json_text.ts";
import { sameValue } from "../formats/same_value.ts";
import { variableName } from "../formats/values/environment.ts";
import type { BaseImage } from "../image/image.ts";
import { platformText } from "../read/choose_image.ts";
import {
  configDocument,
  hasLayer,
  listIn,
  NAME,
  objectIn,
  put,
  withConfig,
} from "./config_document.ts";

/** An image of which the layers' IDs and the documents are known. */
export interface Based {
  /** What messages call it. */
  name: string;
  /** SHA-256 of its uncompressed layers in hex, lowest first. */
  diffIds: readonly (string | undefined)[];
  base: BaseImage;
}

/** Fields of the `config` object of which each value counts by itself. */
const MAPS = new Set(["labels", "exposedports", "volumes"]);

/** Fields of an image config that are about one image alone. */
const OWN = ["author", "created"];

/**
 * Checks that an image was made on another one.
 *
 * @throws {InputError} If its lowest layers are others; the message names the
 * first one that differs.
 */
export function checkBasis(image: Based, old: Based): void {
  for (const { name, diffIds } of [old, image]) {
    if (!diffIds.includes(undefined)) continue;
    throw new InputError(
      `${
        name === image.name ? "It" : name
      } does not say the diff IDs of its layers, which --rebase ` +
        "compares: make an isoc of it first, with ciso convert",
    );
  }
  for (const [i, id] of old.diffIds.entries()) {
    const own = image.diffIds[i];
    if (own === id) continue;
    const what = own !== undefined
      ? `layer ${i + 1} of it is sha256:${own}`
      : `it has only ${counted(image.diffIds.length, "layer")}`;
    throw new InputError(
      `It was not made on ${old.name}: ${what}, where layer ${i + 1} of ` +
        `${old.name} is sha256:${id}; give the base that it was made on`,
    );
  }
}

/**
 * What an image says once its own layers are on another base: what it says
 * otherwise than the old base is its own and stays; all else is the new base's.
 * Variables, labels, ports and volumes count one by one.
 *
 * @param image The image.
 * @param old The base that it was made on.
 * @param next The base that takes its place.
 * @throws {InputError} If one has no image config, or the platforms differ.
 */
export function rebased(image: Based, old: Based, next: Based): BaseImage {
  checkPlatforms(image, next);
  const { document, write } = configDocument(configOf(next));
  const own = parsed(image);
  const was = parsed(old);
  const process = merged(
    objectIn(own, "config"),
    objectIn(was, "config"),
    objectIn(document, "config"),
  );
  put(document, "config", process);
  for (const name of OWN) {
    const value = own[keyOf(own, name) ?? name];
    put(document, name, value ?? undefined);
  }
  const rest = image.diffIds.slice(old.diffIds.length);
  put(document, "rootfs", {
    type: "layers",
    // The layers' own IDs are known once they have been read.
    diff_ids: [...next.diffIds, ...rest].map((id) =>
      `sha256:${id ?? "0".repeat(64)}`
    ),
  });
  put(document, "history", [
    ...filled(listIn(document, "history"), next.diffIds.length),
    ...filled(
      ownHistory(own, was, old.diffIds.length),
      image.diffIds.length - old.diffIds.length,
    ),
  ]);
  return withConfig(next.base, write());
}

function checkPlatforms(image: Based, next: Based): void {
  const platform = ({ base: { fields } }: Based) => {
    const { os, architecture, variant } = fields;
    return { os, architecture, variant };
  };
  const [own, other] = [platform(image), platform(next)];
  const isSame = (["os", "architecture", "variant"] as const).every((key) =>
    !own[key] || !other[key] || own[key] === other[key]
  );
  if (isSame) return;
  throw new InputError(
    `${next.name} is for ${platformText(other)}, not for ` +
      `${platformText(own)} as the image is: give a base for that platform`,
  );
}

function configOf({ name, base }: Based): string {
  if (base.config !== undefined) return base.config;
  throw new InputError(
    `${name} has no image config, which --rebase needs: make an isoc of it ` +
      "with ciso convert",
  );
}

function parsed(image: Based): JsonObject {
  return parseJson(NAME, configOf(image)) as JsonObject;
}

/** The three `config` objects as one. */
function merged(
  own: JsonObject = {},
  was: JsonObject = {},
  next: JsonObject = {},
): JsonObject {
  const [a, b, c] = [own, was, next].map(fieldsOf);
  const result = new Map(c);
  for (const lower of new Set([...a!.keys(), ...b!.keys()])) {
    const name = (c!.get(lower) ?? a!.get(lower) ?? b!.get(lower))!.name;
    const values = [a, b, c].map((fields) => fields!.get(lower)?.value);
    const value = mergedField(lower, values);
    if (value === undefined) result.delete(lower);
    else result.set(lower, { name, value });
  }
  return Object.fromEntries(
    [...result.values()].map(({ name, value }) => [name, value]),
  );
}

/** The fields of an object that say something, whatever the case of a name is. */
function fieldsOf(
  object: JsonObject,
): Map<string, { name: string; value: unknown }> {
  return new Map(
    Object.entries(object).filter(([, value]) => value !== null)
      .map(([name, value]) => [name.toLowerCase(), { name, value }]),
  );
}

function mergedField(name: string, [own, was, next]: unknown[]): unknown {
  if (name === "env") return mergedEnv(own, was, next);
  if (MAPS.has(name)) return mergedMap(own, was, next);
  return same(own, was) ? next : own;
}

function same(a: unknown, b: unknown): boolean {
  return sameValue(a ?? undefined, b ?? undefined);
}

function mergedMap(own: unknown, was: unknown, next: unknown): JsonObject {
  const map = (value: unknown) => new Map(Object.entries(Object(value)));
  return Object.fromEntries(mergedEntries(map(own), map(was), map(next)));
}

function mergedEnv(own: unknown, was: unknown, next: unknown): string[] {
  const map = (value: unknown) =>
    new Map(
      (Array.isArray(value) ? value : [])
        .filter((entry) => typeof entry === "string")
        .map((entry: string) => [variableName(entry), entry]),
    );
  return [...mergedEntries(map(own), map(was), map(next)).values()];
}

function mergedEntries<T>(
  own: Map<string, T>,
  was: Map<string, T>,
  next: Map<string, T>,
): Map<string, T> {
  const result = new Map(next);
  for (const key of new Set([...was.keys(), ...own.keys()])) {
    const value = own.get(key);
    if (same(value, was.get(key))) continue;
    if (own.has(key)) result.set(key, value!);
    else result.delete(key);
  }
  return result;
}

/** The entries of a history after those of the base. */
function ownHistory(
  own: JsonObject,
  was: JsonObject,
  layers: number,
): unknown[] {
  const all = listIn(own, "history");
  const old = listIn(was, "history");
  const isPrefix = old.length <= all.length &&
    old.every((entry, i) => same(entry, all[i]));
  if (isPrefix && old.length > 0) return all.slice(old.length);
  let left = layers;
  const start = all.findIndex((entry) => hasLayer(entry) && left-- === 0);
  return start < 0 ? [] : all.slice(start);
}

/** A history with an entry for each layer; a wrong one goes. */
function filled(history: unknown[], layers: number): unknown[] {
  const named = history.filter(hasLayer).length;
  const known = named > layers ? [] : history;
  const missing = named > layers ? layers : layers - named;
  return [...known, ...Array.from({ length: missing }, () => ({}))];
}
