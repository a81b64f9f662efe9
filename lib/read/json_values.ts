/** A JSON object that may hold anything. */
export type Json = Record<string, unknown>;

/** The value as an object; an empty one if it is something else. */
export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : {};
}

/** The value as a list; an empty one if it is something else. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value if it is a string with something in it. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value if it is a number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The texts in a list; an empty one in place of anything else. */
export function listOfTexts(value: unknown): string[] {
  return listOf(value).map((item) => typeof item === "string" ? item : "");
}

/** An object's members that are strings, by key. */
export function textsOf(value: unknown): Map<string, string> {
  return new Map(
    Object.entries(objectOf(value)).filter(
      (pair): pair is [string, string] => typeof pair[1] === "string",
    ),
  );
}
