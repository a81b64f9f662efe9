import { InputError } from "../errors/input_error.ts";
import {
  type BlobDescriptor,
  isImage,
  nameIn,
  type Platform,
  readOciIndex,
  readOciManifest,
} from "../read/read_oci.ts";
import type { DocumentTexts } from "./document_texts.ts";

/** The image that an archive's documents describe. */
export interface DescribedImage {
  /** SHA-256 of the image config, in hex. */
  config: string;
  /** SHA-256 of the layers' blobs, in hex, lowest first. */
  layers: string[];
  /** Names with tags. */
  names: string[];
  /** Annotations of the image manifest. */
  annotations?: Map<string, string>;
  /** Whether it is an attestation: it only says how an image was made. */
  isAttestation?: boolean;
  /** The platform that the image index says. */
  platform?: Platform;
}

/** What `index.json` leads to, by digests. */
interface Listed {
  /** Image manifests, known or not, with the descriptors that lead to them. */
  leaves: Map<string, BlobDescriptor[]>;
  /** The indexes on the way, but for `index.json` itself. */
  indexes: Set<string>;
  /** The leaves that an inner index lists. */
  inner: Set<string>;
}

/** Indexes inside indexes at most. */
const MAX_DEPTH = 4;

/** The images that `index.json` leads to, as far as documents have come. */
export class IndexImages {
  readonly #texts: DocumentTexts;

  /** @param texts The documents; more may come. */
  constructor(texts: DocumentTexts) {
    this.#texts = texts;
  }

  /** All images whose manifests are known. */
  get known(): DescribedImage[] {
    return [...this.#listed().leaves].flatMap(([digest, descriptors]) => {
      const manifest = this.#texts.blob(digest, readOciManifest);
      if (!manifest || Array.isArray(manifest)) return [];
      return [{
        config: manifest.config.digest,
        layers: manifest.layers.map(({ digest }) => digest),
        names: [...new Set(descriptors.map(nameIn))]
          .filter((name) => name !== undefined),
        annotations: manifest.annotations,
        isAttestation: !descriptors.some(isImage),
        platform: descriptors[0]!.platform,
      }];
    });
  }

  /** The manifests and indexes that are listed, by their digests. */
  get listed(): string[] {
    const { leaves, indexes } = this.#listed();
    return [...indexes, ...leaves.keys()];
  }

  /**
   * Those of them that the archive has. Docker's inner indexes list platforms
   * that it does not have: these are left out.
   */
  get own(): string[] {
    const { leaves, indexes, inner } = this.#listed();
    const own = [...leaves.keys()].filter((digest) =>
      !inner.has(digest) ||
      this.#texts.blob(digest, readOciManifest) !== undefined
    );
    return [...indexes, ...own];
  }

  /**
   * Whether all images are known. Of the platforms that an inner index lists,
   * those that the whole archive does not have are not expected.
   *
   * @param isWhole Whether all of the archive has come.
   */
  isComplete(isWhole: boolean): boolean {
    const { leaves, inner } = this.#listed();
    const { all } = this.#texts;
    const absent = isWhole
      ? [...inner].filter((digest) => !all.has(`blobs/sha256/${digest}`))
      : [];
    return this.known.length >= leaves.size - absent.length;
  }

  /**
   * What `index.json` leads to: image manifests by their digests, each with the
   * descriptors that lead to it, and the indexes on the way.
   */
  #listed(): Listed {
    const top = this.#texts.read("index.json", readOciIndex) ?? [];
    const found: Listed = {
      leaves: new Map(),
      indexes: new Set(),
      inner: new Set(),
    };
    const byDigest = new Map<string, BlobDescriptor[]>();
    for (const one of top) {
      byDigest.set(one.digest, [...byDigest.get(one.digest) ?? [], one]);
    }
    for (const [digest, descriptors] of byDigest) {
      this.#follow(digest, descriptors, found, 0);
    }
    return found;
  }

  #follow(
    digest: string,
    descriptors: BlobDescriptor[],
    found: Listed,
    depth: number,
  ): void {
    const { leaves, indexes, inner } = found;
    const list = this.#texts.blob(digest, readOciManifest);
    if (!Array.isArray(list)) {
      leaves.set(digest, [...leaves.get(digest) ?? [], ...descriptors]);
      if (depth > 0) inner.add(digest);
      return;
    }
    if (indexes.has(digest)) return;
    indexes.add(digest);
    if (depth === MAX_DEPTH) {
      throw new InputError("Its image indexes never end");
    }
    for (const one of list) {
      const named = descriptors.map(({ annotations }) => ({
        ...one,
        annotations: new Map([...annotations, ...one.annotations]),
      }));
      this.#follow(one.digest, named, found, depth + 1);
    }
  }
}
