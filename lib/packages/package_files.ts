import { readApkInstalled } from "./apk.ts";
import { readDpkgStatus } from "./deb.ts";
import { DatabaseError } from "./database_error.ts";
import { linesOf } from "./deb822.ts";
import { readCopyright } from "./dep5.ts";
import {
  readCargoLock,
  readComposerLock,
  readGemfileLock,
} from "./lock_files.ts";
import { readPackageJson, readPackageLock } from "./npm.ts";
import { readOsRelease } from "./os_release.ts";
import type { Distribution, FoundPackage } from "./package.ts";
import { readPythonMetadata } from "./python.ts";
import { readRpmSqlite } from "./rpm.ts";

/** How much of an image is looked at for its packages. */
export interface PackageOptions {
  /** Also licences of Debian's copyright files, and modules of Go programs. */
  thorough?: boolean;
  /** Also which files a package has. */
  files?: boolean;
}

/** What a file says. */
export interface Found {
  packages?: FoundPackage[];
  distribution?: Distribution | undefined;
  licence?: string | undefined;
  files?: string[];
}

/** A kind of file that says something about packages. */
export interface PackageFile {
  /** Bytes that it has at most. */
  max: number;
  /**
   * Reads it.
   *
   * @throws {DatabaseError | InputError} If it is damaged.
   */
  read(bytes: Uint8Array, options: PackageOptions): Found;
}

const MIB = 1 << 20;

/** A kind of file that is text. */
function text(
  max: number,
  read: (text: string, options: PackageOptions) => Found,
): PackageFile {
  return {
    max,
    read: (bytes, options) => read(decoder.decode(bytes), options),
  };
}

const decoder = new TextDecoder();

const DPKG = text(64 * MIB, (text) => ({ packages: readDpkgStatus(text) }));
const APK = text(64 * MIB, (text, { files = false }) => ({
  packages: readApkInstalled(text, files),
}));
const RPM: PackageFile = {
  max: 256 * MIB,
  read: (bytes, { files = false }) => ({
    packages: readRpmSqlite(bytes, files),
  }),
};
/** What rpm used before SQLite. */
const OLD_RPM: PackageFile = {
  max: Number.MAX_SAFE_INTEGER,
  read() {
    throw new DatabaseError(
      "it is a database of an older rpm; rpmdb --rebuilddb of rpm 4.16 or " +
        "newer makes SQLite of it",
    );
  },
};
const OS_RELEASE = text(MIB, (text) => ({ distribution: readOsRelease(text) }));
const COPYRIGHT = text(4 * MIB, (text) => ({ licence: readCopyright(text) }));
/** dpkg's lists of files: paths, or sums and paths. */
const FILES = text(64 * MIB, (text) => ({
  files: [...linesOf(text)].map((line) =>
    line.replace(/^[0-9a-f]{32} {2}/, "").replace(/^\/+/, "")
  ),
}));
const PACKAGE_JSON = text(4 * MIB, (text) => ({
  packages: readPackageJson(text),
}));
const PYTHON = text(16 * MIB, (text) => ({
  packages: readPythonMetadata(text),
}));

const LOCKS: ReadonlyMap<string, PackageFile> = new Map([
  [
    "package-lock.json",
    text(64 * MIB, (text) => ({ packages: readPackageLock(text) })),
  ],
  [
    "composer.lock",
    text(64 * MIB, (text) => ({ packages: readComposerLock(text) })),
  ],
  [
    "Gemfile.lock",
    text(16 * MIB, (text) => ({ packages: readGemfileLock(text) })),
  ],
  ["Cargo.lock", text(64 * MIB, (text) => ({ packages: readCargoLock(text) }))],
]);
/** Libraries bring lock files that nobody follows. */
const LIBRARIES = /(^|\/)(node_modules|gems|vendor|registry\/src)\//;

/** Files at fixed places. */
const PLACES: ReadonlyMap<string, PackageFile> = new Map([
  ["var/lib/dpkg/status", DPKG],
  ["lib/apk/db/installed", APK],
  ["usr/lib/apk/db/installed", APK],
  ...["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"].flatMap((
    folder,
  ): [string, PackageFile][] => [
    [`${folder}/rpmdb.sqlite`, RPM],
    [`${folder}/Packages`, OLD_RPM],
    [`${folder}/Packages.db`, OLD_RPM],
  ]),
  ["etc/os-release", OS_RELEASE],
  ["usr/lib/os-release", OS_RELEASE],
]);

/** The last two bytes of the names of all these files: few others end so. */
const ENDS = new Uint8Array(1 << 16);
for (
  const [first, second] of [
    ...["us", "ed", "te", "es", "db", "se", "on", "TA", "FO", "fo", "ck"],
    ...["ht", "st", "ms"],
  ]
) ENDS[(first!.charCodeAt(0) << 8) | second!.charCodeAt(0)] = 1;
const SLASH = 0x2f;
const MAX_PATH = 4096;
const latin1 = new TextDecoder("latin1");

/**
 * Whether a path may be one of {@linkcode packageFile}: a glance at its ends,
 * which lets nearly all files of an image go.
 *
 * @param path A path as a layer writes it.
 */
export function mayBePackageFile(path: Uint8Array): boolean {
  const last = path.length - 1;
  return ENDS[(path[last - 1]! << 8) | path[last]!] === 1 ||
    isInStatusD(path);
}

/** Whether a path, in whatever form, may lead to a file of dpkg's status.d. */
function isInStatusD(path: Uint8Array): boolean {
  const start = path[0] === SLASH ? 1 : path[0] === 0x2e ? 2 : 0;
  // "var": few other files are there.
  if (path[start] !== 0x76 || path[start + 1] !== 0x61) return false;
  const slash = path.lastIndexOf(SLASH);
  return path[slash - 1] === 0x64 && path[slash - 2] === 0x2e;
}

/**
 * Which kind of file a path is the path of.
 *
 * @param path A normalized path, of which {@linkcode mayBePackageFile} is true.
 * @returns `undefined` for nearly all files of an image.
 */
export function packageFile(
  path: Uint8Array,
  options: PackageOptions,
): PackageFile | undefined {
  if (path.length > MAX_PATH) return undefined;
  const slash = path.lastIndexOf(SLASH);
  const name = latin1.decode(path.subarray(slash + 1));
  const lock = LOCKS.get(name);
  if (lock) return LIBRARIES.test(latin1.decode(path)) ? undefined : lock;
  switch (name) {
    case "status":
    case "installed":
    case "rpmdb.sqlite":
    case "Packages":
    case "Packages.db":
    case "os-release":
      return PLACES.get(latin1.decode(path));
    case "package.json":
      return /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(
          latin1.decode(path),
        )
        ? PACKAGE_JSON
        : undefined;
    case "METADATA":
      return /\.dist-info\/METADATA$/.test(latin1.decode(path))
        ? PYTHON
        : undefined;
    case "PKG-INFO":
      return /\.egg-info\/PKG-INFO$/.test(latin1.decode(path))
        ? PYTHON
        : undefined;
  }
  if (name.endsWith(".egg-info")) return PYTHON;
  const isStatusD = isInStatusD(path);
  return debianFile(name, latin1.decode(path), isStatusD, options);
}

/** Files beside dpkg's status, or in place of it. */
function debianFile(
  name: string,
  path: string,
  isStatusD: boolean,
  { thorough = false, files = false }: PackageOptions,
): PackageFile | undefined {
  if (isStatusD && path.startsWith("var/lib/dpkg/status.d/")) {
    if (name.endsWith(".md5sums")) return files ? FILES : undefined;
    return DPKG;
  }
  if (thorough && name === "copyright") {
    return path.startsWith("usr/share/doc/") ? COPYRIGHT : undefined;
  }
  const isList = files && name.endsWith(".list") &&
    path.startsWith("var/lib/dpkg/info/");
  return isList ? FILES : undefined;
}
