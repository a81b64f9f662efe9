import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { binary, concat, utf8 } from "../streams/bytes.ts";
import { errorCode, fileError } from "../system/errors.ts";
import { type FileMetadata, type NewFile, newFiles } from "./new_files.ts";
import { ancestorLength, normalizePath } from "../tar/path.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { deviceNumbers, metadataOf } from "./metadata.ts";
import { type Fate, passEntries, type Passing } from "./pass.ts";

const SLASH = utf8("/");
const EMPTY = new Uint8Array(0);

/** What could not be kept, by kind: how many, and the first path. */
export type Losses = Map<
  "devices" | "owners" | "xattrs",
  { count: number; first: string }
>;

/**
 * Unpacks a tar into an empty directory: files, directories, symlinks and hard
 * links with modes and times, for root with owners, devices and FIFOs as well.
 *
 * No entry gets out of the directory: names that climb are refused, every
 * directory on the way to a file must be one that was made here, so no symlink is
 * ever followed, and nothing is replaced.
 *
 * @param chunks The tar. Released.
 * @param directory Path of the directory, which nobody else writes to.
 * @returns What could not be kept.
 * @throws {InputError} If it is no tar, or an entry is refused.
 * @throws {Error} If a file cannot be written.
 */
export async function unpack(
  chunks: AsyncIterable<Uint8Array>,
  directory: string,
): Promise<Losses> {
  const unpacker = new Unpacker(directory);
  const passing = passEntries(wholeBlocks(chunks), {
    entry: (passing) => unpacker.take(passing),
    end: () => [],
  });
  try {
    while (!(await passing.next()).done);
  } catch (error) {
    unpacker.close();
    throw error;
  }
  await unpacker.end();
  return unpacker.losses;
}

class Unpacker {
  readonly losses: Losses = new Map();
  readonly #directory: Uint8Array;
  /** The directories that were made, and what they get when all is in them. */
  readonly #directories = new Map<string, FileMetadata | undefined>();
  /** Symlinks that are being given to their owners. */
  readonly #waiting: Promise<void>[] = [];
  #file: NewFile | undefined;

  constructor(directory: string) {
    this.#directory = utf8(directory);
    this.#directories.set("", undefined);
  }

  take(passing: Passing): Fate | undefined {
    const { path, entry } = passing;
    const metadata = metadataOf(passing);
    if (entry.records.some(([key]) => key.startsWith("SCHILY.xattr."))) {
      this.#lose("xattrs", path);
    }
    // Root's files become the user's, who is root in the user namespace.
    const isRoots = metadata.uid === 0 && metadata.gid === 0;
    if (!isRoots && !newFiles.isRoot() && entry.kind !== "hardlink") {
      this.#lose("owners", path);
    }
    return this.#told(path, () => this.#make(passing, metadata));
  }

  #make(passing: Passing, metadata: FileMetadata): Fate | undefined {
    const { path, entry } = passing;
    if (entry.kind === "directory") {
      this.#makeDirectory(path, metadata);
      return undefined;
    }
    if (path.length === 0) throw new InputError("the root must be a directory");
    this.#makeDirectory(path.subarray(0, ancestorLength(path, 1)));
    const place = this.#place(path);
    switch (entry.kind) {
      case "file":
        return this.#write(passing, newFiles.file(place), metadata);
      case "symlink": {
        const work = newFiles.symlink(place, entry.link, metadata);
        // Its failure is told in the end.
        work?.catch(() => {});
        if (work) this.#waiting.push(work);
        return undefined;
      }
      case "hardlink": {
        const target = normalizePath(entry.link);
        const parent = target.subarray(0, ancestorLength(target, 1));
        if (!this.#directories.has(binary(parent))) {
          throw new InputError(
            `it is a hard link to ${shown(target)}, which is not there`,
          );
        }
        newFiles.hardLink(place, this.#place(target));
        return undefined;
      }
      case "device":
      case "fifo": {
        const isFifo = entry.kind === "fifo";
        const type = isFifo ? "p" : entry.flag === 0x33 ? "c" : "b";
        const numbers = isFifo ? [] : deviceNumbers(passing);
        const mayMake = isFifo || newFiles.isRoot();
        if (mayMake && newFiles.special(place, type, numbers)) {
          newFiles.metadata(place, metadata);
        } else this.#lose("devices", path);
      }
    }
    return undefined;
  }

  #write(
    { path, entry }: Passing,
    file: NewFile,
    metadata: FileMetadata,
  ): Fate {
    // The entry is a view of a buffer that goes away.
    const own = path.slice();
    const { size } = entry;
    const expander = entry.sparse && new SparseExpander(entry.sparse);
    this.#file = file;
    return {
      header: EMPTY,
      data: "none",
      onData: (bytes) =>
        this.#told(own, () => {
          if (!expander) file.write(bytes);
          else for (const piece of expander.push(bytes)) file.write(piece);
        }),
      onEnd: () =>
        this.#told(own, () => {
          this.#file = undefined;
          for (const piece of expander?.end() ?? []) file.write(piece);
          file.end(size, metadata);
        }),
    };
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
      newFiles.directory(this.#place(path));
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      throw new InputError(
        `${shown(path)} is a symlink or a file before, so no directory can ` +
          "be there; ciso convert mends such archives",
      );
    }
    this.#directories.set(key, metadata ?? { ...IMPLIED, ...newFiles.ids() });
  }

  /** Closes the file that is being written. */
  close(): void {
    this.#file?.end(0, IMPLIED);
    this.#file = undefined;
  }

  /** Gives the directories their modes and times, which files would change. */
  async end(): Promise<void> {
    await Promise.all(this.#waiting);
    for (const [key, metadata] of [...this.#directories].reverse()) {
      if (!metadata) continue;
      const path = Uint8Array.from(key, (sign) => sign.charCodeAt(0));
      this.#told(path, () => newFiles.metadata(this.#place(path), metadata));
    }
  }

  #place(path: Uint8Array): Uint8Array {
    return path.length === 0
      ? this.#directory
      : concat([this.#directory, SLASH, path]);
  }

  #lose(what: "devices" | "owners" | "xattrs", path: Uint8Array): void {
    const { count = 0, first = shown(path) } = this.losses.get(what) ?? {};
    this.losses.set(what, { count: count + 1, first });
  }

  /** Calls a function whose errors are to name the entry. */
  #told<T>(path: Uint8Array, make: () => T): T {
    try {
      return make();
    } catch (error) {
      const known = errorCode(error) === "EEXIST"
        ? new InputError(
          "the archive holds it twice; ciso convert mends that",
        )
        : error;
      throw fileError(`Cannot unpack ${shown(path)}`, known);
    }
  }
}

const IMPLIED: FileMetadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
