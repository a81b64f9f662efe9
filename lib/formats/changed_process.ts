import { unlessRefused } from "../errors/refusal.ts";
import type { Healthcheck, Image, ImageFields } from "../image/image.ts";
import { type JsonObject, keyOf } from "./json_object.ts";
import { sameValue } from "./same_value.ts";
import { type ProcessConfig, processConfig } from "./process_config.ts";
import { environmentFault, variableName } from "./values/environment.ts";
import { exposedPorts, parseExposedPort, portKey } from "./values/port.ts";
import { absolutePath } from "./values/path.ts";

/** The fields of an image that replace what the other one says. */
const REPLACED: [keyof ImageFields, keyof ProcessConfig][] = [
  ["user", "User"],
  ["entrypoint", "Entrypoint"],
  ["command", "Cmd"],
  ["workdir", "WorkingDir"],
  ["stopSignal", "StopSignal"],
  ["shell", "Shell"],
  ["onBuild", "OnBuild"],
];

/** Lists of words that Docker also takes as one string, and nobody else does. */
const WORDS = ["Entrypoint", "Cmd", "Shell"];

/**
 * Changes the `config` object of the image config that an image is made from,
 * where the image says something else than that one.
 *
 * @param was The object; null and `undefined` count as empty. It is changed.
 * @param image The image; it must have a `base`.
 * @returns The object, or `undefined` if there is none and nothing to put in.
 * @throws {DescriptionError} If what the image says anew breaks a rule.
 */
export function changedProcess(
  was: unknown,
  image: Image,
): JsonObject | undefined {
  const process = (was ?? {}) as JsonObject;
  const { fields } = image.base!;
  for (const name of WORDS) {
    const key = keyOf(process, name);
    if (key !== undefined && typeof process[key] === "string") {
      process[key] = [process[key]];
    }
  }
  for (const [field, name] of REPLACED) {
    if (sameValue(image[field], fields[field])) continue;
    const written = processConfig(alone({ [field]: image[field] }));
    put(process, name, written[name]);
  }
  if (!sameValue(image.env, fields.env)) setEnv(process, image);
  if (!sameValue(image.labels, fields.labels)) setLabels(process, image);
  if (!sameValue(image.exposedPorts, fields.exposedPorts)) {
    setPorts(process, image);
  }
  if (!sameValue(image.volumes, fields.volumes)) setVolumes(process, image);
  if (!sameValue(image.healthcheck, fields.healthcheck)) {
    setHealth(process, image);
  }
  return was || Object.keys(process).length > 0 ? process : undefined;
}

/** An image that says nothing but these fields; its PATH is the system's. */
function alone(fields: ImageFields): Image {
  const made = { names: [], created: 0, architecture: "" };
  return { os: "windows", ...fields, ...made };
}

/** Sets a field, whatever the case of its name is, or removes it. */
function put(object: JsonObject, name: string, value: unknown): void {
  const key = keyOf(object, name);
  if (value !== undefined) object[key ?? name] = value;
  else if (key !== undefined) delete object[key];
}

/** A field's value, if it is a list; other values are lost. */
function listIn(object: JsonObject, name: string): unknown[] {
  const value = object[keyOf(object, name) ?? name];
  return Array.isArray(value) ? value : [];
}

/** A field's keys and values, if it is an object. */
function entriesIn(object: JsonObject, name: string): Map<string, unknown> {
  const value = object[keyOf(object, name) ?? name];
  const isObject = typeof value === "object" && value && !Array.isArray(value);
  return new Map(isObject ? Object.entries(value) : []);
}

/**
 * Leaves the order of variables, and entries that are none, as they are; a
 * variable that the image says anew replaces the first entry of its name.
 */
function setEnv(process: JsonObject, image: Image): void {
  const wanted = new Map(
    (processConfig(alone({ env: image.env })).Env ?? [])
      .map((entry) => [variableName(entry), entry]),
  );
  const done = new Set<string>();
  const entries: string[] = [];
  for (const [i, entry] of listIn(process, "Env").entries()) {
    if (typeof entry !== "string") continue;
    const name = variableName(entry);
    const value = wanted.get(name);
    if (value !== undefined && !done.has(name)) entries.push(value);
    else if (value === undefined && environmentFault(entry, i)) {
      entries.push(entry);
    }
    done.add(name);
  }
  for (const [name, entry] of wanted) if (!done.has(name)) entries.push(entry);
  put(process, "Env", entries);
}

function setLabels(process: JsonObject, image: Image): void {
  const wanted = new Map(Object.entries(image.labels ?? {}));
  const labels = entriesIn(process, "Labels");
  const was = new Map(Object.entries(image.base!.fields.labels ?? {}));
  for (const key of was.keys()) if (!wanted.has(key)) labels.delete(key);
  for (const [key, value] of wanted) {
    if (was.get(key) !== value) labels.set(key, value);
  }
  // An option that mends a fault replaces all of it.
  for (const [key, value] of labels) {
    if (typeof value !== "string" && value !== null) labels.delete(key);
  }
  put(process, "Labels", Object.fromEntries(labels));
}

/**
 * Leaves the spelling of ports that stay, and all that is no port, as it is.
 */
function setPorts(process: JsonObject, image: Image): void {
  const key = (text: string) =>
    unlessRefused(() => portKey(parseExposedPort(text)));
  const wanted = new Set(exposedPorts(image).map(portKey));
  const ports = entriesIn(process, "ExposedPorts");
  for (const text of ports.keys()) {
    const port = key(text);
    if (port !== undefined && !wanted.delete(port)) ports.delete(text);
  }
  const more = processConfig(alone({ exposedPorts: [...wanted] }));
  for (const text of Object.keys(more.ExposedPorts ?? {})) ports.set(text, {});
  put(process, "ExposedPorts", Object.fromEntries(ports));
}

function setVolumes(process: JsonObject, image: Image): void {
  const wanted = new Set(image.volumes);
  const was = new Set(image.base!.fields.volumes);
  const volumes = entriesIn(process, "Volumes");
  for (const path of volumes.keys()) {
    const full = path.startsWith("/") ? path : `/${path}`;
    if (was.has(full) && !wanted.has(full)) volumes.delete(path);
  }
  for (const path of wanted) {
    if (!was.has(path)) volumes.set(absolutePath("Volume", path), {});
  }
  put(process, "Volumes", Object.fromEntries(volumes));
}

/** Changes those parts of the health check that the image says anew. */
function setHealth(process: JsonObject, image: Image): void {
  const { healthcheck } = image;
  const was = image.base!.fields.healthcheck;
  if (!healthcheck) return put(process, "Healthcheck", undefined);
  const changed: Healthcheck = { test: ["NONE"] };
  for (const name of Object.keys(healthcheck) as (keyof Healthcheck)[]) {
    if (name !== "test" && healthcheck[name] !== was?.[name]) {
      Object.assign(changed, { [name]: healthcheck[name] });
    }
  }
  const isSame = sameValue(healthcheck.test, was?.test);
  if (!isSame) changed.test = healthcheck.test;
  const { Healthcheck } = processConfig(alone({ healthcheck: changed }));
  const faults = image.base!.faults ?? [];
  const check = faults.some(({ field }) => field === "healthcheck")
    ? new Map<string, unknown>()
    : entriesIn(process, "Healthcheck");
  for (const [name, value] of Object.entries(Healthcheck!)) {
    if (name === "Test" && isSame) continue;
    check.set(name, value);
  }
  put(process, "Healthcheck", Object.fromEntries(check));
}
