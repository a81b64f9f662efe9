import { concat, utf8 } from "./bytes.ts";
import { digestOf } from "./digest.ts";
import { appcManifest, type AppcOptions } from "./formats/appc.ts";
import { runtimeConfig, type RuntimeOptions } from "./formats/bundle.ts";
import { dockerManifest } from "./formats/docker.ts";
import { repositories, v1Json } from "./formats/docker_v1.ts";
import { jsonText } from "./formats/json_text.ts";
import type { Layer } from "./formats/layers.ts";
import { lxdMetadata } from "./formats/lxd.ts";
import { imageIndex, imageManifest, ociLayout } from "./formats/oci.ts";
import { imageConfig } from "./formats/oci_config.ts";
import type { Image } from "./image.ts";
import { rootHeader } from "./rewrite.ts";
import {
  DEFAULT_ARCHITECTURE,
  type ImageDescription,
  rootfsFacts,
} from "./rootfs_facts.ts";
import { sha256 } from "./runtime.ts";
import {
  changedLayer,
  ROOTFS,
  rootfsEntries,
  type Scan,
  scan,
} from "./scan.ts";
import { fromStream, type Source, toStream } from "./source.ts";
import { closing, type NewEntry, newHeader, padding } from "./tar/header.ts";
import type { LayerChange } from "./tree.ts";

/** How {@linkcode build} makes an archive. */
export interface BuildOptions {
  /**
   * `full` (the default) has a part for every engine; `classic` has the entries
   * of 2015 alone, which Docker 1.9 and older needs.
   */
  layout?: "full" | "classic";
  /** Puts nothing below rootfs/ that the input does not have. */
  pristine?: boolean;
  /** Take names that start with `.wh.` as ordinary files. */
  allowWhiteouts?: boolean;
  /** Is told how many more bytes of the input have been read by the scan. */
  onRead?: (bytes: number) => void;
}

/** An archive that is ready to be streamed. */
export interface Isoc {
  /** Size of the archive in bytes. */
  readonly size: number;
  /** SHA-256 of the image config, which is the image's ID in Docker. */
  readonly imageId: string;
  /** SHA-256 of the OCI image manifest. */
  readonly manifestDigest: string;
  /** The image as described, with what the rootfs told. */
  readonly image: Image;
  /** Its layer; the digest is the diff ID. */
  readonly layer: Layer;
  /**
   * Why the layer is not the input byte for byte, each reason with the first
   * path that it is for. Empty when the layer is the input.
   */
  readonly layerChanges: ReadonlyMap<LayerChange, string>;
  /** What the user should know of, in sentences. */
  readonly notes: readonly string[];
  /** How many entries the input has. */
  readonly entries: number;
  /**
   * The archive's bytes. Can be called again while the source is there; each
   * call reads the source anew, and fails if the source is not the same any more.
   */
  stream(): ReadableStream<Uint8Array>;
}

/** A piece of the archive: bytes at hand, or a stretch that is streamed. */
type Part = Uint8Array | {
  size: number;
  chunks: () => AsyncGenerator<Uint8Array>;
};

/**
 * Makes an isoc archive of a rootfs tar: one tar that Docker, podman,
 * containerd, skopeo, rkt, runc, LXD and Incus each take as their own image.
 *
 * The source is read once here, to check and hash it, and twice while the
 * archive is streamed: once for the files below `rootfs/`, once for the layer.
 * Memory stays flat whatever the size of the source.
 *
 * @param source The rootfs, as an uncompressed tar. A `Blob` will do.
 * @param description What the image says about itself and its command.
 * @returns The archive, its documents made and its size known, to be streamed.
 * @throws {TypeError} If the image description breaks a rule of a format.
 * @throws {SyntaxError} If the source is no tar, or holds what no rootfs may;
 * the message names the entry.
 *
 * @example
 * ```ts
 * import { build } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const { stdout } = await new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "."],
 * }).output();
 * const isoc = await build(new Blob([stdout]), {
 *   names: ["isoc/tests:1.0"],
 *   command: ["/bin/sh"],
 *   created: 0,
 * });
 * let size = 0;
 * for await (const chunk of isoc.stream()) size += chunk.length;
 * assert.equal(size, isoc.size);
 * ```
 */
export async function build(
  source: Source,
  description: ImageDescription,
  options: BuildOptions = {},
): Promise<Isoc> {
  // A wrong description is told before gigabytes are read.
  documents(
    {
      ...description,
      architecture: description.architecture ?? DEFAULT_ARCHITECTURE,
    },
    { digest: "0".repeat(64), size: 0 },
    { ids: { uid: 0, gid: 0 } },
  );
  const scanned = await scan(source, {
    mtime: description.created,
    allowWhiteouts: options.allowWhiteouts,
    onRead: options.onRead,
  });
  const facts = await rootfsFacts(scanned.tree, description);
  const image: Image = { ...description, architecture: facts.architecture };
  const { layer } = scanned;
  const { visible } = scanned;
  const texts = documents(image, layer, {
    ...facts,
    ...(visible && { visible }),
  });
  const imageId = await digestOf(texts.config);
  const manifest = jsonText(imageManifest(image, [layer], {
    digest: imageId,
    size: utf8(texts.config).length,
  }));
  const manifestDigest = await digestOf(manifest);
  const notes = [...facts.notes];
  if (visible === null) {
    notes.push(
      "rkt may hang on this image: the rootfs has character devices, and too " +
        "many files to list the others for it",
    );
  }
  const v1 = v1Place(scanned, options, notes);
  const archive = new Archive(image.created);
  if (options.layout === "classic") {
    archive.file("repositories", texts.repositories);
    archive.file("manifest", texts.appc);
    addV1(archive, v1, texts.v1, source, scanned, false);
    addRootfs(archive, source, scanned, image);
  } else {
    archive.file("manifest", texts.appc);
    archive.file("oci-layout", jsonText(ociLayout()));
    archive.file(
      "index.json",
      jsonText(imageIndex(image, {
        digest: manifestDigest,
        size: utf8(manifest).length,
      })),
    );
    archive.file(
      "manifest.json",
      jsonText(dockerManifest(image, [layer], imageId)),
    );
    archive.file("repositories", texts.repositories);
    archive.file("config.json", texts.runtime);
    archive.file("metadata.yaml", texts.lxd);
    archive.directory("blobs/");
    archive.directory("blobs/sha256/");
    archive.file(`blobs/sha256/${imageId}`, texts.config);
    archive.file(`blobs/sha256/${manifestDigest}`, manifest);
    addV1(archive, v1, texts.v1, source, scanned, true);
    addRootfs(archive, source, scanned, image);
    addLayer(archive, `blobs/sha256/${layer.digest}`, source, scanned);
  }
  archive.add(closing());
  return {
    size: archive.size,
    imageId,
    manifestDigest,
    image,
    layer,
    layerChanges: scanned.changes,
    notes,
    entries: scanned.tree.entries,
    stream: () => toStream(archive.chunks()),
  };
}

/** The documents that need no digest but the layer's. */
function documents(
  image: Image,
  layer: Layer,
  facts: RuntimeOptions & AppcOptions,
) {
  return {
    config: jsonText(imageConfig(image, [layer])),
    appc: jsonText(appcManifest(image, facts)),
    runtime: jsonText(runtimeConfig(image, facts)),
    lxd: jsonText(lxdMetadata(image)),
    v1: jsonText(v1Json(image, layer)),
    repositories: jsonText(repositories(image, layer.digest)),
  };
}

/** The directory of the Docker v1 part: rootfs/, or one of its own. */
function v1Place(scanned: Scan, options: BuildOptions, notes: string[]) {
  const own = `${scanned.layer.digest}/`;
  if (options.pristine) return own;
  for (const name of ["VERSION", "json", "layer.tar"]) {
    if (scanned.tree.index.find(utf8(name)) < 0) continue;
    notes.push(
      `The rootfs has a /${name} of its own, so the part for Docker before ` +
        `1.10 stands in ${own} instead of ${ROOTFS}`,
    );
    return own;
  }
  return ROOTFS;
}

/** The Docker v1 part: a directory with VERSION, json and layer.tar. */
function addV1(
  archive: Archive,
  place: string,
  json: string,
  source: Source,
  scanned: Scan,
  linked: boolean,
): void {
  if (place === ROOTFS) archive.add(rootfsHeader(scanned, archive.mtime));
  else archive.directory(place);
  archive.file(`${place}VERSION`, "1.0");
  archive.file(`${place}json`, json);
  const { digest } = scanned.layer;
  if (linked) {
    archive.symlink(`${place}layer.tar`, `../blobs/sha256/${digest}`);
  } else addLayer(archive, `${place}layer.tar`, source, scanned);
  if (place !== ROOTFS) archive.add(rootfsHeader(scanned, archive.mtime));
}

/** The entry of rootfs/ itself, with the metadata of the input's root. */
function rootfsHeader(scanned: Scan, mtime: number): Uint8Array {
  return rootHeader(scanned.tree, ROOTFS) ??
    newHeader({ path: ROOTFS, type: "directory", mtime });
}

function addRootfs(
  archive: Archive,
  source: Source,
  { tree, rootfsSize }: Scan,
  image: Image,
): void {
  archive.add({
    size: rootfsSize,
    chunks: () => rootfsEntries(source, tree, image.created),
  });
}

function addLayer(
  archive: Archive,
  path: string,
  source: Source,
  scanned: Scan,
): void {
  const { layer, tree, changes } = scanned;
  archive.entry({ path, type: "file", size: layer.size });
  archive.add({
    size: layer.size,
    // The digest is in the documents already, so these bytes must be the same.
    chunks: () =>
      verified(
        changes.size > 0
          ? changedLayer(source, tree, archive.mtime)
          : fromStream(source.stream()),
        layer.digest,
      ),
  });
  archive.add(padding(layer.size));
}

/** Passes chunks on and fails at their end if their SHA-256 is another one. */
async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  digest: string,
): AsyncGenerator<Uint8Array> {
  const hash = sha256();
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.hex() !== digest) {
    throw new Error("The input changed while it was read; try again");
  }
}

/** The archive in the making: parts in order, their sizes added up. */
class Archive {
  /** Size in bytes of all parts. */
  size = 0;
  readonly mtime: number;
  readonly #parts: Part[] = [];

  /** @param mtime Time of the entries that it makes, in seconds since 1970. */
  constructor(mtime: number) {
    this.mtime = Math.floor(mtime);
  }

  add(part: Part): void {
    this.size += "chunks" in part ? part.size : part.length;
    this.#parts.push(part);
  }

  entry(entry: NewEntry): void {
    this.add(newHeader({ mtime: this.mtime, ...entry }));
  }

  directory(path: string): void {
    this.entry({ path, type: "directory" });
  }

  symlink(path: string, link: string): void {
    this.entry({ path, type: "symlink", link });
  }

  file(path: string, text: string): void {
    const bytes = utf8(text);
    this.entry({ path, type: "file", size: bytes.length });
    this.add(bytes);
    this.add(padding(bytes.length));
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let small: Uint8Array[] = [];
    for (const part of this.#parts) {
      if (!("chunks" in part)) {
        small.push(part);
        continue;
      }
      if (small.length > 0) yield concat(small);
      small = [];
      let size = 0;
      for await (const chunk of part.chunks()) {
        size += chunk.length;
        yield chunk;
      }
      if (size !== part.size) {
        throw new Error("The input changed while it was read; try again");
      }
    }
    if (small.length > 0) yield concat(small);
  }
}
