import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { FileSource } from "../read/image_files.ts";
import { binary, equalBytes } from "../streams/bytes.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream, readAt } from "../streams/source.ts";
import { skippedTo } from "../tar/skip_header.ts";
import type { Archive } from "./archive_files.ts";
import type { Findings } from "./finding.ts";
import type { Decompress } from "./layers.ts";
import { pathOf } from "./path_of.ts";
import { type Found, type TakeData, walkTar } from "./walk_tar.ts";

const DIRECTORIES = ["blobs", "blobs/sha256"];
const DOCUMENTS = ["oci-layout", "index.json", "manifest.json"];
const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;
/** Documents larger than this are refused elsewhere, in bytes. */
const MAX_DOCUMENT = 1 << 24;

/** What zstd decoders see of an archive must be the archive's own face oci. */
export class ViewCheck {
  readonly #archive: Archive;
  readonly #findings: Findings;
  readonly #seen = new Set<string>();

  constructor(archive: Archive, findings: Findings) {
    this.#archive = archive;
    this.#findings = findings;
  }

  /**
   * Reads the view and compares it with the archive.
   *
   * @param source The file; the view starts where {@linkcode skippedTo} says.
   */
  async run(source: FileSource, decompress: Decompress): Promise<void> {
    const start = await skippedTo(source, source.size);
    const stored = fromStream(source.slice(start!, source.size).stream());
    try {
      const walked = await walkTar(
        decompress(stored, "zstd", "the zstd frame at the end"),
        { entry: (found) => this.#entry(found) },
      );
      const { fault, shape, zeros } = walked;
      if (fault) this.#tell(fault.message);
      if (shape.junk > 0 || shape.concatenated || zeros < 2) {
        this.#tell("it does not end as a tar does");
      }
    } catch (error) {
      if (!(error instanceof FileError || error instanceof InputError)) {
        throw error;
      }
      return this.#tell(error.message);
    }
    for (const path of await this.#expected()) {
      if (!this.#seen.has(path)) this.#tell(`${shown(path)} is missing in it`);
    }
  }

  /** The files that it must have: all that containerd may want. */
  async #expected(): Promise<string[]> {
    const { blobs, open } = this.#archive;
    const documents = [];
    for (const path of DOCUMENTS) if (await open(path)) documents.push(path);
    return [...documents, ...blobs];
  }

  async #entry(found: Found): Promise<TakeData | undefined> {
    const { entry } = found;
    const bytes = pathOf(entry, () => {});
    const path = binary(bytes ?? entry.path);
    if (entry.kind === "directory" && DIRECTORIES.includes(path)) {
      return undefined;
    }
    const own = await this.#archive.open(path);
    const [, digest] = BLOB.exec(path) ?? [];
    const isKnown = DOCUMENTS.includes(path) || digest !== undefined;
    if (
      entry.kind !== "file" || entry.sparse || !isKnown || !own ||
      this.#seen.has(path) || own.source.size !== entry.size
    ) {
      this.#tell(`${shown(path)} is not that of the archive`);
      return undefined;
    }
    this.#seen.add(path);
    return digest === undefined
      ? this.#document(path, own.source)
      : this.#blob(path, digest, entry.size);
  }

  /** Compares a document byte by byte. */
  async #document(
    path: string,
    own: FileSource,
  ): Promise<TakeData | undefined> {
    if (own.size > MAX_DOCUMENT) return undefined;
    const bytes = await readAt(own, 0, own.size);
    return (piece, at) => {
      if (equalBytes(piece, bytes.subarray(at, at + piece.length))) return;
      this.#tell(`${shown(path)} is not that of the archive`);
    };
  }

  /** Compares a blob by its digest; that of the archive is checked anyway. */
  #blob(path: string, digest: string, size: number): TakeData {
    const hash = sha256();
    return (piece, at) => {
      hash.update(piece);
      if (at + piece.length < size || hash.hex() === digest) return;
      this.#tell(`${shown(path)} is not that of the archive`);
    };
  }

  #tell(message: string): void {
    this.#findings.add("zstd-view", "the zstd frame at the end", message);
  }
}
