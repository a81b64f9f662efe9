import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { binary } from "../streams/bytes.ts";
import { errorCode, fileError } from "../system/errors.ts";
import { takeTurn } from "../system/fd.ts";
import { isRoot, ownIds } from "../system/own_ids.ts";
import { type FileMetadata, type NewFile, NewFiles } from "./new_files.ts";
import { ancestorLength, normalizePath } from "../tar/path.ts";
import { SparsePlacer } from "../tar/sparse.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { deviceNumbers, metadataOf } from "./metadata.ts";
import { type Fate, passEntries, type Passing } from "./pass.ts";

const EMPTY = new Uint8Array(0);

/** What the files lost, by kind: how many, and the first path. */
export type Losses = Map<Loss, { count: number; first: string }>;

/** What may be lost. `unsafe` are devices that only an option allows. */
type Loss = "devices" | "unsafe" | "owners" | "xattrs";

/** How {@linkcode unpack} unpacks. */
export interface UnpackOptions {
  /** Bytes that the holes of sparse files may have together. */
  maxUnpacked: number;
  /** Makes block devices too, and devices that everybody may write to. */
  allowDevices?: boolean;
}

/**
 * Unpacks a tar into an empty directory: files, directories, symlinks and hard
 * links with modes and times, for root with owners, devices and FIFOs as well.
 * Holes stay holes.
 *
 * No entry gets out of the directory: names that climb are refused, every
 * directory on the way to a file must be one that was made here, so no symlink is
 * ever followed, and nothing is replaced. The directory itself stays as it is:
 * closed to others, since it may hold programs that run as root.
 *
 * @param chunks The tar. Released.
 * @param directory Path of the directory, which nobody else writes to.
 * @returns What the files lost.
 * @throws {InputError} If it is no tar, or an entry is refused.
 * @throws {FileError} If a file cannot be written.
 */
export async function unpack(
  chunks: AsyncIterable<Uint8Array>,
  directory: string,
  options: UnpackOptions,
): Promise<Losses> {
  const unpacker = new Unpacker(directory, options);
  const passing = passEntries(wholeBlocks(chunks), {
    entry: (passing) => unpacker.take(passing),
    end: () => [],
  });
  try {
    while (!(await passing.next()).done) await takeTurn();
    unpacker.end();
  } finally {
    unpacker.close();
  }
  return unpacker.losses;
}

class Unpacker {
  readonly losses: Losses = new Map();
  readonly #files: NewFiles;
  readonly #options: UnpackOptions;
  /** The directories that were made, and what they get when all is in them. */
  readonly #directories = new Map<string, FileMetadata | undefined>();
  #file: NewFile | undefined;
  /** Bytes of the holes so far. */
  #holes = 0;

  constructor(directory: string, options: UnpackOptions) {
    this.#files = new NewFiles(directory);
    this.#options = options;
    this.#directories.set("", undefined);
  }

  take(passing: Passing): Fate | undefined {
    const { path, entry } = passing;
    const metadata = metadataOf(passing);
    if (entry.records.some(([key]) => key.startsWith("SCHILY.xattr."))) {
      this.#lose("xattrs", path);
    }
    // Files of root get the user as owner: that user is root in the user
    // namespace.
    const isRoots = metadata.uid === 0 && metadata.gid === 0;
    if (!isRoots && !isRoot() && entry.kind !== "hardlink") {
      this.#lose("owners", path);
    }
    return this.#named(path, () => this.#make(passing, metadata));
  }

  #make(passing: Passing, metadata: FileMetadata): Fate | undefined {
    const { path, entry } = passing;
    if (entry.kind === "directory") {
      this.#makeDirectory(path, metadata);
      return undefined;
    }
    if (path.length === 0) throw new InputError("the root must be a directory");
    this.#makeDirectory(path.subarray(0, ancestorLength(path, 1)));
    switch (entry.kind) {
      case "file":
        return this.#write(passing, metadata);
      case "symlink":
        this.#files.symlink(path, entry.link, metadata);
        return undefined;
      case "hardlink": {
        const target = normalizePath(entry.link);
        const parent = target.subarray(0, ancestorLength(target, 1));
        if (!this.#directories.has(binary(parent))) {
          throw new InputError(
            `it is a hard link to ${shown(target)}, which is not there`,
          );
        }
        this.#files.hardLink(path, target);
        return undefined;
      }
      case "device":
      case "fifo":
        this.#makeSpecial(passing, metadata);
    }
    return undefined;
  }

  /** Makes a device or a FIFO, if that is allowed and works. */
  #makeSpecial(passing: Passing, metadata: FileMetadata): void {
    const { path, entry } = passing;
    if (entry.kind === "fifo") {
      const made = this.#files.special(path, "p", [], metadata);
      if (!made) this.#lose("devices", path);
      return;
    }
    const isBlock = entry.flag !== 0x33;
    const isUnsafe = isBlock || (metadata.mode & 0o002) !== 0;
    if (!isRoot()) this.#lose("devices", path);
    else if (isUnsafe && !this.#options.allowDevices) {
      this.#lose("unsafe", path);
    } else {
      const numbers = deviceNumbers(passing);
      const type = isBlock ? "b" : "c";
      if (!this.#files.special(path, type, numbers, metadata)) {
        this.#lose("devices", path);
      }
    }
  }

  #write({ path, entry }: Passing, metadata: FileMetadata): Fate {
    // The entry is a view of a buffer that goes away.
    const own = path.slice();
    const { size } = entry;
    const placer = entry.sparse && new SparsePlacer(entry.sparse);
    if (placer) this.#countHoles(size - entry.stored);
    const file = this.#files.file(path);
    let written = 0;
    this.#file = file;
    return {
      header: EMPTY,
      data: "none",
      onData: (bytes) =>
        this.#named(own, () => {
          if (!placer) {
            file.write(bytes, written);
            written += bytes.length;
            return;
          }
          for (const { offset, bytes: part } of placer.push(bytes)) {
            file.write(part, offset);
          }
        }),
      onEnd: () =>
        this.#named(own, () => {
          this.#file = undefined;
          file.end(size, metadata);
        }),
    };
  }

  #countHoles(bytes: number): void {
    this.#holes += Math.max(0, bytes);
    const { maxUnpacked } = this.#options;
    if (this.#holes <= maxUnpacked) return;
    throw new InputError(
      `the holes of its sparse files have more than ${maxUnpacked} bytes; if ` +
        "that is right, raise the limit with --max-unpacked",
    );
  }

  /** Makes a directory and those above it, where they have not been made. */
  #makeDirectory(path: Uint8Array, metadata?: FileMetadata): void {
    const key = binary(path);
    if (this.#directories.has(key)) {
      if (metadata) this.#directories.set(key, metadata);
      return;
    }
    this.#makeDirectory(path.subarray(0, ancestorLength(path, 1)));
    try {
      this.#files.directory(path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      throw new InputError(
        `${shown(path)} is a symlink or a file before, so no directory can ` +
          "be there; ciso convert mends such archives",
      );
    }
    this.#directories.set(key, metadata ?? { ...IMPLIED, ...ownIds() });
  }

  /** Closes what is open. */
  close(): void {
    this.#file?.end(0, { ...IMPLIED, ...ownIds() });
    this.#file = undefined;
    this.#files.close();
  }

  /**
   * Gives the directories their modes and times, last, because files change
   * them.
   */
  end(): void {
    for (const [key, metadata] of [...this.#directories].reverse()) {
      if (!metadata) continue;
      const path = Uint8Array.from(key, (sign) => sign.charCodeAt(0));
      // The root stays closed to others.
      const mode = path.length === 0 ? 0o700 : metadata.mode;
      this.#named(
        path,
        () => this.#files.metadata(path, { ...metadata, mode }),
      );
    }
  }

  #lose(what: Loss, path: Uint8Array): void {
    const { count = 0, first = shown(path) } = this.losses.get(what) ?? {};
    this.losses.set(what, { count: count + 1, first });
  }

  /** Calls a function, and adds the entry's name to its errors. */
  #named<T>(path: Uint8Array, make: () => T): T {
    try {
      return make();
    } catch (error) {
      const known = errorCode(error) === "EEXIST"
        ? new InputError("the archive holds it twice; ciso convert mends that")
        : error;
      throw fileError(`Cannot unpack ${shown(path)}`, known);
    }
  }
}

const IMPLIED: FileMetadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
