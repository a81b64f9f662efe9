import { InputError } from "../errors/input_error.ts";
import { documentText } from "../read/image_files.ts";
import { bytesDigest } from "../streams/sha256.ts";

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** Documents larger than this, in bytes, are refused; all together twice that. */
export const MAX_DOCUMENT = 1 << 24;

/** The digest that a path is the blob of, in hex. */
export function blobDigest(path: string): string | undefined {
  return BLOB.exec(path)?.[1];
}

/** The texts of an archive's documents, as far as they have come. */
export class DocumentTexts {
  /** The texts, by their paths. */
  readonly all = new Map<string, string>();
  /** What has been read of them, by their paths. */
  readonly #known = new Map<string, { text: string; value: unknown }>();
  /** What the blobs among them really are. */
  readonly #digests = new Map<string, string>();
  #size = 0;

  /**
   * Takes a document.
   *
   * @throws {InputError} If there are too many.
   */
  put(path: string, bytes: Uint8Array): void {
    const text = documentText(bytes);
    if (BLOB.test(path)) this.#digests.set(path, bytesDigest(bytes));
    this.#size += text.length - (this.all.get(path)?.length ?? 0);
    if (this.#size > 2 * MAX_DOCUMENT) {
      throw new InputError("The archive's documents are too many to be true");
    }
    this.all.set(path, text);
  }

  /**
   * What a document says, if it is known. It is read once: many ask again and
   * again.
   */
  read<T>(
    path: string,
    read: (text: string, path: string) => T,
  ): T | undefined {
    const text = this.all.get(path);
    if (text === undefined) return undefined;
    const known = this.#known.get(path);
    if (known?.text === text) return known.value as T;
    const value = read(text, path);
    this.#known.set(path, { text, value });
    return value;
  }

  /**
   * Reads a blob that is a document, if it is known.
   *
   * @throws {InputError} If its digest is another one.
   */
  blob<T>(
    digest: string,
    read: (text: string, path: string) => T,
  ): T | undefined {
    return this.read(`blobs/sha256/${digest}`, (text, path) => {
      const found = this.#digests.get(path);
      if (found === digest) return read(text, path);
      throw new InputError(
        `${path} is damaged: its digest is sha256:${found}`,
      );
    });
  }
}
