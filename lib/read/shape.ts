import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { type JsonObject, keyOf } from "../formats/json_object.ts";

/**
 * Where a value is in a document, for messages. A list of keys, linked so that
 * a document with many values costs nothing unless one of them is wrong.
 */
export class Place {
  readonly #document: string;
  readonly #parent: Place | undefined;
  readonly #key: string | number | undefined;

  /** @param document What messages call the document. */
  constructor(document: string, parent?: Place, key?: string | number) {
    this.#document = document;
    this.#parent = parent;
    this.#key = key;
  }

  /** The place of a value inside this one. */
  at(key: string | number): Place {
    return new Place(this.#document, this, key);
  }

  /** The document and the path in it, such as `index.json: manifests[0].digest`. */
  get text(): string {
    const path = this.#path();
    return path === "" ? this.#document : `${this.#document}: ${path}`;
  }

  #path(): string {
    if (this.#key === undefined) return "";
    const parent = this.#parent!.#path();
    if (typeof this.#key === "number") return `${parent}[${this.#key}]`;
    if (!/^[\w./-]{1,80}$/.test(this.#key)) {
      return `${parent}[${shown(this.#key)}]`;
    }
    return parent === "" ? this.#key : `${parent}.${this.#key}`;
  }

  /** The error for a value that has another shape than it must. */
  wrong(value: unknown, expected: string): InputError {
    return new InputError(
      `${this.text} is ${kindOf(value)}, but must be ${expected}`,
    );
  }
}

/**
 * Checks a value's shape and gives it in the type that goes with it; throws what
 * {@linkcode Place.wrong} makes if the value has another one.
 *
 * These are a table of our own because the libraries for it (valibot 1.5, zod
 * 4.6) pass over keys such as `__proto__` and `constructor` in records: a label
 * of that name is lost, or not checked. Also, they know nothing of Go's rules,
 * by which engines read these documents: null is the same as nothing, and the
 * case of a field's name does not count.
 */
export type Shape<T> = (value: unknown, place: Place) => T;

/** What a value is, without its content, which may be a secret. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a string";
  if (typeof value === "object") return "an object";
  return `the ${typeof value} ${value}`;
}

/** A string. */
export const text: Shape<string> = (value, place) => {
  if (typeof value === "string") return value;
  throw place.wrong(value, "a string");
};

/** A number. */
export const number: Shape<number> = (value, place) => {
  if (typeof value === "number") return value;
  throw place.wrong(value, "a number");
};

/** A whole number. */
export const integer: Shape<number> = (value, place) => {
  if (Number.isInteger(value)) return value as number;
  throw place.wrong(value, "a whole number");
};

/** True or false. */
export const truth: Shape<boolean> = (value, place) => {
  if (typeof value === "boolean") return value;
  throw place.wrong(value, "true or false");
};

/** Any value at all. */
export const anything: Shape<unknown> = (value) => value;

/** An object, whatever is in it. */
export const anyObject: Shape<JsonObject> = (value, place) => {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw place.wrong(value, "an object");
};

/** A value that may be missing or null, which count as `undefined`. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, place) =>
    value === undefined || value === null ? undefined : shape(value, place);
}

/** A list, each of whose values has one shape. */
export function list<T>(shape: Shape<T>): Shape<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw place.wrong(value, "a list");
    return value.map((item, i) => shape(item, place.at(i)));
  };
}

/** An object with any keys, each of whose values has one shape. */
export function record<T>(shape: Shape<T>): Shape<Map<string, T>> {
  return (value, place) =>
    new Map(
      Object.entries(anyObject(value, place))
        .map(([key, item]) => [key, shape(item, place.at(key))]),
    );
}

/** What {@linkcode object} gives. */
type Fields<S> = {
  [K in keyof S]: S[K] extends Shape<infer T> ? T : never;
};

/** An object with known fields, each with a shape of its own; others may be. */
export function object<S extends Record<string, Shape<unknown>>>(
  shapes: S,
): Shape<Fields<S>> {
  const names = Object.keys(shapes);
  return (value, place) => {
    const found = anyObject(value, place);
    return Object.fromEntries(
      names.map((name) => {
        const key = keyOf(found, name);
        const item = key === undefined ? undefined : found[key];
        return [name, shapes[name]!(item, place.at(key ?? name))];
      }),
    ) as Fields<S>;
  };
}
