import { shown } from "../errors/shown.ts";
import { isObject } from "./shape.ts";

/** A value as a message shows it. */
export function shownJson(value: unknown): string {
  return value === undefined ? "missing" : shown(canonical(value), 80);
}

/** Whether two values are the same JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
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
