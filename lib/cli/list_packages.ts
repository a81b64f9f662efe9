import { escapedJson } from "../errors/shown.ts";
import { REPORT_VERSION } from "../inspect/report.ts";
import {
  type Distribution,
  type Package,
  PACKAGE_TYPES,
  type PackageList,
  type PackageType,
} from "../packages/package.ts";
import type { PackageChange } from "../packages/diff_packages.ts";
import { grouped, type Paint, plain, table } from "./style.ts";

/** Characters of a licence in a table at most. */
const LONG = 60;

/** A package's name, with what is before it in its own world. */
function packageName(
  { namespace, name }: Pick<Package, "namespace" | "name">,
): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** How many packages there are of each type, such as `90 deb, 12 npm`. */
export function packageCounts(
  packages: readonly Pick<Package, "type">[],
  distribution: Distribution | undefined,
): string[] {
  const all = new Map<PackageType, number>();
  for (const { type } of packages) all.set(type, (all.get(type) ?? 0) + 1);
  const counts = PACKAGE_TYPES.flatMap((type) => {
    const count = all.get(type);
    return count === undefined ? [] : [`${grouped(count)} ${type}`];
  });
  if (counts.length === 0 && !distribution) return [];
  const system = distribution
    ? plain(distribution.name ?? distribution.id)
    : "";
  return [
    `  ${[counts.join(", ") || "none", system].filter(Boolean).join("; ")}`,
  ];
}

/** The packages as a table for people. */
export function* packageLines(
  packages: readonly Package[],
  paint: Paint,
): Generator<string> {
  const rows = packages.map((one) => [
    one.type,
    plain(packageName(one)),
    plain(one.version),
    plain(one.architecture ?? "-"),
    String(one.layer),
    cut(one.licence ?? "-"),
  ]);
  const columns = [
    { title: "TYPE" },
    { title: "NAME" },
    { title: "VERSION" },
    { title: "ARCH" },
    { title: "LAYER", right: true },
    { title: "LICENCE" },
  ];
  for (const line of table(columns, rows, paint, 0)) yield `${line}\n`;
}

/** The packages as JSON; docs/sbom.md describes it. */
export function* packagesJson(
  { distribution, warnings }: PackageList,
  packages: readonly Package[],
): Generator<string> {
  const head = {
    version: REPORT_VERSION,
    ...(distribution && { distribution }),
  };
  yield `${escapedJson(head).slice(0, -1)},"packages":[`;
  let separator = "\n";
  for (const one of packages) {
    yield separator + escapedJson(one);
    separator = ",\n";
  }
  yield `\n],"notes":${escapedJson(warnings)}}\n`;
}

const LOOKS = {
  added: "added",
  upgraded: "added",
  removed: "removed",
  downgraded: "removed",
  changed: "changed",
} as const;
const SIGNS = {
  added: "+",
  upgraded: "^",
  removed: "-",
  downgraded: "v",
  changed: "~",
} as const;

/** The packages in which two images differ, for people. */
export function* packageChangeLines(
  changes: readonly PackageChange[],
  paint: Paint,
): Generator<string> {
  yield `${paint("title", "Packages")}\n`;
  for (const one of changes) {
    const { change, type, architecture, a, b } = one;
    const name = plain(packageName(one)) +
      (architecture === undefined ? "" : ` ${plain(architecture)}`);
    const versions = [a, b].flatMap((text) =>
      text === undefined ? [] : [plain(text)]
    ).join(" to ");
    yield `  ${
      paint(LOOKS[change], `${SIGNS[change]} ${name}`)
    } (${type}, ${change}: ${versions})\n`;
  }
  const total = Object.keys(SIGNS).flatMap((what) => {
    const count = changes.filter(({ change }) => change === what).length;
    return count === 0 ? [] : [`${grouped(count)} ${what}`];
  });
  yield `  ${total.join(", ")}\n`;
}

function cut(text: string): string {
  return plain(text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text);
}
