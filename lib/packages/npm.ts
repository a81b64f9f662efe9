import { parseJson } from "../formats/json_text.ts";
import { licenceExpression } from "./licence.ts";
import { fact, type FoundPackage, known } from "./package.ts";
import { listOf, objectOf } from "../read/json_values.ts";

/** Reads a package's own `package.json`, below `node_modules/`. */
export function readPackageJson(text: string): FoundPackage[] {
  const document = objectOf(parseJson("package.json", text));
  const author = document.author;
  const found = npmPackage(document.name, document.version, document.license);
  if (!found) return [];
  const supplier = fact(
    typeof author === "object" ? objectOf(author).name : author,
  );
  const homepage = fact(document.homepage);
  // Before 2014: "licenses": [{ "type": "MIT" }].
  const licence = found.licence ??
    licenceExpression(objectOf(listOf(document.licenses)[0]).type);
  return [{
    ...found,
    ...known({ licence, supplier, homepage }),
  }];
}

/**
 * Reads `package-lock.json` of any version; packages for development alone are
 * left out.
 */
export function readPackageLock(text: string): FoundPackage[] {
  const document = objectOf(parseJson("package-lock.json", text));
  const found: FoundPackage[] = [];
  const add = (name: unknown, value: unknown) => {
    const { version, license, dev, link } = objectOf(value);
    if (dev === true || link === true) return;
    const one = npmPackage(name, version, license);
    if (one) found.push(one);
  };
  const packages = Object.entries(objectOf(document.packages));
  for (const [path, value] of packages) {
    const at = path.lastIndexOf("node_modules/");
    // Others are the project's own directories.
    if (at >= 0) add(objectOf(value).name ?? path.slice(at + 13), value);
  }
  if (packages.length > 0) return found;
  // Version 1: packages are in the packages that need them.
  const stack = [objectOf(document.dependencies)];
  for (let level; (level = stack.pop());) {
    for (const [name, value] of Object.entries(level)) {
      add(name, value);
      stack.push(objectOf(objectOf(value).dependencies));
    }
  }
  return found;
}

function npmPackage(
  fullName: unknown,
  givenVersion: unknown,
  license: unknown,
): FoundPackage | undefined {
  const [, scope, name] = /^(?:(@[^/]+)\/)?([^/]+)$/.exec(
    fact(fullName) ?? "",
  ) ?? [];
  const version = fact(givenVersion);
  if (name === undefined || version === undefined) return undefined;
  const licence = licenceExpression(
    typeof license === "object" ? objectOf(license).type : license,
  );
  return {
    type: "npm",
    ...(scope !== undefined && { namespace: scope }),
    name,
    version,
    ...(licence !== undefined && { licence }),
  };
}
