import {
  byText,
  type Package,
  PACKAGE_TYPES,
  type PackageType,
} from "./package.ts";
import { versionOrder } from "./version_order.ts";

/** A package that differs between two images. */
export interface PackageChange {
  /** `changed` if another version counts as the same. */
  change: "added" | "removed" | "upgraded" | "downgraded" | "changed";
  type: PackageType;
  namespace?: string;
  name: string;
  architecture?: string;
  /** The versions, as far as there are some. */
  a?: string;
  b?: string;
}

/**
 * Compares the packages of two images, in the order of types and names. Of a
 * package that is there in several versions, those that only one image has are
 * compared, the lowest first.
 */
export function diffPackages(
  a: readonly Package[],
  b: readonly Package[],
): PackageChange[] {
  const [left, right] = [versionsOf(a), versionsOf(b)];
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  const changes: PackageChange[] = [];
  for (const key of keys) {
    const one = left.get(key);
    const two = right.get(key);
    const { type, namespace, name, architecture } = (one ?? two)!.package;
    const known = {
      type,
      ...(namespace !== undefined && { namespace }),
      name,
      ...(architecture !== undefined && { architecture }),
    };
    const gone = only(one, two).sort((x, y) => versionOrder(type, x, y));
    const come = only(two, one).sort((x, y) => versionOrder(type, x, y));
    for (let i = 0; i < gone.length || i < come.length; i++) {
      const [x, y] = [gone[i], come[i]];
      changes.push({
        change: changeOf(type, x, y),
        ...known,
        ...(x !== undefined && { a: x }),
        ...(y !== undefined && { b: y }),
      });
    }
  }
  return changes.sort((x, y) =>
    PACKAGE_TYPES.indexOf(x.type) - PACKAGE_TYPES.indexOf(y.type) ||
    byText(nameOf(x), nameOf(y))
  );
}

/** A package with all of its versions. */
interface Versions {
  package: Package;
  versions: Set<string>;
}

function versionsOf(packages: readonly Package[]): Map<string, Versions> {
  const all = new Map<string, Versions>();
  for (const one of packages) {
    const key = `${one.type}\0${nameOf(one)}\0${one.architecture ?? ""}`;
    const known = all.get(key);
    if (known) known.versions.add(one.version);
    else all.set(key, { package: one, versions: new Set([one.version]) });
  }
  return all;
}

function only(one: Versions | undefined, two: Versions | undefined): string[] {
  return [...one?.versions ?? []].filter((version) =>
    !two?.versions.has(version)
  );
}

function changeOf(
  type: PackageType,
  a: string | undefined,
  b: string | undefined,
): PackageChange["change"] {
  if (a === undefined) return "added";
  if (b === undefined) return "removed";
  const order = versionOrder(type, a, b);
  return order < 0 ? "upgraded" : order > 0 ? "downgraded" : "changed";
}

function nameOf({ namespace = "", name }: Pick<Package, "namespace" | "name">) {
  return `${namespace}/${name}`;
}
