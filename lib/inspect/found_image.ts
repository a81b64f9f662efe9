import { shownWord } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import type { Face } from "../image/face.ts";
import {
  type FileSource,
  type ImageFiles,
  readDocument,
} from "../read/image_files.ts";
import {
  type Json,
  listOfTexts,
  objectOf,
  textOf,
} from "../read/json_values.ts";

/** A layer of an image, as the documents name it. */
export interface FoundLayer {
  /** Where it is in the image file; `rootfs/` for a tree that is no layer. */
  path: string;
  /**
   * Its bytes as they are there; `undefined` if the file does not have them.
   */
  source?: FileSource;
  /** Digest of these bytes and of the uncompressed ones, as they are written. */
  digest?: string;
  diffId?: string;
  mediaType?: string;
  /** Size of the bytes as the documents say it. */
  size?: number;
}

/** An image that the documents of an image file describe. */
export interface FoundImage {
  /** The faces that describe it. */
  faces: Face[];
  /** Names with tags, and tags where there is no more. */
  names: string[];
  platform: {
    os?: string | undefined;
    architecture?: string | undefined;
    variant?: string | undefined;
  };
  /** Digest of its image manifest, where it has one. */
  digest?: string;
  /** Its image config (of Docker v1 its json): path and text. */
  config?: Document | undefined;
  /** Its OCI image manifest. */
  manifest?: Document;
  layers: FoundLayer[];
  /** Whether it has layers; an image without any is the tree in `rootfs/`. */
  layered: boolean;
}

/** The files of an image file, in a tar or in a directory. */
export interface OpenFiles
  extends Pick<ImageFiles, "top" | "rootfsIn" | "folders"> {
  /** A file's bytes, links followed; `undefined` if there is no such file. */
  open(path: string): Promise<FileSource | undefined>;
  /** The path that links lead to from a path. */
  pathOf(path: string): string;
  /** Of a directory: the tree below a path of it, as a tar. */
  openTree?(path: string): Promise<FileSource | undefined>;
  /** Whether it is a `dir:` layout of skopeo, seen as an OCI image layout. */
  readonly isSkopeo?: boolean;
}

/** A document of an image file. */
export interface Document {
  /** Where it is. */
  path: string;
  /** The faces that read it. */
  faces: Face[];
  text: string;
}

/** Images of one face at most. */
export const MAX_IMAGES = 1000;

/** Notes at most. */
const MAX_NOTES = 100;

/** Reads the documents of an image file, and remembers them. */
export class DocumentReader {
  /** All that have been read, by path. */
  readonly documents = new Map<string, Document>();
  /** What is wrong with them, in sentences. */
  readonly notes: string[] = [];
  readonly #files: OpenFiles;

  constructor(files: OpenFiles) {
    this.#files = files;
  }

  /** A document, for a face that reads it; `undefined` if there is no such. */
  async read(path: string, face: Face): Promise<Document | undefined> {
    const known = this.documents.get(path);
    if (known) {
      if (!known.faces.includes(face)) known.faces.push(face);
      return known;
    }
    const text = await readDocument(this.#files, path);
    if (text === undefined) return undefined;
    const document = { path, faces: [face], text };
    this.documents.set(path, document);
    return document;
  }

  /** A document's JSON; adds a note if it is not JSON. */
  parse(document: Document | undefined): unknown {
    if (!document) return undefined;
    try {
      return parseJson(shownWord(document.path), document.text);
    } catch (error) {
      const note = (error as Error).message;
      if (!this.notes.includes(note)) this.note(note);
      return undefined;
    }
  }

  /** Takes a note; of very many, only the first ones. */
  note(text: string): void {
    if (this.notes.length < MAX_NOTES) this.notes.push(text);
    else if (this.notes.length === MAX_NOTES) {
      this.notes.push("There is more to note than is shown here");
    }
  }

  /** A layer of the image at a path. */
  async layer(path: string): Promise<Pick<FoundLayer, "path" | "source">> {
    const source = await this.#files.open(path);
    return { path: this.#files.pathOf(path), ...(source && { source }) };
  }
}

/** The path of the blob that a descriptor names, or `undefined`. */
export function blobPath(descriptor: Json): string | undefined {
  const [, algorithm, hex] = /^(sha256|sha512):([0-9a-f]{32,128})$/.exec(
    textOf(descriptor.digest) ?? "",
  ) ??
    [];
  return hex && `blobs/${algorithm}/${hex}`;
}

/** What an image config says of the image's platform and diff IDs. */
export function configFacts(
  value: unknown,
): { platform: FoundImage["platform"]; diffIds: string[] } {
  const config = objectOf(value);
  return {
    platform: platformOf(config),
    diffIds: listOfTexts(objectOf(config.rootfs).diff_ids),
  };
}

/** The members of an object that name a platform. */
export function platformOf(value: Json): FoundImage["platform"] {
  const os = textOf(value.os);
  const architecture = textOf(value.architecture);
  const variant = textOf(value.variant);
  return {
    ...(os && { os }),
    ...(architecture && { architecture }),
    ...(variant && { variant }),
  };
}

/** The digest in the image config's path: no other one is known. */
export function configDigest({ config }: FoundImage): string | undefined {
  const [, hex] = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(
    config?.path ?? "",
  ) ?? [];
  return hex && `sha256:${hex}`;
}
