import { paragraphs } from "./deb822.ts";
import { allOf, licenceExpression } from "./licence.ts";

const FIELDS = new Set(["format", "files", "license"]);

/**
 * The licences that a Debian package's `copyright` file names, if it is written
 * in the machine-readable way (DEP-5).
 *
 * @returns An SPDX expression, or `undefined`.
 */
export function readCopyright(text: string): string | undefined {
  const found = new Set<string>();
  let isFirst = true;
  for (const fields of paragraphs(text, FIELDS)) {
    if (isFirst && !fields.has("format")) return undefined;
    // Paragraphs without files have the texts of licences.
    const counts = isFirst || fields.has("files");
    isFirst = false;
    if (!counts) continue;
    const line = fields.get("license")?.split("\n")[0];
    const expression = licenceExpression(line);
    if (expression !== undefined) found.add(expression);
  }
  return allOf(found);
}
