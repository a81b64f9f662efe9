import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import {
  type FileSource,
  type ImageFiles,
  resolve,
  slice,
} from "../read/image_files.ts";
import { TopNames } from "../read/top_names.ts";
import { binary, utf8 } from "../streams/bytes.ts";
import { CutShortError } from "../tar/cut_short_error.ts";
import { NotTarError } from "../tar/not_tar_error.ts";
import { normalizePath } from "../tar/path.ts";
import { CheckedTree } from "./checked_tree.ts";
import { NODE } from "./entry_table.ts";
import type { Findings } from "./finding.ts";
import type { PathHash } from "../streams/path_hash.ts";
import type { RuleName } from "./rules.ts";
import { pathOf } from "./path_of.ts";
import { hasView } from "./skipped_tar.ts";
import { V1_FILES } from "./v1_in_rootfs.ts";
import {
  type Found,
  type Walked,
  type Walker,
  walkTarFile,
} from "./walk_tar.ts";

/** A file of an image, and how many links lead to it. */
export interface OpenedFile {
  source: FileSource;
  links: number;
  /** The path at the end of the links. */
  path: string;
}

/** The files of an image, wherever they are. */
export interface Files {
  open(path: string): Promise<OpenedFile | undefined>;
  /** Paths of all blobs, where they can be listed. */
  blobs: string[];
}

/** What a tar holds. */
export interface Archive extends Files, Pick<ImageFiles, "top" | "rootfsIn"> {
  /** The tree below rootfs/, if there is one. */
  rootfs: CheckedTree | undefined;
  /** Whether decoders of zstd find another view of it. */
  hasView: boolean;
  /** Path of the first entry. */
  first: string | undefined;
  /** Symlinks beside rootfs/ that lead to no file, and one of rootfs/. */
  dangling: string | undefined;
  /** Whether there are symlinks beside rootfs/. */
  hasLinks: boolean;
  isDirectory(path: string): boolean;
}

type Place =
  | { start: number; size: number }
  | { link: string }
  | { directory: true };

/** An image has no more files than this beside rootfs/. */
const MAX_FILES = 100_000;
/** Links followed for one path. */
const MAX_LINKS = 8;
const BLOB = /^blobs\/[^/]+\/[^/]+$/;

/**
 * Finds the files of an image in a tar and checks the tar itself. Files beside
 * rootfs/ are noted, those below it go into a tree.
 *
 * @throws {InputError} If it is no tar.
 */
export async function scanArchive(
  source: FileSource,
  hash: PathHash,
  findings: Findings,
): Promise<Archive> {
  const scan = new ArchiveScan(source, hash, findings);
  const walked = await walkTarFile(source, scan);
  return scan.archive(await checkWalk(walked, source, findings));
}

/** Sorts the entries of an archive into files beside rootfs/ and its tree. */
class ArchiveScan implements Walker {
  readonly #source: FileSource;
  readonly #hash: PathHash;
  readonly #findings: Findings;
  readonly #places = new Map<string, Place>();
  readonly #names = new TopNames();
  readonly #outside: CheckedTree;
  #rootfs: CheckedTree | undefined;
  /** The first symlink below rootfs/. */
  #symlink: string | undefined;
  #hasLinks = false;
  #first: string | undefined;

  constructor(source: FileSource, hash: PathHash, findings: Findings) {
    this.#source = source;
    this.#hash = hash;
    this.#findings = findings;
    this.#outside = new CheckedTree("archive", hash, findings);
  }

  entry(found: Found): undefined {
    const { entry } = found;
    this.#first ??= binary(entry.path);
    const tell = (rule: RuleName, message: string) =>
      this.#findings.add(rule, shown(entry.path), message);
    // In a layer all engines take such a path for one below the root.
    if (entry.path[0] === 0x2f) tell("path-absolute", "it starts with a slash");
    const path = pathOf(entry, tell);
    if (!path) return;
    const below = belowRootfs(path);
    if (below) {
      if (!this.#rootfs) this.#names.add("rootfs");
      this.#rootfs ??= new CheckedTree("rootfs", this.#hash, this.#findings);
      this.#rootfs.take(found, below);
      if (entry.kind === "symlink") this.#symlink ??= shown(path);
      if (!mayBeV1File(below)) return;
    } else {
      this.#outside.take(found, path);
      this.#hasLinks ||= entry.kind === "symlink";
    }
    const name = binary(path);
    this.#names.add(name);
    const place = placeOf(found, name);
    if (place) this.#places.set(name, place);
    if (this.#places.size > MAX_FILES) {
      throw new InputError("It holds too many files to be an image");
    }
  }

  /** What has been found. */
  archive(hasView: boolean): Archive {
    const outside = this.#outside;
    const dangling = [...this.#places].find(([path, place]) =>
      "link" in place && !this.#open(path)
    )?.[0];
    return {
      open: (path) => Promise.resolve(this.#open(path)),
      blobs: [...this.#places].filter(([path, place]) =>
        BLOB.test(path) && "size" in place && this.#open(path)
      ).map(([path]) => path),
      rootfs: this.#rootfs,
      hasView,
      top: this.#names.top,
      rootfsIn: this.#names.rootfsIn,
      first: this.#first,
      dangling: dangling === undefined ? this.#symlink : shown(dangling),
      hasLinks: this.#hasLinks,
      isDirectory(path) {
        const slot = outside.find(utf8(path));
        return slot >= 0 && outside.table.node(slot) === NODE.directory;
      },
    };
  }

  #open(path: string): OpenedFile | undefined {
    const { size } = this.#source;
    let place = this.#places.get(path);
    let links = 0;
    for (; place && "link" in place && links < MAX_LINKS; links++) {
      path = place.link;
      place = this.#places.get(path);
    }
    // A file that is cut short counts as none.
    return place && "size" in place && place.start + place.size <= size
      ? { source: slice(this.#source, place.start, place.size), links, path }
      : undefined;
  }
}

/**
 * Notes how a tar ended.
 *
 * @param entry What it is, as findings show it; empty for the whole file.
 * @returns Whether decoders of zstd skip it, and find a view of the image.
 */
export async function checkWalk(
  { fault, shape, junkAt, zeros }: Walked,
  source: FileSource | undefined,
  findings: Findings,
  entry = "",
): Promise<boolean> {
  if (fault) {
    if (fault instanceof NotTarError && entry === "") {
      throw new InputError(fault.imageMessage, { cause: fault });
    }
    const isCut = fault instanceof CutShortError;
    findings.add(
      isCut ? "tar-truncated" : "tar-header",
      entry,
      lowerFirst(fault.message.replace(/; [^;]*$/, "")),
    );
    return false;
  }
  if (shape.globals && entry !== "") {
    findings.add("global-header", entry, "it has a PAX global header");
  }
  if (shape.concatenated) {
    findings.add(
      "several-archives",
      entry,
      "more entries come after closing blocks",
    );
  }
  // Go's reader takes the end of a layer for its end.
  if (shape.ragged || (entry === "" && zeros < 2)) {
    findings.add(
      "closing-blocks",
      entry,
      "there are not two blocks of zeros at the end",
    );
  }
  const isView = source && await hasView(source, junkAt, findings, entry);
  if (shape.junk > 0 && !isView) {
    findings.add(
      entry === "" ? "after-end" : "layer-after-end",
      entry,
      `${shape.junk} bytes come after the end` +
        (junkAt >= 0 ? `, at byte ${junkAt}` : ""),
    );
  }
  return isView === true;
}

/** A path without `rootfs`; nothing if it is not there. */
function belowRootfs(path: Uint8Array): Uint8Array | undefined {
  for (let i = 0; i < 6; i++) {
    if (path[i] !== ROOTFS.charCodeAt(i)) return undefined;
  }
  if (path.length === 6) return path.subarray(6);
  return path[6] === 0x2f ? path.subarray(7) : undefined;
}

const ROOTFS = "rootfs";

function mayBeV1File(path: Uint8Array): boolean {
  return path.length <= 9 && V1_FILES.includes(binary(path));
}

function placeOf({ entry, data }: Found, path: string): Place | undefined {
  switch (entry.kind) {
    case "file":
      return entry.sparse ? undefined : { start: data, size: entry.size };
    case "symlink":
      return { link: resolve(path, binary(entry.link)) };
    case "hardlink":
      return unlessRefused(() => ({ link: binary(normalizePath(entry.link)) }));
    case "directory":
      return { directory: true };
    default:
      return undefined;
  }
}

function lowerFirst(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}
