import { shown, shownWord } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import { InputError } from "../errors/input_error.ts";
import { asciiText, concat } from "../streams/bytes.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import type { Entry } from "../tar/entry.ts";
import type { Fate } from "./pass.ts";

/** The image that an archive's documents tell of. */
export interface ImageParts {
  /** SHA-256 of the image config, in hex. */
  config: string;
  /** SHA-256 of the layers as they are stored, in hex, lowest first. */
  layers: string[];
  /** Names with tags. */
  names: string[];
}

/** An archive's part for Docker 1.9 and older. */
export interface V1Part {
  /** ID of the newest image. */
  id: string;
  /** The directory that it stands in, with a slash: `rootfs/` or the ID. */
  place: string;
  /** Names with tags. */
  names: string[];
}

/** The documents that each stand in a place of their own. */
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

/** Documents larger than this, in bytes, are refused; all together twice that. */
const MAX_DOCUMENT = 1 << 24;
/** A blob larger than this, in bytes, is taken for a layer. */
const MAX_BLOB = 1 << 22;

/** What is read of the documents; any of it may be missing or something else. */
interface DockerImage {
  Config?: string;
  Layers?: string[];
  RepoTags?: string[];
}
interface Descriptor {
  digest?: string;
  annotations?: Record<string, string>;
}
interface Index {
  manifests?: Descriptor[];
}
interface Manifest {
  config?: Descriptor;
  layers?: Descriptor[];
}

/** The digest that a path is the blob of, in hex. */
export function blobDigest(path: string): string | undefined {
  return BLOB.exec(path)?.[1];
}

/** The documents of an archive, as far as they have been read. */
export class Documents {
  /** Their texts, by their paths. */
  readonly texts = new Map<string, string>();
  /** The blobs that `layer.tar` leads to where it is a symlink, by directory. */
  readonly links = new Map<string, string>();
  /** Whether the whole archive has been looked through. */
  complete = false;
  /** Modification time of the archive's first entry, in seconds since 1970. */
  mtime: number | undefined;
  /** Directories named by an ID. */
  readonly #places = new Set<string>();
  readonly #parsed = new Map<string, { text: string; value: unknown }>();
  #size = 0;

  /**
   * Looks at an entry: takes note of it if it says something about the image.
   *
   * @param all Whether to take `rootfs/json` for a document although nothing is
   * known yet of a part for Docker 1.9.
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
    if (entry.kind === "symlink") {
      const [, directory] = V1_LAYER.exec(path) ?? [];
      const link = asciiText(entry.link).replace(/^\.\.\//, "");
      const digest = blobDigest(link);
      if (directory && digest) this.links.set(directory, digest);
    }
    const isSmall = entry.kind === "file" && entry.size <= MAX_BLOB;
    const isBlob = isSmall && BLOB.test(path);
    const isDocument = isBlob || PLACES.has(path) ||
      (place !== undefined && path === `${place}json`) ||
      (path === "rootfs/json" &&
        ((all && isSmall) || this.v1?.place === ROOTFS));
    if (!isDocument) return undefined;
    if (entry.kind !== "file" || entry.sparse) {
      throw new InputError(
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
        this.put(path, new TextDecoder().decode(concat(parts)));
      },
    };
  }

  /** Keeps a document's text. */
  put(path: string, text: string): void {
    this.#size += text.length - (this.texts.get(path)?.length ?? 0);
    if (this.#size > 2 * MAX_DOCUMENT) {
      throw new InputError("The archive's documents are too many to be true");
    }
    this.texts.set(path, text);
  }

  /** All blobs that the documents name, or `undefined` if some are not known. */
  get blobs(): Set<string> | undefined {
    const images = this.#ociImages();
    if (images.length < this.#manifests().length) return undefined;
    return new Set([
      ...this.#manifests(),
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

  /** The blobs that `index.json` names, and those that they name. */
  get ociBlobs(): string[] {
    return [
      ...this.#manifests(),
      ...this.#ociImages().flatMap(({ config, layers }) => [config, ...layers]),
    ];
  }

  /**
   * The one image that manifest.json or the image index tell of.
   *
   * @throws {InputError} If there are several.
   */
  get image(): ImageParts | undefined {
    const docker = this.#dockerImages();
    if (docker.length > 0) return only(docker, "manifest.json");
    const manifests = this.#manifests();
    const images = this.#ociImages();
    if (images.length < manifests.length) return undefined;
    return images.length > 0 ? only(images, "index.json") : undefined;
  }

  /**
   * The part for Docker 1.9 and older, if there is one.
   *
   * @throws {InputError} If it holds several images.
   */
  get v1(): V1Part | undefined {
    const document = this.json<Record<string, Record<string, string>>>(
      "repositories",
    );
    if (!document) return undefined;
    const names: string[] = [];
    const ids = new Set<string>();
    for (const [name, tags] of Object.entries(document)) {
      for (const [tag, id] of Object.entries(tags ?? {})) {
        names.push(`${name}:${tag}`);
        ids.add(String(id));
      }
    }
    const [id] = ids;
    if (ids.size !== 1 || !/^[0-9a-f]{64}$/.test(id!)) {
      throw new InputError(
        ids.size > 1
          ? "repositories names several images; save one alone"
          : "repositories names no image by its SHA-256",
      );
    }
    const own = `${id}/`;
    return { id: id!, place: this.#places.has(own) ? own : ROOTFS, names };
  }

  /** The image config's text, if it is known. */
  get config(): string | undefined {
    const digest = this.image?.config;
    return digest && this.texts.get(`blobs/sha256/${digest}`);
  }

  #dockerImages(): ImageParts[] {
    const document = this.json<DockerImage[]>("manifest.json");
    return objects(document).map((image) => ({
      config: blobIn("Config", image.Config),
      layers: list(image.Layers).map((path) => blobIn("Layers", path)),
      names: list(image.RepoTags).map(String),
    }));
  }

  /** Digests of the image manifests that `index.json` lists. */
  #manifests(): string[] {
    const index = this.json<Index>("index.json");
    return [...new Set(objects(index?.manifests).map(digestIn))];
  }

  /** The images of the image index whose manifests are known. */
  #ociImages(): ImageParts[] {
    const index = this.json<Index>("index.json");
    return this.#manifests().flatMap((digest) => {
      const manifest = this.json<Manifest>(`blobs/sha256/${digest}`);
      if (!manifest) return [];
      return [{
        config: digestIn(manifest.config),
        layers: objects(manifest.layers).map(digestIn),
        names: objects(index?.manifests)
          .filter((descriptor) => digestIn(descriptor) === digest)
          .map(({ annotations }) => annotations?.["io.containerd.image.name"])
          .filter((name) => name !== undefined).map(String),
      }];
    });
  }

  /**
   * A document's content, if it has been read.
   *
   * @throws {InputError} If it is no JSON object.
   */
  json<T>(path: string): T | undefined {
    const text = this.texts.get(path);
    if (text === undefined) return undefined;
    const known = this.#parsed.get(path);
    if (known?.text === text) return known.value as T;
    const value = parseJson(shownWord(path), text);
    if (typeof value !== "object" || value === null) {
      throw new InputError(`${shownWord(path)} holds no object`);
    }
    this.#parsed.set(path, { text, value });
    return value as T;
  }
}

function only<T>(images: T[], name: string): T {
  if (images.length > 1) {
    throw new InputError(
      `${name} lists ${images.length} images; this export takes one`,
    );
  }
  return images[0]!;
}

function list<T>(value: T[] | undefined): T[] {
  return Array.isArray(value) ? value : [];
}

function objects<T extends object>(value: T[] | undefined): T[] {
  return list(value).filter((item) => typeof item === "object" && item);
}

function blobIn(field: string, path: unknown): string {
  const digest = blobDigest(String(path));
  if (digest) return digest;
  throw new InputError(
    `${field} in manifest.json is ${shown(path)}, not a path below ` +
      "blobs/sha256/; ciso convert makes an isoc of such an archive",
  );
}

function digestIn(descriptor: Descriptor | undefined): string {
  const digest: unknown = descriptor?.digest;
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(String(digest)) ?? [];
  if (!hex) {
    throw new InputError(
      `A descriptor's digest is ${
        shown(digest)
      }, not sha256: and 64 hex digits`,
    );
  }
  return hex;
}
