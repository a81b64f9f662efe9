/**
 * Whether two values of an image's field say the same. Empty lists, texts
 * and records say nothing, as no value does.
 *
 * @param a One value.
 * @param b The other one.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  return written(a) === written(b);
}

function written(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text === "[]" || text === "{}" || text === '""' ? "" : text;
}
