import { shownWord } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { concat, utf8 } from "../streams/bytes.ts";
import { dockerManifest } from "../formats/docker.ts";
import { jsonText } from "../formats/json_text.ts";
import type { Layer } from "../image/layer.ts";
import { imageIndex, imageManifest, ociLayout } from "../formats/oci.ts";
import { imageConfig } from "../formats/oci_config.ts";
import type { Entry } from "../tar/entry.ts";
import { closing, newHeader } from "../tar/header.ts";
import { blobDigest } from "./document_texts.ts";
import type { Documents } from "./documents.ts";
import { imageOf } from "./image_of.ts";
import type { FaceEntries } from "./face_entries.ts";
import { type Fate, KEEP, type Passing } from "./pass.ts";
import { plainLayers } from "./plain_layers.ts";
import { directoryEntry, fileEntry } from "../tar/small_entries.ts";
import { textDigest } from "../streams/sha256.ts";
import { FaceMissingError } from "./face_missing_error.ts";

const DIRECTORIES = ["blobs", "blobs/sha256"];

/**
 * The faces `docker` and `oci`: documents and blobs. Blobs are passed on wherever
 * they are, each one checked against its name; documents that the archive
 * lacks are made and come last.
 *
 * An OCI layout gets a `manifest.json` too, as `docker save` writes one: without
 * it, Docker loads an OCI layout only into the containerd image store, and
 * podman takes none that has several names.
 */
export class BlobFace implements FaceEntries {
  readonly #documents: Documents;
  readonly #isOci: boolean;
  /** The blobs to pass on; all if it is not known. */
  readonly #wanted: Set<string> | undefined;
  /** Path of the layer in an archive without blobs. */
  readonly #v1Layer: string | undefined;
  readonly #directories = new Set<string>();
  readonly #written = new Set<string>();
  /** Sizes of the blobs that were passed on, in bytes, by digest. */
  readonly #blobs = new Map<string, number>();

  constructor(documents: Documents, isOci: boolean) {
    this.#documents = documents;
    this.#isOci = isOci;
    const { dockerBlobs, blobs, complete, texts } = documents;
    if (isOci) {
      // The index may come later, and with it the manifest's name.
      if (complete || texts.has("index.json")) this.#wanted = blobs;
    } else if (dockerBlobs.length > 0) this.#wanted = new Set(dockerBlobs);
    if (this.#wanted?.size === 0) this.#wanted = undefined;
    const { v1 } = documents;
    if (v1 && !texts.has("manifest.json") && !texts.has("index.json")) {
      this.#v1Layer = `${v1.place}layer.tar`;
    }
  }

  take(path: string, { entry }: Passing): Fate | undefined {
    const isIndex = path === "index.json" || path === "oci-layout";
    if (path === "manifest.json" || (this.#isOci && isIndex)) {
      this.#written.add(path);
      return KEEP;
    }
    if (DIRECTORIES.includes(path)) {
      if (entry.kind !== "directory") {
        throw new InputError(`${shownWord(path)} is no directory`);
      }
      this.#directories.add(path);
      return KEEP;
    }
    const digest = blobDigest(path);
    if (digest) {
      if (this.#wanted && !this.#wanted.has(digest)) return undefined;
      return this.#blob(path, digest, entry, KEEP);
    }
    if (path === this.#v1Layer && entry.kind === "file") {
      const digest = this.#documents.v1!.id;
      return this.#blob(path, digest, entry, {
        header: newHeader({
          path: `blobs/sha256/${digest}`,
          type: "file",
          size: entry.size,
          mtime: this.#mtime,
        }),
        data: "padded",
      });
    }
    return undefined;
  }

  get isComplete(): boolean {
    const wanted = this.#wanted;
    return wanted !== undefined && wanted.size <= this.#blobs.size &&
      this.#written.has("manifest.json") &&
      (!this.#isOci ||
        (this.#written.has("index.json") && this.#written.has("oci-layout")));
  }

  end(): Uint8Array[] {
    this.#documents.complete = true;
    const made = this.#missing();
    const { dockerBlobs, ociBlobs } = this.#documents;
    for (const digest of this.#isOci ? ociBlobs : dockerBlobs) {
      if (this.#blobs.has(digest)) continue;
      throw new InputError(`blobs/sha256/${digest} is missing`);
    }
    return [...made, closing()];
  }

  get #mtime(): number {
    return this.#documents.mtime ?? 0;
  }

  #blob(path: string, digest: string, entry: Entry, fate: Fate): Fate {
    if (entry.kind !== "file" || entry.sparse) {
      throw new FaceMissingError(
        `${shownWord(path)} is no plain file; ciso convert takes such archives`,
      );
    }
    if (this.#blobs.has(digest)) {
      throw new InputError(
        `${shownWord(path)} is in the archive twice; ciso convert mends that`,
      );
    }
    this.#blobs.set(digest, entry.size);
    const before = DIRECTORIES.filter((path) => !this.#directories.has(path))
      .map((path) => directoryEntry(`${path}/`, this.#mtime));
    for (const path of DIRECTORIES) this.#directories.add(path);
    return {
      ...fate,
      ...(before.length > 0 && { before: concat(before) }),
      claim: { path, digest },
    };
  }

  /** Makes the documents that the archive lacks. */
  #missing(): Uint8Array[] {
    const made: Uint8Array[] = [];
    const file = (path: string, text: string) =>
      void made.push(fileEntry(path, text, this.#mtime));
    const needsIndex = this.#isOci && !this.#written.has("index.json");
    if (this.#isOci && !this.#written.has("oci-layout")) {
      file("oci-layout", jsonText(ociLayout()));
    }
    if (this.#written.has("manifest.json") && !needsIndex) return made;
    const layers = this.#layers(needsIndex || !this.#isOci);
    if (!layers) return made;
    const image = imageOf(this.#documents);
    let digest = this.#documents.image?.config;
    let size = digest ? this.#blobs.get(digest) : undefined;
    if (digest === undefined || size === undefined) {
      const config = jsonText(imageConfig(image, layers));
      digest = textDigest(config);
      size = utf8(config).length;
      file(`blobs/sha256/${digest}`, config);
      this.#blobs.set(digest, size);
    }
    if (needsIndex) {
      const manifest = jsonText(imageManifest(image, layers, { digest, size }));
      const blob = {
        digest: textDigest(manifest),
        size: utf8(manifest).length,
      };
      file(`blobs/sha256/${blob.digest}`, manifest);
      file("index.json", jsonText(imageIndex(image, blob)));
    }
    if (!this.#written.has("manifest.json")) {
      file("manifest.json", jsonText(dockerManifest(image, layers, digest)));
    }
    return made;
  }

  /**
   * The layers of the archive's one image.
   *
   * @returns `undefined` if they are not needed and not usable.
   */
  #layers(needed: boolean): Layer[] | undefined {
    let digests: string[] | undefined;
    try {
      digests = plainLayers(this.#documents);
    } catch (error) {
      if (needed) throw error;
      return undefined;
    }
    const layers = digests?.map((digest) => ({
      digest,
      size: this.#blobs.get(digest),
    }));
    const missing = layers?.find(({ size }) => size === undefined);
    if (!layers || missing) {
      throw new FaceMissingError(
        missing && this.#documents.image
          ? `blobs/sha256/${missing.digest} is missing`
          : "The archive holds no layer; ciso convert makes an isoc of it that does",
      );
    }
    return layers as Layer[];
  }
}
