import { parseJson } from "../formats/json_text.ts";
import type { FileSource, ImageFiles } from "../read/image_files.ts";
import { utf8 } from "../streams/bytes.ts";
import { toStream } from "../streams/source.ts";
import type { RegistryClient } from "./client.ts";
import { downloadBlob, type DownloadOptions } from "./download.ts";
import { getManifest, MEDIA, type StoredManifest } from "./manifest.ts";
import { DIGEST, formatReference, type Reference } from "./reference.ts";

/** How an image is pulled. */
export interface RemoteOptions {
  /** Gets the number of bytes that have come. */
  onBytes?: ((count: number) => void) | undefined;
}

/** A descriptor's fields as they are used here; any may be something else. */
interface Descriptor {
  digest?: unknown;
  size?: unknown;
}

/** More than this in one document is no image's. */
const MAX_DESCRIPTORS = 100_000;

/**
 * An image in a registry, seen as an OCI image layout: its files are fetched
 * when they are read. All that reads image files reads registries so.
 *
 * @param client The registry.
 * @param reference The image.
 * @param options What gets the progress.
 * @throws {InputError} If there is no such image.
 */
export async function remoteFiles(
  client: RegistryClient,
  reference: Reference,
  options: RemoteOptions = {},
): Promise<ImageFiles> {
  const { repository } = reference;
  const top = await getManifest(client, reference);
  const manifests = new Map<string, StoredManifest | undefined>();
  const sizes = new Map<string, number>();
  const learn = (manifest: StoredManifest) => {
    manifests.set(manifest.digest, manifest);
    const document = parse(manifest);
    for (const { digest } of list(document.get("manifests"))) {
      if (isDigest(digest) && !manifests.has(digest)) {
        manifests.set(digest, undefined);
      }
    }
    const blobs = list(document.get("layers"));
    for (
      const { digest, size } of [...blobs, document.get("config")].map(Object)
    ) {
      if (isDigest(digest) && Number.isSafeInteger(size) && size >= 0) {
        sizes.set(digest, size);
      }
    }
  };
  learn(top);
  const texts = new Map([
    ["oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })],
    ["index.json", JSON.stringify(indexOf(top, reference))],
  ]);
  return {
    hasRootfs: false,
    async open(path) {
      const text = texts.get(path);
      if (text !== undefined) return inMemory(utf8(text));
      const [, hex] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path) ?? [];
      if (hex === undefined) return undefined;
      const digest = `sha256:${hex}`;
      if (manifests.has(digest)) {
        if (!manifests.get(digest)) {
          learn(await getManifest(client, { ...reference, digest }));
        }
        return inMemory(manifests.get(digest)!.bytes);
      }
      const size = sizes.get(digest);
      if (size === undefined) return undefined;
      return remoteBlob(client, repository, { digest, size }, options);
    },
  };
}

/** A blob of a registry, as a source. */
function remoteBlob(
  client: RegistryClient,
  repository: string,
  blob: { digest: string; size: number },
  { onBytes }: RemoteOptions,
): FileSource {
  async function* read(
    start: number,
    end: number,
    options: DownloadOptions = {},
  ) {
    const range = { ...blob, start, end };
    const chunks = downloadBlob(client, repository, range, options);
    for await (const chunk of chunks) {
      onBytes?.(chunk.length);
      yield chunk;
    }
  }
  const { size } = blob;
  return {
    size,
    checked: blob.digest.slice("sha256:".length),
    stream: () => toStream(read(0, size)),
    lent: (hash) => read(0, size, { isLent: true, hash }),
    slice: (start, end) => ({
      stream: () => toStream(read(Math.min(start, size), Math.min(end, size))),
    }),
  };
}

function inMemory(bytes: Uint8Array): FileSource {
  return new Blob([bytes.slice()]);
}

/** The `index.json` of a layout that has this one image, by its name. */
function indexOf(top: StoredManifest, reference: Reference) {
  return {
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [{
      mediaType: top.mediaType,
      digest: top.digest,
      size: top.bytes.length,
      ...(reference.tag !== undefined && {
        annotations: {
          "io.containerd.image.name": formatReference({
            registry: reference.registry,
            repository: reference.repository,
            tag: reference.tag,
          }),
        },
      }),
    }],
  };
}

function parse({ digest, bytes }: StoredManifest): Map<string, unknown> {
  const text = new TextDecoder().decode(bytes);
  const document = parseJson(`The manifest ${digest}`, text);
  return new Map(Object.entries(Object(document)));
}

function list(value: unknown): Descriptor[] {
  return Array.isArray(value)
    ? value.slice(0, MAX_DESCRIPTORS).map((one) => Object(one))
    : [];
}

function isDigest(value: unknown): value is string {
  return typeof value === "string" && DIGEST.test(value);
}
