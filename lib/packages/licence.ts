import { byText } from "./package.ts";
import { isSpdx, licenceId } from "./spdx_expression.ts";

/** Characters of an expression at most; licence texts are no expressions. */
const MAX_EXPRESSION = 1000;

/** What others call licences of that list: DEP-5, Fedora of old, PyPI. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["expat", "MIT"],
  ["mit license", "MIT"],
  ["mit/x11", "MIT"],
  ["apache 2.0", "Apache-2.0"],
  ["apache-2", "Apache-2.0"],
  ["apache 2", "Apache-2.0"],
  ["apache2", "Apache-2.0"],
  ["apache license 2.0", "Apache-2.0"],
  ["apache license, version 2.0", "Apache-2.0"],
  ["apache software license", "Apache-2.0"],
  ["asl 2.0", "Apache-2.0"],
  ["asl 1.1", "Apache-1.1"],
  ["artistic", "Artistic-1.0"],
  ["artistic 2.0", "Artistic-2.0"],
  ["artistic-2", "Artistic-2.0"],
  ["bsd-2-clauses", "BSD-2-Clause"],
  ["bsd-3-clauses", "BSD-3-Clause"],
  ["bsd-4-clauses", "BSD-4-Clause"],
  ["boost", "BSL-1.0"],
  ["isc license", "ISC"],
  ["mpl-2", "MPL-2.0"],
  ["mplv1.1", "MPL-1.1"],
  ["mplv2.0", "MPL-2.0"],
  ["psf-2", "PSF-2.0"],
  ["psf", "PSF-2.0"],
  ["zlib/libpng", "Zlib"],
  ["unlicense", "Unlicense"],
]);

/** `GPL-2+`, `GPLv2+`, `LGPL-2.1`, `GFDL-1.3+` and so on. */
const GNU = /^(A?GPL|LGPL|GFDL)[- ]?v?(\d)(?:\.(\d))?(\+| or later|)$/i;

/**
 * An SPDX expression of what a package database says of a licence. Names that
 * SPDX does not know become `LicenseRef-…`.
 *
 * @param text An expression of SPDX, of DEP-5 (`GPL-2+ or Artistic, and Expat`)
 * or of rpm (`GPLv2+ and MIT`).
 * @returns `undefined` if it is no expression, but nothing or a whole text.
 */
export function licenceExpression(text: unknown): string | undefined {
  if (typeof text !== "string" || text.length > MAX_EXPRESSION) {
    return undefined;
  }
  const line = text.trim().replace(/\s+/g, " ");
  if (line === "" || /^(unknown|none|noassertion)$/i.test(line)) {
    return undefined;
  }
  const known = licenceOf(line);
  if (!known.startsWith("LicenseRef-")) return known;
  // In DEP-5 a comma binds less than all words do.
  const parts = line.replace(/ or (later|newer)\b/gi, "+").split(/\s*,\s+/);
  const expression = parts.length === 1
    ? joined(parts[0]!)
    : parts.map((part, i) => {
      const [, word = "and", rest] = /^(?:(and|or)\s+)?(.*)$/i.exec(part)!;
      return `${i === 0 ? "" : ` ${word.toUpperCase()} `}(${joined(rest!)})`;
    }).join("");
  return isSpdx(expression) ? expression : reference(line);
}

/** Names with `and`, `or` and parentheses between. */
function joined(text: string): string {
  const tokens: string[] = [];
  let name: string[] = [];
  for (const word of text.replace(/[()]/g, " $& ").trim().split(/\s+/)) {
    if (!/^(and|or|[()])$/i.test(word)) {
      name.push(word);
      continue;
    }
    if (name.length > 0) tokens.push(licenceOf(name.join(" ")));
    name = [];
    tokens.push(word.toUpperCase());
  }
  if (name.length > 0) tokens.push(licenceOf(name.join(" ")));
  return tokens.join(" ").replace(/\( /g, "(").replace(/ \)/g, ")");
}

/** Joins expressions that all hold. */
export function allOf(expressions: Iterable<string>): string | undefined {
  const parts = [...expressions].flatMap((one) =>
    /[()]| OR /.test(one) ? [one] : one.split(" AND ")
  );
  const all = [...new Set(parts)].sort(byText);
  if (all.length < 2) return all[0];
  const joined = all.map((one) => / OR /.test(one) ? `(${one})` : one)
    .join(" AND ");
  return joined.length <= 8 * MAX_EXPRESSION ? joined : undefined;
}

/** The names in an expression that SPDX does not know. */
export function licenceReferences(expression: string): string[] {
  return expression.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? [];
}

/** The identifier of one licence. */
function licenceOf(name: string): string {
  // GPL-2.0 and LGPL-2.1+ are old identifiers: the new ones say more.
  const [, family, major, minor = "0", later] = GNU.exec(name) ?? [];
  if (family !== undefined) {
    const id = `${family.toUpperCase()}-${major}.${minor}-${
      later === "" ? "only" : "or-later"
    }`;
    if (licenceId(id) === id) return id;
  }
  const known = licenceId(name) ?? NAMES.get(name.toLowerCase());
  if (known !== undefined) return known;
  return isSpdx(name) ? name : reference(name);
}

function reference(name: string): string {
  const id = name.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^-+|-+$/g, "");
  return `LicenseRef-${id.slice(0, 100) || "other"}`;
}
