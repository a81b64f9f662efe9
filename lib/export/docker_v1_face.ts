import { shownWord } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { ascii, concat } from "../streams/bytes.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import {
  repositories,
  v1Chain,
  v1Json,
  type V1Link,
} from "../formats/docker_v1.ts";
import { jsonText, parseJson } from "../formats/json_text.ts";
import type { Entry } from "../tar/entry.ts";
import { closing, newHeader } from "../tar/header.ts";
import { blobDigest } from "./document_texts.ts";
import type { Documents } from "./documents.ts";
import { imageOf } from "./image_of.ts";
import type { FaceEntries } from "./face_entries.ts";
import { type Fate, KEEP, moved, type Passing } from "./pass.ts";
import { plainLayers } from "./plain_layers.ts";
import {
  directoryEntry,
  fileEntry,
  hardLinkEntry,
} from "../tar/small_entries.ts";
import { FaceMissingError } from "./face_missing_error.ts";

const FILE = /^(rootfs\/|[0-9a-f]{64}\/)(VERSION|json|layer\.tar)$/;

/**
 * The face `docker-v1`, as Docker 1.9 and older take it: a directory for each
 * layer, named by the ID of its image, with `layer.tar` as a file, and nothing
 * else at the top but `repositories`.
 *
 * What is in `rootfs/` moves to the ID's directory: from 1.10 on Docker gives
 * a name only to an image that is there.
 */
export class DockerV1Face implements FaceEntries {
  readonly #documents: Documents;
  readonly #id: string;
  /** Where the archive has its own face `docker-v1`. */
  readonly #place: string | undefined;
  /** Images whose layers are blobs, by the blobs' digests. */
  readonly #byDigest = new Map<string, V1Link[]>();
  /** Images whose documents are to be made. */
  readonly #made: V1Link[] = [];
  readonly #written = new Set<string>();
  readonly #sizes = new Map<string, number>();

  constructor(documents: Documents) {
    this.#documents = documents;
    const { v1, links } = documents;
    if (v1) {
      this.#id = v1.id;
      this.#place = v1.place;
      for (const [directory, digest] of links) {
        const id = directory === ROOTFS ? v1.id : directory.slice(0, -1);
        if (directory === ROOTFS && v1.place !== ROOTFS) continue;
        this.#add({ id, digest });
      }
      return;
    }
    this.#made = v1Chain(plainLayers(documents) ?? []);
    for (const image of this.#made) this.#add(image);
    this.#id = this.#made.at(-1)?.id ?? "";
  }

  #add(image: V1Link): void {
    const { digest } = image;
    this.#byDigest.set(digest, [...this.#byDigest.get(digest) ?? [], image]);
  }

  take(path: string, passing: Passing): Fate | undefined {
    const { entry } = passing;
    const images = this.#byDigest.get(blobDigest(path) ?? "");
    if (images) return this.#layer(path, entry, images);
    if (this.#place === undefined) return undefined;
    if (path === "repositories") {
      this.#written.add(path);
      return KEEP;
    }
    const [, directory, name] = FILE.exec(path) ?? [];
    if (!directory) return undefined;
    if (directory === ROOTFS && this.#place !== ROOTFS) return undefined;
    const id = directory === ROOTFS ? this.#id : directory.slice(0, -1);
    const place = `${id}/${name}`;
    // Of a link to a blob, the layer comes with the blob.
    if (entry.kind === "symlink" || entry.kind === "hardlink") return undefined;
    if (entry.kind !== "file" || entry.sparse) {
      throw new FaceMissingError(
        `${shownWord(path)} is no plain file; ciso convert takes such archives`,
      );
    }
    const before = this.#directory(id);
    this.#written.add(place);
    if (name === "json") {
      return {
        before,
        header: new Uint8Array(0),
        data: "none",
        onEnd: () => this.#json(path, place, id),
      };
    }
    if (name === "VERSION") {
      return { before, header: moved(passing, ascii(place)), data: "padded" };
    }
    this.#sizes.set(id, entry.size);
    return {
      before,
      header: this.#layerHeader(id, entry.size),
      data: "padded",
      // Of several layers only the lowest one's ID is its digest.
      ...(directory === this.#place && this.#byDigest.size === 0 &&
        !this.#hasParent(directory) && { claim: { path, digest: id } }),
    };
  }

  end(): Uint8Array[] {
    const { mtime = 0 } = this.#documents;
    const made: Uint8Array[] = [];
    const file = (path: string, text: () => string) => {
      if (this.#written.has(path)) return;
      this.#written.add(path);
      made.push(fileEntry(path, text(), mtime));
    };
    for (const [digest, images] of this.#byDigest) {
      if (!this.#written.has(`${images[0]!.id}/layer.tar`)) {
        throw new InputError(`blobs/sha256/${digest} is missing`);
      }
    }
    if (!this.#written.has(`${this.#id}/layer.tar`)) {
      throw new FaceMissingError(
        "The archive holds no layer; ciso convert makes an isoc of it that does",
      );
    }
    const images = this.#place === undefined
      ? this.#made
      : [{ id: this.#id, digest: this.#id }];
    for (const { id, digest, parent } of images) {
      file(`${id}/VERSION`, () => "1.0");
      file(`${id}/json`, () => {
        const size = this.#sizes.get(id) ?? 0;
        const image = imageOf(this.#documents);
        return jsonText({ ...v1Json(image, { digest, size }, parent), id });
      });
    }
    file(
      "repositories",
      () => jsonText(repositories(imageOf(this.#documents), this.#id)),
    );
    return [...made, closing()];
  }

  #layer(path: string, entry: Entry, images: V1Link[]): Fate {
    const [first, ...others] = images as [V1Link, ...V1Link[]];
    const place = `${first.id}/layer.tar`;
    if (this.#written.has(place)) {
      throw new InputError(
        `${shownWord(path)} is in the archive twice; ciso convert mends that`,
      );
    }
    this.#written.add(place);
    for (const { id } of images) this.#sizes.set(id, entry.size);
    return {
      before: this.#directory(first.id),
      header: this.#layerHeader(first.id, entry.size),
      data: "padded",
      claim: { path, digest: first.digest },
      onEnd: () =>
        concat(others.map(({ id }) => {
          this.#written.add(`${id}/layer.tar`);
          const link = hardLinkEntry(`${id}/layer.tar`, place, this.#mtime);
          return concat([this.#directory(id), link]);
        })),
    };
  }

  get #mtime(): number {
    return this.#documents.mtime ?? 0;
  }

  #layerHeader(id: string, size: number): Uint8Array {
    const path = `${id}/layer.tar`;
    return newHeader({ path, type: "file", size, mtime: this.#mtime });
  }

  /** The entry for an image's directory, once. */
  #directory(id: string): Uint8Array {
    if (this.#written.has(`${id}/`)) return new Uint8Array(0);
    this.#written.add(`${id}/`);
    return directoryEntry(`${id}/`, this.#mtime);
  }

  #hasParent(directory: string): boolean {
    return this.#documents.v1Link(`${directory}json`)?.parent !== undefined;
  }

  /** The json of an image, with the ID of its directory in it. */
  #json(path: string, place: string, id: string): Uint8Array {
    const text = this.#documents.texts.get(path)!;
    const right = this.#documents.v1Link(path)?.id === id
      ? text
      : jsonText({ ...(parseJson(path, text) as object), id });
    return fileEntry(place, right, this.#mtime);
  }
}
