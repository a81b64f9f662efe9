/** An object as JSON has it. */
export type JsonObject = Record<string, unknown>;

/**
 * The key by which an object has a field. Go, which the engines are written in,
 * takes any case of it.
 *
 * @param object The object.
 * @param name The field's name.
 * @returns `undefined` if the object has no such field.
 */
export function keyOf(object: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  const lower = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === lower);
}
