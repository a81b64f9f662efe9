import { DatabaseError } from "./database_error.ts";
import { linesOf } from "./deb822.ts";
import { fact, type FoundPackage, known } from "./package.ts";
import { licenceExpression } from "./licence.ts";

/**
 * Reads apk's `installed`: paragraphs of lines that start with a letter and a
 * colon (apk-tools, doc/apk-package.5.scd and database.c).
 *
 * @param withFiles Whether the paths of the packages' files are kept.
 * @throws {DatabaseError} If it names no package.
 */
export function readApkInstalled(
  text: string,
  withFiles: boolean,
): FoundPackage[] {
  const packages: FoundPackage[] = [];
  let fields = new Map<string, string>();
  let files: string[] = [];
  let folder = "";
  const end = () => {
    const found = packageOf(fields);
    if (found) packages.push(withFiles ? { ...found, files } : found);
    fields = new Map();
    files = [];
    folder = "";
  };
  for (const line of linesOf(text)) {
    if (line === "") {
      end();
      continue;
    }
    if (line[1] !== ":") continue;
    const letter = line[0]!;
    const value = line.slice(2);
    if (letter === "F") folder = value;
    else if (letter === "R") {
      if (withFiles) files.push(folder === "" ? value : `${folder}/${value}`);
    } else if (!fields.has(letter)) fields.set(letter, value);
  }
  end();
  if (packages.length === 0 && text.trim() !== "") {
    throw new DatabaseError("no paragraph of it names a package");
  }
  return packages;
}

function packageOf(
  fields: ReadonlyMap<string, string>,
): FoundPackage | undefined {
  const name = fact(fields.get("P"));
  const version = fact(fields.get("V"));
  if (name === undefined || version === undefined) return undefined;
  const architecture = fact(fields.get("A"));
  const licence = licenceExpression(fields.get("L"));
  const supplier = fact(fields.get("m"));
  const homepage = fact(fields.get("U"));
  const origin = fact(fields.get("o"));
  return {
    type: "apk",
    name,
    version,
    ...known({ architecture, licence, supplier, homepage }),
    ...(origin !== undefined && { source: { name: origin, version } }),
  };
}
