import { DatabaseError } from "./database_error.ts";
import { paragraphs } from "./deb822.ts";
import { licenceExpression } from "./licence.ts";
import { fact, type FoundPackage, known } from "./package.ts";

const FIELDS = new Set([
  "name",
  "version",
  "license-expression",
  "license",
  "home-page",
  "author",
  "author-email",
  "maintainer",
  "maintainer-email",
]);

/**
 * Reads the `METADATA` of a `*.dist-info/`, or the `PKG-INFO` of a `*.egg-info`
 * (packaging.python.org, "Core metadata specifications").
 */
export function readPythonMetadata(text: string): FoundPackage[] {
  // The description follows after an empty line.
  const [fields] = paragraphs(text, FIELDS);
  const name = fact(fields?.get("name"));
  const version = fact(fields?.get("version"));
  if (!fields || name === undefined || version === undefined) {
    throw new DatabaseError("it names no package");
  }
  const licence = licenceExpression(fields.get("license-expression")) ??
    licenceOf(fields.get("license"));
  const supplier = personOf(fields, "maintainer") ?? personOf(fields, "author");
  const homepage = fact(fields.get("home-page"));
  return [{
    type: "pypi",
    name,
    version,
    ...known({ licence, supplier, homepage }),
  }];
}

/** A licence in a line; others write its whole text here. */
function licenceOf(text: string | undefined): string | undefined {
  return text === undefined || text.includes("\n") || text.length > 100
    ? undefined
    : licenceExpression(text);
}

function personOf(
  fields: ReadonlyMap<string, string>,
  role: "author" | "maintainer",
): string | undefined {
  const name = fact(fields.get(role));
  const mail = fact(fields.get(`${role}-email`));
  if (name === undefined || name === "UNKNOWN") return mail;
  return mail === undefined || mail.includes("<") ? name : `${name} <${mail}>`;
}
