import { shownWord } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { blobDigest } from "./document_texts.ts";
import type { Documents } from "./documents.ts";
import type { FaceEntries } from "./face_entries.ts";
import type { Fate, Passing } from "./pass.ts";

/** The one layer of an archive, byte for byte: the tar that it was made of. */
export class LayerFace implements FaceEntries {
  readonly #digest: string;
  readonly #v1Path: string | undefined;
  #written = false;

  /** @param digest SHA-256 of the layer, in hex. */
  constructor(documents: Documents, digest: string) {
    this.#digest = digest;
    const { v1 } = documents;
    if (v1?.id === digest) this.#v1Path = `${v1.place}layer.tar`;
  }

  take(path: string, { entry }: Passing): Fate | undefined {
    const isLayer = blobDigest(path) === this.#digest || path === this.#v1Path;
    if (!isLayer || entry.kind !== "file" || this.#written) return undefined;
    if (entry.sparse) {
      throw new InputError(`${shownWord(path)} is a sparse file`);
    }
    this.#written = true;
    return {
      header: new Uint8Array(0),
      data: "bare",
      claim: { path, digest: this.#digest },
    };
  }

  get isComplete(): boolean {
    return this.#written;
  }

  end(): Uint8Array[] {
    if (this.#written) return [];
    throw new InputError(`The layer sha256:${this.#digest} is missing`);
  }
}
