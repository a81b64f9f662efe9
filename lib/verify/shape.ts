import { shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";

/** Gets what is wrong, and where: a path such as `config.Env[0]`. */
export type Tell = (place: string, message: string) => void;

/** Checks a value of a document. */
export type Shape = (value: unknown, place: string, tell: Tell) => void;

/** The fields of a JSON object. */
export type Json = Record<string, unknown>;

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text, of a form if one is given. */
export function text(form?: RegExp, what = ""): Shape {
  return (value, place, tell) => {
    if (typeof value !== "string") tell(place, "is not a text");
    else if (form && !form.test(value)) {
      tell(place, `is ${shown(value)}, not ${what}`);
    }
  };
}

/** A text that a function takes. */
export function parsed(parse: (text: string) => unknown, what: string): Shape {
  return (value, place, tell) => {
    if (typeof value !== "string") return tell(place, "is not a text");
    const isGood = unlessRefused(() => {
      parse(value);
      return true;
    });
    if (!isGood) tell(place, `is ${shown(value)}, not ${what}`);
  };
}

/** One of some values. */
export function oneOf(...values: (string | number)[]): Shape {
  return (value, place, tell) => {
    if (values.includes(value as string)) return;
    tell(place, `is ${described(value)}, not ${values.join(" or ")}`);
  };
}

/** A whole number in bounds. */
export function whole(least = 0, most = Number.MAX_SAFE_INTEGER): Shape {
  return (value, place, tell) => {
    const isWhole = typeof value === "number" && Number.isInteger(value) &&
      value >= least && value <= most;
    if (!isWhole) {
      tell(
        place,
        `is ${described(value)}, not a whole number from ${least} to ${most}`,
      );
    }
  };
}

/** True or false. */
export const flag: Shape = (value, place, tell) => {
  if (typeof value !== "boolean") tell(place, "is neither true nor false");
};

/** A list of alike values. */
export function list(item: Shape, least = 0): Shape {
  return (value, place, tell) => {
    if (!Array.isArray(value)) return tell(place, "is not a list");
    if (value.length < least) {
      return tell(place, `has ${value.length} items, not ${least} or more`);
    }
    value.forEach((one, i) => item(one, `${place}[${i}]`, tell));
  };
}

/** An object whose keys are free. */
export function map(item: Shape, keys?: Shape): Shape {
  return (value, place, tell) => {
    if (!isObject(value)) return tell(place, "is not an object");
    for (const [key, one] of Object.entries(value)) {
      const at = `${place}[${shown(key)}]`;
      keys?.(key, `the key of ${at}`, tell);
      item(one, at, tell);
    }
  };
}

/**
 * An object with known fields; others are allowed. Go writes null for what is
 * not set, so that counts as not there.
 */
export function object(
  needed: Record<string, Shape>,
  optional: Record<string, Shape> = {},
): Shape {
  return (value, place, tell) => {
    if (!isObject(value)) return tell(place || "it", "is not an object");
    const prefix = place === "" ? "" : `${place}.`;
    for (const [key, shape] of Object.entries(needed)) {
      if (!Object.hasOwn(value, key) || value[key] === null) {
        tell(prefix + key, "is missing");
      } else shape(value[key], prefix + key, tell);
    }
    for (const [key, shape] of Object.entries(optional)) {
      if (!Object.hasOwn(value, key) || value[key] === null) continue;
      shape(value[key], prefix + key, tell);
    }
  };
}

/** Several shapes at once. */
export function all(...shapes: Shape[]): Shape {
  return (value, place, tell) => {
    for (const shape of shapes) shape(value, place, tell);
  };
}

/** Any value. */
export const any: Shape = () => {};

/** A value as a finding shows it. */
export function described(value: unknown, limit = 40): string {
  return value === undefined ? "missing" : shown(value, limit);
}
