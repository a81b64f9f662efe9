import { InputError } from "../errors/input_error.ts";
import { binary } from "../streams/bytes.ts";
import { shown, shownWord } from "../errors/shown.ts";
import { BLOCK, isZeroBlock, padded } from "../tar/block.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { type HashBeside, readAt, type Source } from "../streams/source.ts";
import { entriesIn, type PlacedEntry } from "../tar/entries.ts";
import { NotTarError } from "../tar/not_tar_error.ts";
import { normalizePath } from "../tar/path.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { TopNames } from "./top_names.ts";

/** The files of an image, in a tar or in a directory. */
export interface ImageFiles {
  /**
   * A file's bytes as a source, or `undefined` if there is no such file. The
   * empty path is the whole tar.
   */
  open(path: string): Promise<FileSource | undefined>;
  /** Whether the files are in a tar with a `rootfs/` directory. */
  readonly hasRootfs: boolean;
  /** Of a tar: the first parts of all paths in it. */
  readonly top?: ReadonlySet<string>;
  /** Of a tar: those of them that have a `rootfs` in them. */
  readonly rootfsIn?: ReadonlySet<string>;
  /**
   * Of a directory: the tree below a path of it, as a tar.
   *
   * @returns `undefined` if there is no such directory.
   */
  openTree?(path: string): Promise<TreeSource | undefined>;
  /** Of a directory: the names of the directories in it. */
  folders?(): string[];
}

/** A source that knows its size in bytes. */
export type FileSource = Source & {
  size: number;
  /** Whether the archive has several files of this path; this is the last one. */
  isRepeated?: boolean;
  /**
   * Whether a symlink leads to it: nothing of it may go to others before its
   * digest is found right.
   */
  isElsewhere?: boolean;
  /** SHA-256, in hex, that streams of all bytes end with or fail. */
  readonly checked?: string;
  /**
   * As {@linkcode Source.stream}, where that is quicker; each chunk is the reader's
   * only until it asks for the next one.
   *
   * @param hash Hashes what has been read, if that is not done here.
   */
  lent?(hash?: Pick<HashBeside, "hex">): AsyncGenerator<Uint8Array>;
};

/** A tree of files as a tar. */
export type TreeSource = FileSource & {
  /** What the user should know of, in sentences. */
  notes: readonly string[];
};

/** Documents larger than this are refused, in bytes. */
const MAX_DOCUMENT = 1 << 24;

/**
 * A document's text. Bytes that are not UTF-8 become U+FFFD, as Go has it: old
 * builders wrote authors and commands in any encoding.
 *
 * @param bytes The document.
 */
export function documentText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/**
 * Reads a whole document.
 *
 * @returns Its text, or `undefined` if there is no such file.
 * @throws {InputError} As {@linkcode readBytes} does.
 */
export async function readDocument(
  files: Pick<ImageFiles, "open">,
  path: string,
): Promise<string | undefined> {
  const bytes = await readBytes(files, path);
  return bytes && documentText(bytes);
}

/**
 * Reads the bytes of a whole document.
 *
 * @returns `undefined` if there is no such file.
 * @throws {InputError} If it is larger than any real one, or comes twice: then
 * others read another image than this program.
 */
export async function readBytes(
  files: Pick<ImageFiles, "open">,
  path: string,
): Promise<Uint8Array | undefined> {
  const file = await files.open(path);
  if (!file) return undefined;
  // A blob is known by its digest.
  if (file.isRepeated && !path.startsWith("blobs/")) {
    throw new InputError(
      `${shownWord(path)} is in the archive twice: nobody can tell which one ` +
        "counts; make the archive anew",
    );
  }
  if (file.size > MAX_DOCUMENT) {
    throw new InputError(
      `${shownWord(path)} has ${file.size} bytes, too many to be true`,
    );
  }
  return await readAt(file, 0, file.size);
}

/** Where a file of a tar is, or where a link leads. */
type Place =
  & ({ start: number; size: number } | { link: string })
  & { isRepeated: boolean };

/**
 * Finds the files of an image in a tar. Reads it once, but for long data if its
 * size is known; what is below `rootfs/`
 * is passed over, except for Docker v1's layer there.
 *
 * @throws {InputError} If the source is no tar, or has another one after its end.
 */
export async function filesOfTar(source: SeekableTar): Promise<ImageFiles> {
  const places = new Map<string, Place>();
  const names = new TopNames();
  let hasRootfs = false;
  let size = 0;
  const onEnd = (bytes: number) => void (size = bytes);
  let end = 0;
  for await (const placed of entriesOfImage(source, onEnd)) {
    const { entry, place } = placed;
    if (place > end) await checkGap(source, end, placed);
    end = place + entry.end - entry.start + padded(entry.stored);
    const path = binary(normalizePath(entry.path));
    names.add(path);
    if (path.startsWith(ROOTFS) || path === "rootfs") {
      hasRootfs = true;
      // The archive of 2015 has its layer there, and what Docker 1.9 reads.
      if (path !== "rootfs/layer.tar" && path !== "rootfs/json") continue;
    }
    if (entry.kind === "file" && !entry.sparse) {
      const start = place + entry.end - entry.start;
      const isRepeated = places.has(path);
      places.set(path, { start, size: entry.size, isRepeated });
    } else if (entry.kind === "symlink" || entry.kind === "hardlink") {
      const link = entry.kind === "symlink"
        ? resolve(path, binary(entry.link))
        : binary(normalizePath(entry.link));
      places.set(path, { link, isRepeated: places.has(path) });
    }
    if (places.size > MAX_FILES) {
      throw new InputError("It holds too many files to be an image");
    }
  }
  return {
    hasRootfs,
    top: names.top,
    rootfsIn: names.rootfsIn,
    open(path) {
      if (path === "") return Promise.resolve(slice(source, 0, size));
      let place = places.get(path);
      let isRepeated = false;
      for (let i = 0; i < 8 && place && "link" in place; i++) {
        isRepeated ||= place.isRepeated;
        place = places.get(place.link);
      }
      if (!place || "link" in place) return Promise.resolve(undefined);
      const file = slice(source, place.start, place.size);
      isRepeated ||= place.isRepeated;
      return Promise.resolve(isRepeated ? { ...file, isRepeated } : file);
    },
  };
}

/**
 * Refuses what comes after the end of an archive: engines stop there, so they
 * read another image.
 *
 * @param start Where the entry before ends.
 * @param next The entry that comes next.
 */
async function checkGap(
  source: Source,
  start: number,
  { place, entry }: PlacedEntry,
): Promise<void> {
  // If it is not zeros, it is a PAX global header.
  for (const at of [start, place - BLOCK]) {
    if (!isZeroBlock(await readAt(source, at, BLOCK), 0)) continue;
    throw new InputError(
      `Another archive comes after the end of this one, from the entry ${
        shown(entry.path)
      } on: take them apart first`,
    );
  }
}

/** Reads a tar's entries; if it is no tar, the error says what it is. */
async function* entriesOfImage(
  source: SeekableTar,
  onEnd: (size: number) => void,
): AsyncGenerator<PlacedEntry> {
  try {
    yield* entriesIn(source, onEnd);
  } catch (error) {
    if (error instanceof NotTarError) {
      throw new InputError(error.imageMessage, { cause: error });
    }
    throw error;
  }
}

/** An image has no more files than this outside rootfs/. */
const MAX_FILES = 100_000;

/** A stretch of a source, as a source. */
export function slice(
  source: Source,
  start: number,
  size: number,
): FileSource {
  const { place } = source;
  return {
    size,
    // Of an archive that is cut short, some of it may not be there.
    ...(place && start + size <= place.size && {
      place: { ...place, start: place.start + start, size },
    }),
    stream: () => source.slice(start, start + size).stream(),
    slice: (from, to) =>
      source.slice(start + Math.min(from, size), start + Math.min(to, size)),
    ...(source.fill && {
      fill: (buffer, from) =>
        source.fill!(
          buffer.subarray(0, Math.max(size - from, 0)),
          start + from,
        ),
    }),
  };
}

/** Where a symlink's target is, without climbing out. */
export function resolve(path: string, target: string): string {
  const parts = target.startsWith("/") ? [] : path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
