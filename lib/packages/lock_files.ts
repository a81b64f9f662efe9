import { parseJson } from "../formats/json_text.ts";
import { linesOf } from "./deb822.ts";
import { licenceExpression } from "./licence.ts";
import { fact, type FoundPackage, known } from "./package.ts";
import { listOf, objectOf } from "../read/json_values.ts";

/** Reads PHP's `composer.lock`, without packages for development alone. */
export function readComposerLock(text: string): FoundPackage[] {
  const { packages } = objectOf(parseJson("composer.lock", text));
  return listOf(packages).flatMap((value): FoundPackage[] => {
    const one = objectOf(value);
    const [, namespace, name] = /^(?:([^/]+)\/)?([^/]+)$/.exec(
      fact(one.name) ?? "",
    ) ?? [];
    const version = fact(one.version);
    if (name === undefined || version === undefined) return [];
    const licence = licenceExpression(
      listOf(one.license).filter((text) => typeof text === "string")
        .join(" OR "),
    );
    const homepage = fact(one.homepage);
    return [{
      type: "composer",
      ...(namespace !== undefined && { namespace: namespace.toLowerCase() }),
      name,
      version,
      ...known({ licence, homepage }),
    }];
  });
}

/** Reads Ruby's `Gemfile.lock`: the gems of its `specs:`. */
export function readGemfileLock(text: string): FoundPackage[] {
  const found: FoundPackage[] = [];
  for (const line of linesOf(text)) {
    // Deeper lines say what a gem needs.
    const [, name, version] = /^ {4}([^\s()]+) \(([^\s()]+)\)$/.exec(line) ??
      [];
    const [gem, number] = [fact(name), fact(version)];
    if (gem === undefined || number === undefined) continue;
    found.push({ type: "gem", name: gem, version: number });
  }
  return found;
}

/** Reads Rust's `Cargo.lock`: the `[[package]]` tables that name a source. */
export function readCargoLock(text: string): FoundPackage[] {
  const found: FoundPackage[] = [];
  let fields = new Map<string, string>();
  const end = () => {
    const name = fact(fields.get("name"));
    const version = fact(fields.get("version"));
    // A package without a source is the project itself.
    if (name !== undefined && version !== undefined && fields.has("source")) {
      found.push({ type: "cargo", name, version });
    }
    fields = new Map();
  };
  for (const line of linesOf(text)) {
    if (line.startsWith("[")) end();
    const [, key, value] = /^([a-z]+) = "([^"\\]*)"$/.exec(line) ?? [];
    if (key !== undefined) fields.set(key, value!);
  }
  end();
  return found;
}
