import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { asciiText, utf8 } from "../streams/bytes.ts";
import { DatabaseError } from "./database_error.ts";
import { GoBuildInfo, MIN_GO_PROGRAM } from "./go_build_info.ts";
import {
  byText,
  type Distribution,
  type FoundPackage,
  type Package,
  PACKAGE_TYPES,
  type PackageList,
} from "./package.ts";
import {
  type Found,
  mayBePackageFile,
  type PackageFile,
  packageFile,
  type PackageOptions,
} from "./package_files.ts";
import { purlOf } from "./purl.ts";

/** Takes a file's bytes piece by piece. */
export interface FileSink {
  onData(bytes: Uint8Array): void;
  onEnd(): void;
}

/** A file that a layer brings. */
export interface LayerFile {
  /** Its normalized path, as the layer has it. */
  path: Uint8Array;
  /** Size in bytes. */
  size: number;
  /** Permission bits. */
  mode: number;
  /** Where its entry is in the layer, in bytes. */
  place: number;
  /** Whether it has holes. */
  isSparse: boolean;
}

/** Where a file of the image's tree comes from. */
export interface FilePlace {
  /** The layer, counted from 0. */
  layer: number;
  place: number;
}

/** What a file of a layer says. */
interface Said extends FilePlace {
  path: Uint8Array;
  found: Found;
  /** The layers that its packages came with, in their order. */
  since: number[];
}

/** An image has no more packages, warnings, or files that name one. */
const MAX_PACKAGES = 50_000;
const MAX_WARNINGS = 20;
const MAX_PATHS = 10;

/**
 * Reads an image's packages from the files of its layers as they stream by. Most
 * files are passed over by their names; of the others only what they say is kept.
 */
export class PackageCollector {
  readonly #options: PackageOptions;
  #layer = -1;
  #count = 0;
  /** The newest file at each path, as the layers write it, a byte a character. */
  readonly #byPath = new Map<string, Said>();
  readonly #warnings: string[] = [];

  constructor(options: PackageOptions = {}) {
    this.#options = options;
  }

  /** Starts the next layer, or the first one. */
  beginLayer(): void {
    this.#layer++;
  }

  /** Whether {@linkcode file} may want a file: a quick no for most of them. */
  wants(path: Uint8Array, size: number): boolean {
    return mayBePackageFile(path) ||
      (this.#options.thorough === true && size >= MIN_GO_PROGRAM);
  }

  /**
   * Says whether a file of this layer is needed.
   *
   * @returns What takes its bytes, all of them, holes too; `undefined` if it says
   * nothing of packages.
   */
  file(file: LayerFile): FileSink | undefined {
    const kind = mayBePackageFile(file.path)
      ? packageFile(file.path, this.#options)
      : undefined;
    if (!kind) return this.#program(file);
    if (file.size > kind.max) {
      this.#warn(file.path, `it has ${file.size} bytes, more than ${kind.max}`);
      return undefined;
    }
    return this.#reader(file, kind);
  }

  /**
   * What has been found.
   *
   * @param find Where the file comes from that the image has at a path, links
   * followed; `undefined` if it has none.
   */
  list(find: (path: Uint8Array) => FilePlace | undefined): PackageList {
    const isThere = ({ path, layer, place }: Said) => {
      const now = find(path);
      return now?.layer === layer && now.place === place;
    };
    const all = [...this.#byPath.values()].filter(isThere);
    const places = new Map(all.map((said) => [keyOf(said), said]));
    const at = (path: string) => {
      const place = find(utf8(path));
      return place && places.get(keyOf(place))?.found;
    };
    const distribution = at("etc/os-release")?.distribution ??
      at("usr/lib/os-release")?.distribution;
    const packages = merged(all, distribution);
    for (const one of packages) {
      if (one.type === "deb") this.#complete(one, at);
    }
    return {
      ...(distribution && { distribution }),
      packages: packages.sort(inOrder),
      warnings: [...this.#warnings],
    };
  }

  /** A program: whether Go made it can be seen in its bytes alone. */
  #program(file: LayerFile): FileSink | undefined {
    const { path, size, mode, place, isSparse } = file;
    const isProgram = (mode & 0o111) !== 0 && size >= MIN_GO_PROGRAM &&
      !isSparse;
    if (!this.#options.thorough || !isProgram) return undefined;
    const info = new GoBuildInfo();
    const layer = this.#layer;
    const copy = path.slice();
    return {
      onData: (bytes) => info.onData(bytes),
      onEnd: () => {
        const packages = info.packages();
        if (packages.length === 0) return;
        this.#keep({ path: copy, layer, place, found: { packages } });
      },
    };
  }

  #reader({ path, size, place }: LayerFile, kind: PackageFile): FileSink {
    const copy = path.slice();
    const layer = this.#layer;
    let whole: Uint8Array | undefined;
    let filled = 0;
    return {
      onData: (bytes) => {
        // Most files are in one piece, which need not be kept.
        if (filled === 0 && bytes.length === size) whole = bytes;
        else (whole ??= new Uint8Array(size)).set(bytes, filled);
        filled += bytes.length;
      },
      onEnd: () => {
        try {
          const found = kind.read(
            whole ?? new Uint8Array(0),
            this.#options,
          );
          this.#keep({ path: copy, layer, place, found });
        } catch (error) {
          if (!isDamage(error)) throw error;
          // What a lower layer has at this path is gone all the same.
          this.#keep({ path: copy, layer, place, found: {} });
          this.#warn(copy, error.message);
        }
      },
    };
  }

  #keep(said: Omit<Said, "since">): void {
    const key = asciiText(said.path);
    const before = this.#byPath.get(key);
    const { packages = [] } = said.found;
    this.#count += packages.length - (before?.found.packages?.length ?? 0);
    if (this.#count > MAX_PACKAGES) {
      this.#count -= packages.length;
      this.#warn(said.path, `the image has more than ${MAX_PACKAGES} packages`);
      this.#byPath.delete(key);
      return;
    }
    this.#byPath.set(key, { ...said, since: sinceOf(said, before) });
  }

  /** Adds to a Debian package what is in files of its own. */
  #complete(one: Package, at: (path: string) => Found | undefined): void {
    // A path in a name would lead elsewhere.
    if (one.name.includes("/")) return;
    const { thorough, files } = this.#options;
    const licence = thorough &&
      at(`usr/share/doc/${one.name}/copyright`)?.licence;
    if (licence) one.licence = licence;
    if (!files) return;
    const list = at(`var/lib/dpkg/info/${one.name}.list`) ??
      at(`var/lib/dpkg/info/${one.name}:${one.architecture}.list`) ??
      at(`var/lib/dpkg/status.d/${one.name}.md5sums`);
    if (list?.files) one.files = list.files;
  }

  #warn(path: Uint8Array, why: string): void {
    if (this.#warnings.length < MAX_WARNINGS) {
      this.#warnings.push(
        `The packages that ${shown(path)} of layer ${
          this.#layer + 1
        } names are not listed: ${why}`,
      );
    } else if (this.#warnings.length === MAX_WARNINGS) {
      this.#warnings.push("Other files that name packages are damaged too");
    }
  }
}

/** Whether an error says that a file is damaged; others are bugs. */
function isDamage(error: unknown): error is Error {
  return error instanceof DatabaseError || error instanceof InputError ||
    error instanceof RangeError;
}

function keyOf({ layer, place }: FilePlace): string {
  return `${layer}:${place}`;
}

/** The layers that a file's packages came with. */
function sinceOf(
  { layer, found: { packages = [] } }: Omit<Said, "since">,
  before: Said | undefined,
): number[] {
  if (!before?.found.packages) return packages.map(() => layer);
  const since = new Map(
    before.found.packages.map((one, i) => [identity(one), before.since[i]!]),
  );
  return packages.map((one) => since.get(identity(one)) ?? layer);
}

function identity(one: FoundPackage): string {
  const { type, namespace = "", name, version, architecture = "" } = one;
  return [type, namespace, name, version, architecture].join("\0");
}

/** Packages with the same URL are one. */
function merged(
  all: readonly Said[],
  distribution: Distribution | undefined,
): Package[] {
  const packages = new Map<string, Package>();
  const decoder = new TextDecoder();
  for (const { path, found, since } of all) {
    const place = decoder.decode(path);
    for (const [i, one] of (found.packages ?? []).entries()) {
      const purl = purlOf(one, distribution);
      const layer = since[i]! + 1;
      const known = packages.get(purl);
      if (!known) {
        packages.set(purl, { ...one, purl, layer, paths: [place] });
        continue;
      }
      known.layer = Math.min(known.layer, layer);
      const isNew = known.paths.length < MAX_PATHS &&
        !known.paths.includes(place);
      if (isNew) known.paths.push(place);
      if (one.licence !== undefined) known.licence ??= one.licence;
      if (one.supplier !== undefined) known.supplier ??= one.supplier;
    }
  }
  for (const { paths } of packages.values()) paths.sort(byText);
  return [...packages.values()];
}

function inOrder(a: Package, b: Package): number {
  return PACKAGE_TYPES.indexOf(a.type) - PACKAGE_TYPES.indexOf(b.type) ||
    byText(
      `${a.namespace ?? ""}/${a.name}`,
      `${b.namespace ?? ""}/${b.name}`,
    ) ||
    byText(a.purl, b.purl);
}
