import { DescriptionError } from "../errors/description_error.ts";
import { shown, shownWord } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { type JsonObject, keyOf } from "../formats/json_object.ts";
import { variableName } from "../formats/values/environment.ts";
import { parseExposedPort, portKey } from "../formats/values/port.ts";
import type { BaseImage, ImageFields } from "../image/image.ts";
import {
  configDocument,
  listIn,
  objectIn,
  withConfig,
} from "./config_document.ts";

/** Fields that go as a whole: their names in an image and in a config. */
const WHOLE = new Map<string, [keyof ImageFields, string]>([
  ["entrypoint", ["entrypoint", "Entrypoint"]],
  ["cmd", ["command", "Cmd"]],
  ["healthcheck", ["healthcheck", "Healthcheck"]],
  ["user", ["user", "User"]],
  ["workdir", ["workdir", "WorkingDir"]],
  ["stopsignal", ["stopSignal", "StopSignal"]],
  ["shell", ["shell", "Shell"]],
  ["onbuild", ["onBuild", "OnBuild"]],
]);

/** Fields of which one value goes. */
const ONE_OF = new Map<string, string>([
  ["env", "KEY"],
  ["label", "KEY"],
  ["volume", "PATH"],
  ["port", "PORT"],
]);

/** Something to take away. */
export interface Unset {
  /** One of the fields above. */
  field: string;
  /** Which one of the field's values. */
  key?: string;
}

/**
 * Reads what to take away.
 *
 * @param text `env=KEY`, `label=KEY`, `volume=PATH`, `port=PORT`, or the name of
 * a field that goes as a whole, such as `cmd`.
 * @throws {DescriptionError} If the text is something else.
 */
export function parseUnset(text: string): Unset {
  const at = text.indexOf("=");
  const field = (at < 0 ? text : text.slice(0, at)).toLowerCase();
  const key = at < 0 ? undefined : text.slice(at + 1);
  if (WHOLE.has(field)) {
    if (key === undefined) return { field };
    throw new DescriptionError(
      `${shown(text)}: ${field} goes as a whole, without =`,
    );
  }
  const what = ONE_OF.get(field);
  if (what !== undefined) {
    if (!key) {
      throw new DescriptionError(`${shown(text)} is not ${field}=${what}`);
    }
    if (field === "port") parseExposedPort(key);
    return { field, key };
  }
  const all = [
    ...[...ONE_OF].map(([field, what]) => `${field}=${what}`),
    ...WHOLE.keys(),
  ];
  throw new DescriptionError(`${shown(text)} is not one of ${all.join(", ")}`);
}

/**
 * Takes fields of an image away. What no engine understands of them goes too.
 *
 * @param base What the image says.
 * @param all What to take away.
 * @returns What it says then, and notes on what it did not have.
 */
export function unsetFields(
  base: BaseImage,
  all: readonly Unset[],
): { base: BaseImage; notes: string[] } {
  const notes: string[] = [];
  const missing = ({ field, key }: Unset) =>
    notes.push(
      `The image has no ${field}${
        key === undefined ? "" : ` ${shownWord(key)}`
      }` +
        ": there is nothing to take away",
    );
  if (base.config === undefined) {
    const fields = { ...base.fields };
    for (const one of all) if (!unsetField(fields, one)) missing(one);
    return { base: { ...base, fields }, notes };
  }
  const { document, write } = configDocument(base.config);
  // The config object may be the document itself.
  const process = objectIn(document, "config") ?? document;
  let isChanged = false;
  for (const one of all) {
    if (unsetIn(process, one)) isChanged = true;
    else missing(one);
  }
  return { base: isChanged ? withConfig(base, write()) : base, notes };
}

/** Takes something away of the `config` object of an image config. */
function unsetIn(process: JsonObject, { field, key }: Unset): boolean {
  const whole = WHOLE.get(field);
  if (whole) {
    const name = keyOf(process, whole[1]);
    const value = name === undefined ? undefined : process[name];
    if (name !== undefined) delete process[name];
    return value !== undefined && value !== null && value !== "" &&
      !(Array.isArray(value) && value.length === 0);
  }
  if (field === "env") {
    const name = keyOf(process, "Env") ?? "Env";
    const entries = listIn(process, "Env");
    const left = entries.filter((entry) =>
      typeof entry !== "string" || variableName(entry) !== key
    );
    if (left.length === entries.length) return false;
    process[name] = left;
    return true;
  }
  const names = { label: "Labels", volume: "Volumes", port: "ExposedPorts" };
  const object = objectIn(process, names[field as keyof typeof names]) ?? {};
  const found = Object.keys(object).filter((other) =>
    form(field, other) === form(field, key!)
  );
  for (const name of found) delete object[name];
  return found.length > 0;
}

/** Takes something away of an image that has no config. */
function unsetField(fields: ImageFields, { field, key }: Unset): boolean {
  const whole = WHOLE.get(field);
  if (whole) {
    const isThere = fields[whole[0]] !== undefined;
    delete fields[whole[0]];
    return isThere;
  }
  if (field === "label") {
    const labels = new Map(Object.entries(fields.labels ?? {}));
    const isThere = labels.delete(key!);
    fields.labels = Object.fromEntries(labels);
    return isThere;
  }
  const names = {
    env: "env",
    volume: "volumes",
    port: "exposedPorts",
  } as const;
  const name = names[field as keyof typeof names];
  const list = fields[name] ?? [];
  const left = list.filter((other) => form(field, other) !== form(field, key!));
  fields[name] = left;
  return left.length < list.length;
}

/** A value in the form in which two of them are compared. */
function form(field: string, text: string): string {
  if (field === "env") return variableName(text);
  if (field === "volume") return `/${text.replace(/^\/+|\/+$/g, "")}`;
  if (field !== "port") return text;
  return unlessRefused(() => portKey(parseExposedPort(text))) ?? text;
}
