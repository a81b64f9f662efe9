import { jsonText, parseJson } from "../formats/json_text.ts";
import { utf8 } from "../streams/bytes.ts";
import { bytesDigest } from "../streams/sha256.ts";
import { type FileSource, readBytes, readDocument } from "./image_files.ts";
import { skopeoVersion } from "./saved_forms.ts";
import { object, optional, Place, text } from "./shape.ts";

/** Files of an image, by their paths. */
interface Files {
  open(path: string): Promise<FileSource | undefined>;
  /** The path that links lead to from a path. */
  pathOf?(path: string): string;
  /** Whether they have been a `dir:` layout of skopeo. */
  readonly isSkopeo?: boolean;
}

const MANIFEST = object({ mediaType: optional(text) });

/** What a manifest is that does not say it. */
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** The documents that a `dir:` layout does not have, and where its blobs are. */
export interface SkopeoLayout {
  /** Texts of `oci-layout` and `index.json`. */
  documents: ReadonlyMap<string, string>;
  /**
   * The path of a file, given the one that an OCI image layout has for it; what
   * is no blob is not there.
   */
  pathOf(path: string): string | undefined;
}

/**
 * Sees a `dir:` layout of skopeo as an OCI image layout. All that reads OCI
 * layouts then reads these as well.
 *
 * @param files The files.
 * @returns `undefined` if they are no such layout.
 * @throws {InputError} If its manifest is no JSON, or comes twice.
 *
 * @see {@link https://github.com/containers/image/blob/main/docs/containers-transports.5.md}
 */
export async function skopeoLayout(
  files: Files,
): Promise<SkopeoLayout | undefined> {
  const version = await readDocument(files, "version");
  if (!skopeoVersion(version)) return undefined;
  const manifest = await readBytes(files, "manifest.json");
  if (manifest === undefined) return undefined;
  const name = "manifest.json";
  const { mediaType = OCI_MANIFEST } = MANIFEST(
    parseJson(name, new TextDecoder().decode(manifest)),
    new Place(name),
  );
  const digest = bytesDigest(manifest);
  const index = {
    schemaVersion: 2,
    manifests: [{
      mediaType,
      digest: `sha256:${digest}`,
      size: manifest.length,
    }],
  };
  // The other manifests of a list have names of their own.
  const known = new Map([[digest, name]]);
  for (const hex of digestsIn(manifest)) {
    const path = `${hex}.manifest.json`;
    if (!known.has(hex) && await files.open(path)) known.set(hex, path);
  }
  return {
    documents: new Map([
      ["oci-layout", jsonText({ imageLayoutVersion: "1.0.0" })],
      ["index.json", jsonText(index)],
    ]),
    pathOf(path) {
      const [, hex] = BLOB.exec(path) ?? [];
      return hex === undefined ? undefined : known.get(hex) ?? hex;
    },
  };
}

/** Manifests of a list at most. */
const MAX_MANIFESTS = 1000;

/** The digests that a list of manifests names. */
function digestsIn(manifest: Uint8Array): string[] {
  const document = new TextDecoder().decode(manifest);
  if (!/"manifests"\s*:/.test(document)) return [];
  const found = document.matchAll(/"sha256:([0-9a-f]{64})"/g);
  return [...found].slice(0, MAX_MANIFESTS).map(([, hex]) => hex!);
}

/**
 * The same files, and those of an OCI image layout if they are a `dir:` layout
 * of skopeo.
 */
export async function asOciLayout<F extends Files>(files: F): Promise<F> {
  const layout = await skopeoLayout(files);
  if (!layout) return files;
  const pathOf = (path: string) => {
    const own = layout.pathOf(path) ?? path;
    return files.pathOf?.(own) ?? own;
  };
  return {
    ...files,
    isSkopeo: true,
    pathOf,
    open(path: string) {
      const document = layout.documents.get(path);
      if (document !== undefined) {
        return Promise.resolve(new Blob([utf8(document).slice()]));
      }
      const own = layout.pathOf(path);
      return own === undefined ? Promise.resolve(undefined) : files.open(own);
    },
  };
}
