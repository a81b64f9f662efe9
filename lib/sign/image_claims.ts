import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import type { Face } from "../image/face.ts";
import type { FoundImage, FoundLayer } from "../inspect/found_image.ts";
import { openImageFile } from "../inspect/open_image_file.ts";
import { type FileSource, readBytes } from "../read/image_files.ts";
import { bytesDigest, sha256, sha512 } from "../streams/sha256.ts";
import { fromStream, release, type Source } from "../streams/source.ts";

/** A document of an image file. */
export interface DocumentClaim {
  path: string;
  /** Such as `sha256:…`. */
  digest: string;
}

/** An image of a file, by digests such as `sha256:…`. */
export interface ImageClaim {
  /** Names with tags. */
  names: string[];
  /** Such as `linux/amd64`. */
  platform?: string;
  /** The faces that have it. */
  faces: Face[];
  /** Its image manifest, by which registries and cosign name it. */
  manifest?: string;
  /** Its config: Docker's image ID. */
  config?: string;
  layers: {
    path: string;
    /** Of the layer's bytes as they are in the file, and uncompressed. */
    digest?: string;
    diffId?: string;
  }[];
}

/** What a signature says of an image file, beside the digest of its bytes. */
export interface ImageClaims {
  version: 1;
  images: ImageClaim[];
  /** Documents of each face. */
  faces: Partial<Record<Face, DocumentClaim[]>>;
  /** rkt's image ID: `sha512-` and the digest of the uncompressed archive. */
  aciId?: string;
}

/**
 * Lists what engines see of an image file, all digests computed anew.
 *
 * @param source The file, uncompressed.
 * @param onRead Gets the count of bytes as they are read.
 * @throws {InputError} If it is no image, or a document or a layer has another
 * digest than its image says.
 */
export async function imageClaims(
  source: Source,
  onRead: (bytes: number) => void = () => {},
): Promise<ImageClaims> {
  const opened = await openImageFile(source);
  const faces: ImageClaims["faces"] = {};
  for (const { path, faces: readers } of opened.documents.values()) {
    const bytes = await readBytes(opened.files, path);
    const digest = `sha256:${bytesDigest(bytes!)}`;
    checkBlob(path, digest);
    for (const face of readers) (faces[face] ??= []).push({ path, digest });
  }
  for (const documents of Object.values(faces)) {
    documents.sort((a, b) => a.path < b.path ? -1 : 1);
  }
  const layers = new Map<string, Promise<string>>();
  const images = [];
  for (const image of opened.images) {
    images.push(
      await imageClaim(image, faces, (layer) => {
        const digest = layers.get(layer.path) ??
          digestOf(layer.source!, onRead);
        layers.set(layer.path, digest);
        return digest;
      }),
    );
  }
  return {
    version: 1,
    images,
    faces,
    ...(opened.faces.includes("appc") &&
      { aciId: `sha512-${await wholeDigest(source, onRead)}` }),
  };
}

async function imageClaim(
  image: FoundImage,
  faces: ImageClaims["faces"],
  digestOf: (layer: FoundLayer) => Promise<string>,
): Promise<ImageClaim> {
  const { os, architecture, variant } = image.platform;
  const platform = [os, architecture, variant].filter((word) => word).join("/");
  const documents = Object.values(faces).flat();
  const digestAt = (path: string | undefined) =>
    documents.find((document) => document.path === path)?.digest;
  const layers = [];
  for (const layer of image.layers) {
    const { path, diffId } = layer;
    const digest = layer.source && await digestOf(layer);
    if (digest !== undefined) {
      checkBlob(path, digest);
      if (layer.digest !== undefined && layer.digest !== digest) {
        throw damaged(path, digest);
      }
    }
    layers.push({ path, ...(digest && { digest }), ...(diffId && { diffId }) });
  }
  const manifest = digestAt(image.manifest?.path);
  const config = digestAt(image.config?.path);
  return {
    names: image.names,
    ...(platform !== "" && { platform }),
    faces: image.faces,
    ...(manifest && { manifest }),
    ...(config && { config }),
    layers,
  };
}

/** Refuses a blob that is not what its name says. */
function checkBlob(path: string, digest: string): void {
  const [, hex] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path) ?? [];
  if (hex !== undefined && digest !== `sha256:${hex}`) {
    throw damaged(path, digest);
  }
}

function damaged(path: string, digest: string): InputError {
  return new InputError(
    `${shownWord(path)} is damaged: its digest is ${digest}; ciso verify ` +
      "tells more",
  );
}

async function digestOf(
  source: FileSource,
  onRead: (bytes: number) => void,
): Promise<string> {
  return `sha256:${await streamDigest(source, sha256(), onRead)}`;
}

async function wholeDigest(
  source: Source,
  onRead: (bytes: number) => void,
): Promise<string> {
  return await streamDigest(source, sha512(), onRead);
}

/** The digest of all bytes of a source, in hex. */
export async function streamDigest(
  source: Source,
  hash = sha256(),
  onRead: (bytes: number) => void = () => {},
): Promise<string> {
  for await (const chunk of fromStream(source.stream())) {
    hash.update(chunk);
    onRead(chunk.length);
    release(chunk);
  }
  return hash.hex();
}
