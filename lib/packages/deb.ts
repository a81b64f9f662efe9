import { DatabaseError } from "./database_error.ts";
import { paragraphs } from "./deb822.ts";
import { fact, type FoundPackage, known } from "./package.ts";

const FIELDS = new Set([
  "package",
  "status",
  "version",
  "architecture",
  "maintainer",
  "homepage",
  "source",
]);

/** States of a package that has no files: dpkg knows its settings, or nothing. */
const GONE = new Set(["not-installed", "config-files"]);

/**
 * Reads dpkg's `status`, or a file of `status.d/` in a distroless image, which
 * says no state. A package whose files are gone is left out: dpkg-query -W
 * prints it while its settings are there.
 *
 * @throws {DatabaseError} If no paragraph names a package.
 */
export function readDpkgStatus(text: string): FoundPackage[] {
  const packages: FoundPackage[] = [];
  let count = 0;
  for (const fields of paragraphs(text, FIELDS)) {
    count++;
    const name = fact(fields.get("package"));
    const version = fact(fields.get("version"));
    const state = fields.get("status")?.split(" ").at(-1) ?? "installed";
    if (name === undefined || version === undefined || GONE.has(state)) {
      if (name !== undefined) count--;
      continue;
    }
    const architecture = fact(fields.get("architecture"));
    const supplier = fact(fields.get("maintainer"));
    const homepage = fact(fields.get("homepage"));
    packages.push({
      type: "deb",
      name,
      version,
      ...known({ architecture, supplier, homepage }),
      source: sourceOf(fact(fields.get("source")), name, version),
    });
  }
  if (count > 0 && packages.length === 0) {
    throw new DatabaseError("no paragraph of it names a package");
  }
  return packages;
}

/** `Source: NAME (VERSION)`; what it leaves out is as the package has it. */
function sourceOf(text: string | undefined, name: string, version: string) {
  const [, own = name, ownVersion = version] =
    /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(text ?? "") ?? [];
  return { name: own, version: ownVersion };
}
