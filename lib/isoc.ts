import { concat, utf8 } from "./bytes.ts";
import { digestOf } from "./digest.ts";
import { appcManifest, type AppcOptions } from "./formats/appc.ts";
import { runtimeConfig, type RuntimeOptions } from "./formats/bundle.ts";
import { dockerManifest } from "./formats/docker.ts";
import { repositories, v1Json } from "./formats/docker_v1.ts";
import { jsonText } from "./formats/json_text.ts";
import type { Layer } from "./formats/layers.ts";
import {
  type LayerInput,
  type LayerOutput,
  readLayers,
  type Spool,
  type Stack,
} from "./layers.ts";
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
  scan,
  type ScanOptions,
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

/** A layer of an archive; its digest is the diff ID. */
export interface BuiltLayer extends Layer {
  /**
   * Why the layer is not the input byte for byte, each reason with the first
   * path that it is for. Empty when the layer is the input.
   */
  readonly changes: ReadonlyMap<LayerChange, string>;
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
  /** Its layers, lowest first. */
  readonly layers: readonly BuiltLayer[];
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
  checkDescription(description);
  const scanned = await scan(source, scanOptions(description, options));
  const { layer, changes, tree } = scanned;
  const { mtime } = scanOptions(description, options);
  return await assemble(
    {
      ...scanned,
      source,
      entries: tree.entries,
      layers: [{
        layer,
        changes,
        chunks: () =>
          changes.size > 0
            ? changedLayer(source, tree, mtime)
            : fromStream(source.stream()),
      }],
    },
    description,
    options,
  );
}

/**
 * Makes an isoc archive of several layers, as {@linkcode build} does of one
 * rootfs. The layers go into the archive as they are; below `rootfs/` stands
 * what they make together.
 *
 * @param inputs The layers, lowest first, each an uncompressed tar.
 * @param description What the image says about itself and its command.
 * @param spool Where a layer is kept that cannot stay as it is.
 * @returns The archive, to be streamed.
 * @throws {TypeError} If the image description breaks a rule of a format.
 * @throws {SyntaxError} If a layer is no tar, cannot be a layer, or is damaged.
 */
export async function buildLayers(
  inputs: LayerInput[],
  description: ImageDescription,
  spool: Spool,
  options: BuildOptions = {},
): Promise<Isoc> {
  if (inputs.length === 0) throw new TypeError("An image needs a layer");
  if (inputs.length > 1 && options.layout === "classic") {
    throw new TypeError("The classic layout holds one layer only");
  }
  checkDescription(description);
  const stack = await readLayers(
    inputs,
    scanOptions(description, options),
    spool,
  );
  return await assemble(stack, description, options);
}

/** Tells what is wrong with a description before gigabytes are read. */
function checkDescription(description: ImageDescription): void {
  documents(
    {
      ...description,
      architecture: description.architecture ?? DEFAULT_ARCHITECTURE,
    },
    [{ digest: "0".repeat(64), size: 0 }],
    { ids: { uid: 0, gid: 0 } },
  );
}

function scanOptions(
  { created }: ImageDescription,
  { allowWhiteouts, onRead }: BuildOptions,
): ScanOptions {
  return { mtime: created, allowWhiteouts, onRead };
}

/** Makes the documents and puts the archive together. */
async function assemble(
  stack: Stack,
  description: ImageDescription,
  options: BuildOptions,
): Promise<Isoc> {
  const facts = await rootfsFacts(stack.tree, description);
  const image: Image = { ...description, architecture: facts.architecture };
  const { visible } = stack;
  const layers = stack.layers.map(({ layer }) => layer);
  const texts = documents(image, layers, {
    ...facts,
    ...(visible && { visible }),
  });
  const imageId = await digestOf(texts.config);
  const manifest = jsonText(imageManifest(image, layers, {
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
  const v1 = await v1Parts(image, layers);
  const place = v1Place(stack, v1.at(-1)!.id, options, notes);
  const tags = jsonText(repositories(image, v1.at(-1)!.id));
  const archive = new Archive(image.created);
  if (options.layout === "classic") {
    archive.file("repositories", tags);
    archive.file("manifest", texts.appc);
    addV1(archive, place, v1, stack, false);
    addRootfs(archive, stack);
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
      jsonText(dockerManifest(image, layers, imageId)),
    );
    archive.file("repositories", tags);
    archive.file("config.json", texts.runtime);
    archive.file("metadata.yaml", texts.lxd);
    archive.directory("blobs/");
    archive.directory("blobs/sha256/");
    archive.file(`blobs/sha256/${imageId}`, texts.config);
    archive.file(`blobs/sha256/${manifestDigest}`, manifest);
    addV1(archive, place, v1, stack, true);
    addRootfs(archive, stack);
    const written = new Set<string>();
    for (const output of stack.layers) {
      const { digest } = output.layer;
      // Two layers can be the same, such as empty ones.
      if (!written.has(digest)) {
        addLayer(archive, `blobs/sha256/${digest}`, output);
      }
      written.add(digest);
    }
  }
  archive.add(closing());
  return {
    size: archive.size,
    imageId,
    manifestDigest,
    image,
    layers: stack.layers.map(({ layer, changes }) => ({ ...layer, changes })),
    notes,
    entries: stack.entries,
    stream: () => toStream(archive.chunks()),
  };
}

/** The documents that need no digest but the layers'. */
function documents(
  image: Image,
  layers: Layer[],
  facts: RuntimeOptions & AppcOptions,
) {
  return {
    config: jsonText(imageConfig(image, layers)),
    appc: jsonText(appcManifest(image, facts)),
    runtime: jsonText(runtimeConfig(image, facts)),
    lxd: jsonText(lxdMetadata(image)),
  };
}

/** A layer in the eyes of Docker before 1.10: an image with a parent. */
interface V1Part {
  id: string;
  json: string;
}

/** The chain of v1 images, lowest first. */
async function v1Parts(image: Image, layers: Layer[]): Promise<V1Part[]> {
  const parts: V1Part[] = [];
  for (const layer of layers) {
    const parent = parts.at(-1)?.id;
    // The same layer on another parent is another image.
    const id = parent
      ? await digestOf(`${parent} ${layer.digest}`)
      : layer.digest;
    const json = { ...v1Json(image, layer, parent), id };
    parts.push({ id, json: jsonText(json) });
  }
  return parts;
}

/** The directory of the newest v1 image: rootfs/, or one of its own. */
function v1Place(
  stack: Stack,
  id: string,
  options: BuildOptions,
  notes: string[],
): string {
  const own = `${id}/`;
  if (options.pristine || stack.layers.length > 1) return own;
  for (const name of ["VERSION", "json", "layer.tar"]) {
    if (stack.tree.index.find(utf8(name)) < 0) continue;
    notes.push(
      `The rootfs has a /${name} of its own, so the part for Docker before ` +
        `1.10 stands in ${own} instead of ${ROOTFS}`,
    );
    return own;
  }
  return ROOTFS;
}

/** The Docker v1 part: a directory with VERSION, json and layer.tar a layer. */
function addV1(
  archive: Archive,
  place: string,
  parts: V1Part[],
  stack: Stack,
  linked: boolean,
): void {
  if (place === ROOTFS) archive.add(rootfsHeader(stack, archive.mtime));
  for (const [i, { id, json }] of parts.entries()) {
    const directory = i < parts.length - 1 ? `${id}/` : place;
    if (directory !== ROOTFS) archive.directory(directory);
    archive.file(`${directory}VERSION`, "1.0");
    archive.file(`${directory}json`, json);
    const output = stack.layers[i]!;
    if (linked) {
      archive.symlink(
        `${directory}layer.tar`,
        `../blobs/sha256/${output.layer.digest}`,
      );
    } else addLayer(archive, `${directory}layer.tar`, output);
  }
  if (place !== ROOTFS) archive.add(rootfsHeader(stack, archive.mtime));
}

/** The entry of rootfs/ itself, with the metadata of the input's root. */
function rootfsHeader({ tree }: Stack, mtime: number): Uint8Array {
  return rootHeader(tree, ROOTFS) ??
    newHeader({ path: ROOTFS, type: "directory", mtime });
}

function addRootfs(
  archive: Archive,
  { source, tree, rootfsSize }: Stack,
): void {
  archive.add({
    size: rootfsSize,
    chunks: () => rootfsEntries(source, tree, archive.mtime),
  });
}

function addLayer(
  archive: Archive,
  path: string,
  { layer, chunks }: LayerOutput,
): void {
  archive.entry({ path, type: "file", size: layer.size });
  archive.add({
    size: layer.size,
    // The digest is in the documents already, so these bytes must be the same.
    chunks: () => verified(chunks(), layer.digest),
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
