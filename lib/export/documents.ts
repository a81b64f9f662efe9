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
import type { Platform } from "../read/read_oci.ts";
import { asciiText, concat } from "../streams/bytes.ts";
import type { Entry } from "../tar/entry.ts";
import { blobDigest, DocumentTexts, MAX_DOCUMENT } from "./document_texts.ts";
import { FaceMissingError } from "./face_missing_error.ts";
import { type DescribedImage, IndexImages } from "./index_images.ts";
import type { Fate } from "./pass.ts";

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

const V1_PLACE = /^([0-9a-f]{64}\/)/;
const V1_LAYER = /^(rootfs\/|[0-9a-f]{64}\/)layer\.tar$/;

/** A blob larger than this, in bytes, is taken for a layer. */
const MAX_BLOB = 1 << 22;

/** The documents of an archive, as far as they have been read. */
export class Documents {
  readonly #texts = new DocumentTexts();
  readonly #index = new IndexImages(this.#texts);
  /** Whether the whole archive has been looked through. */
  complete = false;
  /** Modification time of the archive's first entry, in seconds since 1970. */
  mtime: number | undefined;
  /** The blobs that each `layer.tar` that is a link leads to, by directory. */
  readonly #links = new Map<string, string>();
  /** Directories named by an ID. */
  readonly #places = new Set<string>();

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
    const isBlob = isSmall && blobDigest(path) !== undefined;
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
        this.#texts.put(path, concat(parts));
      },
    };
  }

  /** Their texts, by their paths. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts.all;
  }

  /** All blobs that the documents name, or `undefined` if some are not known. */
  get blobs(): Set<string> | undefined {
    if (!this.#index.isComplete(this.complete)) return undefined;
    const images = [...this.#index.known, ...this.#dockerImages()];
    return new Set([
      ...this.#index.listed,
      ...images.flatMap(({ config, layers }) => [config, ...layers]),
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
    const { own, known } = this.#index;
    return [
      ...own,
      ...known.flatMap(({ config, layers }) => [config, ...layers]),
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

  /** The images of the image index, if all of them are known. */
  #wholeImages(): DescribedImage[] {
    if (!this.#index.isComplete(this.complete)) return [];
    return this.#index.known.filter(({ isAttestation }) => !isAttestation);
  }

  /**
   * The face for Docker 1.9 and older, if there is one.
   *
   * @throws {InputError} If it holds several images.
   */
  get v1(): V1Face | undefined {
    const images = this.#texts.read("repositories", readRepositories);
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
    return this.#texts.blob(digest, (text, path) => ({
      text,
      diffIds: readConfigLayers(text, path).diffIds,
    }));
  }

  /** What a Docker v1 image's `json` says of its place, if it is known. */
  v1Link(path: string): ReturnType<typeof readV1Link> | undefined {
    return this.#texts.read(path, readV1Link);
  }

  #dockerImages(): DescribedImage[] {
    const images = this.#texts.read("manifest.json", dockerImagesOf) ?? [];
    return images.map(({ config, layers, names }: DockerEntry) => ({
      config: blobIn("Config", config),
      layers: layers.map((path) => blobIn("Layers", path)),
      names,
    }));
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
