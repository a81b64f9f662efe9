/**
 * Renames a text to what appc allows, by one rule for image names, annotations,
 * ports and volumes:
 *
 * 1. Letters become lower case.
 * 2. Each run of characters other than `a` to `z` and `0` to `9` becomes one
 *    separator: the run's first character that is a separator of this kind of
 *    name, or else `-`.
 * 3. Separators at either end go away; where nothing is left the name is `x`.
 *
 * So `localhost:5000/app__x` becomes `localhost-5000/app_x`. A text that appc
 * allows stays as it is.
 *
 * @param text Any text.
 * @param kind An `identifier` (an image's name or an annotation's) may have the
 * separators `- . _ ~ /`, a `name` (a port's or a mount point's) only `-`.
 * @returns The AC Identifier or AC Name.
 *
 * @see {@link https://github.com/appc/spec/blob/v0.8.11/spec/types.md}
 */
export function appcName(
  text: string,
  kind: "identifier" | "name" = "identifier",
): string {
  const separators = kind === "name" ? /-/ : /[-._~/]/;
  return text.toLowerCase()
    .replace(/[^a-z0-9]+/g, (run) => separators.exec(run)?.[0] ?? "-")
    .replace(/^[^a-z0-9]|[^a-z0-9]$/g, "") || "x";
}
