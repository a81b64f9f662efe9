import { InputError } from "../errors/input_error.ts";
import { shown, shownWord } from "../errors/shown.ts";
import { v1Chain } from "../formats/docker_v1.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { readConfigLayers } from "../read/read_config.ts";
import {
  type DockerEntry,
  readDockerManifest,
  readRepositories,
  readV1Link,
} from "../read/read_docker.ts";
import {
  type BlobDescriptor,
  isImage,
  nameIn,
  type Platform,
  readOciIndex,
  readOciManifest,
} from "../read/read_oci.ts";
import { documentText } from "../read/image_files.ts";
import { asciiText, concat } from "../streams/bytes.ts";
import { bytesDigest } from "../streams/sha256.ts";
import type { Entry } from "../tar/entry.ts";
import type { Fate } from "./pass.ts";
import { FaceMissingError } from "./face_missing_error.ts";

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
interface ImageIndexes {
  /** Image manifests, known or not, with the descriptors that lead to them. */
  leaves: Map<string, BlobDescriptor[]>;
  /** The indexes on the way, but for `index.json` itself. */
  indexes: Set<string>;
  /** The leaves that an inner index lists. */
  inner: Set<string>;
}

/** An archive's face for Docker 1.9 and older. */
export interface V1Face {
  /** ID of the newest image. */
  id: string;
  /** Its directory, with a slash: `rootfs/` or the ID. */
  place: string;
  /** Names with tags. */
  names: string[];
}

/** The documents that each have a place of their own. */
const PLACES = new Set([
  "manifest",
  "oci-layout",
  "index.json",
  "manifest.json",
  "repositories",
  "config.json",
  "metadata.yaml",
]);

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;
const V1_PLACE = /^([0-9a-f]{64}\/)/;
const V1_LAYER = /^(rootfs\/|[0-9a-f]{64}\/)layer\.tar$/;

/** Indexes inside indexes at most. */
const MAX_DEPTH = 4;

/** Documents larger than this, in bytes, are refused; all together twice that. */
const MAX_DOCUMENT = 1 << 24;
/** A blob larger than this, in bytes, is taken for a layer. */
const MAX_BLOB = 1 << 22;

/** The digest that a path is the blob of, in hex. */
export function blobDigest(path: string): string | undefined {
  return BLOB.exec(path)?.[1];
}

/** The documents of an archive, as far as they have been read. */
export class Documents {
  /** Their texts, by their paths. */
  readonly texts = new Map<string, string>();
  /** Whether the whole archive has been looked through. */
  complete = false;
  /** Modification time of the archive's first entry, in seconds since 1970. */
  mtime: number | undefined;
  /** The blobs that each `layer.tar` that is a link leads to, by directory. */
  readonly #links = new Map<string, string>();
  /** Directories named by an ID. */
  readonly #places = new Set<string>();
  /** What has been read of the texts, by their paths. */
  readonly #known = new Map<string, { text: string; value: unknown }>();
  /** What the blobs among them really are. */
  readonly #digests = new Map<string, string>();
  #size = 0;

  /**
   * Looks at an entry, and notes it if it says something about the image.
   *
   * @param all Whether to take `rootfs/json` for a document although nothing is
   * known yet of a face for Docker 1.9.
   * @returns How its text is taken, if it is a document.
   * @throws {InputError} If a document is no plain file, or too large.
   */
  look(
    path: string,
    entry: Entry,
    all = false,
  ): Required<Pick<Fate, "onData" | "onEnd">> | undefined {
    const [, place] = V1_PLACE.exec(path) ?? [];
    if (place) this.#places.add(place);
    if (entry.kind === "symlink" || entry.kind === "hardlink") {
      const [, directory] = V1_LAYER.exec(path) ?? [];
      const link = asciiText(entry.link).replace(/^\.\.\//, "");
      const digest = blobDigest(link);
      if (directory && digest) this.#links.set(directory, digest);
    }
    const isSmall = entry.kind === "file" && entry.size <= MAX_BLOB;
    const isBlob = isSmall && BLOB.test(path);
    const isDocument = isBlob || PLACES.has(path) ||
      (place !== undefined && path === `${place}json`) ||
      (path === "rootfs/json" &&
        ((all && isSmall) || this.v1?.place === ROOTFS));
    if (!isDocument) return undefined;
    if (entry.kind !== "file" || entry.sparse) {
      throw new FaceMissingError(
        `${shownWord(path)} is no plain file; ciso convert takes such archives`,
      );
    }
    if (entry.size > MAX_DOCUMENT) {
      throw new InputError(
        `${shownWord(path)} has ${entry.size} bytes, too many to be true`,
      );
    }
    const parts: Uint8Array[] = [];
    return {
      onData: (bytes) => void parts.push(bytes.slice()),
      onEnd: () => {
        // A small layer is no document: those among the blobs start with "{".
        if (isBlob && parts[0]?.[0] !== 0x7b) return;
        this.#put(path, concat(parts));
      },
    };
  }

  /** Takes a document's text, and the digest of a blob. */
  #put(path: string, bytes: Uint8Array): void {
    const text = documentText(bytes);
    if (BLOB.test(path)) this.#digests.set(path, bytesDigest(bytes));
    this.#size += text.length - (this.texts.get(path)?.length ?? 0);
    if (this.#size > 2 * MAX_DOCUMENT) {
      throw new InputError("The archive's documents are too many to be true");
    }
    this.texts.set(path, text);
  }

  /** All blobs that the documents name, or `undefined` if some are not known. */
  get blobs(): Set<string> | undefined {
    const { leaves, indexes } = this.#index();
    const images = this.#ociImages();
    if (images.length < this.#expected()) return undefined;
    return new Set([
      ...indexes,
      ...leaves.keys(),
      ...[...images, ...this.#dockerImages()].flatMap((image) => [
        image.config,
        ...image.layers,
      ]),
    ]);
  }

  /** The blobs that `manifest.json` names. */
  get dockerBlobs(): string[] {
    return this.#dockerImages().flatMap(({ config, layers }) => [
      config,
      ...layers,
    ]);
  }

  /**
   * The blobs that `index.json` names, and those that they name. Docker's inner
   * indexes list platforms that it does not have: these are left out.
   */
  get ociBlobs(): string[] {
    const { leaves, indexes, inner } = this.#index();
    const own = [...leaves.keys()].filter((digest) =>
      !inner.has(digest) || this.#blob(digest, readOciManifest) !== undefined
    );
    return [
      ...indexes,
      ...own,
      ...this.#ociImages().flatMap(({ config, layers }) => [config, ...layers]),
    ];
  }

  /**
   * The one image that manifest.json or the image index describes.
   *
   * @throws {InputError} If there are several, or they describe two.
   */
  get image(): DescribedImage | undefined {
    const docker = this.#dockerImages();
    const oci = this.#wholeImages();
    if (docker.length === 0) {
      return oci.length > 0 ? only(oci, "index.json") : undefined;
    }
    const image = only(docker, "manifest.json");
    const same = oci.find(({ config }) => config === image.config);
    if (oci.length > 0 && !same) {
      throw new InputError(
        "manifest.json and index.json describe two images; ciso convert takes " +
          "the one of index.json",
      );
    }
    const annotations = same?.annotations;
    return { ...image, ...(annotations && { annotations }) };
  }

  /**
   * The names of the archive's image, as far as they are known.
   *
   * @throws {InputError} If it has several images, of other names.
   */
  get names(): string[] {
    const tops = new Set(
      this.#wholeImages().map(({ names }) => names.toSorted().join(" ")),
    );
    const isOne = this.#dockerImages().length === 0 && tops.size === 1;
    const [first] = isOne ? this.#wholeImages() : [];
    return (first ?? this.image ?? this.v1)?.names ?? [];
  }

  /**
   * The platforms of the archive's images, as far as they are known.
   */
  get platforms(): Platform[] {
    return this.#wholeImages().map(({ platform }) => platform ?? {});
  }

  /**
   * How many images there must be. Of the platforms that an inner index lists,
   * those that the whole archive does not have are not expected.
   */
  #expected(): number {
    const { leaves, inner } = this.#index();
    const absent = this.complete
      ? [...inner].filter((digest) => !this.texts.has(`blobs/sha256/${digest}`))
      : [];
    return leaves.size - absent.length;
  }

  /** The images of the image index, if all of them are known. */
  #wholeImages(): DescribedImage[] {
    const images = this.#ociImages();
    if (images.length < this.#expected()) return [];
    return images.filter(({ isAttestation }) => !isAttestation);
  }

  /**
   * The face for Docker 1.9 and older, if there is one.
   *
   * @throws {InputError} If it holds several images.
   */
  get v1(): V1Face | undefined {
    const images = this.#read("repositories", readRepositories);
    if (!images) return undefined;
    const ids = new Set(images.map(({ id }) => id));
    const [id] = ids;
    if (ids.size !== 1 || !/^[0-9a-f]{64}$/.test(id!)) {
      throw new InputError(
        ids.size > 1
          ? "repositories names several images; save one alone"
          : "repositories names no image by its SHA-256",
      );
    }
    const own = `${id}/`;
    return {
      id: id!,
      place: this.#places.has(own) ? own : ROOTFS,
      names: images.map(({ name }) => name),
    };
  }

  /**
   * The blobs that `layer.tar` leads to where it is a link, by directory. Hard
   * links come after the blobs: before that, the chain that ciso makes of
   * layers tells it.
   */
  get links(): ReadonlyMap<string, string> {
    const { v1 } = this;
    if (!v1 || v1.place === ROOTFS) return this.#links;
    const chain = v1Chain(this.diffIds ?? []);
    const isOurs = chain.at(-1)?.id === v1.id &&
      chain.every(({ id }) => this.texts.has(`${id}/json`));
    if (!isOurs) return this.#links;
    return new Map(chain.map(({ id, digest }) => [`${id}/`, digest]));
  }

  /** The image config's text, if it is known. */
  get config(): string | undefined {
    return this.#config()?.text;
  }

  /** The diff IDs that the image config lists, if it is known. */
  get diffIds(): string[] | undefined {
    return this.#config()?.diffIds;
  }

  #config(): { text: string; diffIds: string[] } | undefined {
    const digest = this.image?.config;
    if (digest === undefined) return undefined;
    return this.#blob(digest, (text, path) => ({
      text,
      diffIds: readConfigLayers(text, path).diffIds,
    }));
  }

  /** What a Docker v1 image's `json` says of its place, if it is known. */
  v1Link(path: string): ReturnType<typeof readV1Link> | undefined {
    return this.#read(path, readV1Link);
  }

  #dockerImages(): DescribedImage[] {
    const images = this.#read("manifest.json", dockerImagesOf) ?? [];
    return images.map(({ config, layers, names }: DockerEntry) => ({
      config: blobIn("Config", config),
      layers: layers.map((path) => blobIn("Layers", path)),
      names,
    }));
  }

  /**
   * What `index.json` leads to: image manifests by their digests, each with the
   * descriptors that lead to it, and the indexes on the way.
   */
  #index(): ImageIndexes {
    const top = this.#read("index.json", readOciIndex) ?? [];
    const found: ImageIndexes = {
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
    found: ImageIndexes,
    depth: number,
  ): void {
    const { leaves, indexes, inner } = found;
    const list = this.#blob(digest, readOciManifest);
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

  /** The images of the image index whose manifests are known. */
  #ociImages(): DescribedImage[] {
    return [...this.#index().leaves].flatMap(([digest, descriptors]) => {
      const manifest = this.#blob(digest, readOciManifest);
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

  /** Reads a blob that is a document, its digest checked, if it is known. */
  #blob<T>(
    digest: string,
    read: (text: string, path: string) => T,
  ): T | undefined {
    return this.#read(`blobs/sha256/${digest}`, (text, path) => {
      const found = this.#digests.get(path);
      if (found === digest) return read(text, path);
      throw new InputError(
        `${path} is damaged: its digest is sha256:${found}`,
      );
    });
  }

  /**
   * What a document says, if it is known. It is read once: the getters above are
   * asked again and again.
   */
  #read<T>(
    path: string,
    read: (text: string, path: string) => T,
  ): T | undefined {
    const text = this.texts.get(path);
    if (text === undefined) return undefined;
    const known = this.#known.get(path);
    if (known?.text === text) return known.value as T;
    const value = read(text, path);
    this.#known.set(path, { text, value });
    return value;
  }
}

function only<T>(images: T[], name: string): T {
  if (images.length > 1) {
    throw new InputError(
      `${name} lists ${images.length} images; this export takes one, which ` +
        "--platform chooses if they are for several platforms",
    );
  }
  return images[0]!;
}

/** The images of a `manifest.json`, if it is Docker's. */
function dockerImagesOf(source: string): DockerEntry[] {
  if (!/^\s*\{/.test(source)) return readDockerManifest(source);
  throw new FaceMissingError(
    "manifest.json is not Docker's, but as skopeo's dir: has it; ciso convert " +
      "makes an isoc of such an archive",
  );
}

function blobIn(field: string, path: string): string {
  const digest = blobDigest(path);
  if (digest) return digest;
  throw new FaceMissingError(
    `${field} in manifest.json is ${shown(path)}, not a path below ` +
      "blobs/sha256/; ciso convert makes an isoc of such an archive",
  );
}
