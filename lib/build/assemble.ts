import { inputChanged } from "../errors/input_changed.ts";
import { Archive } from "./archive.ts";
import { utf8 } from "../streams/bytes.ts";
import { textDigest } from "../streams/sha256.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import { appcManifest, type AppcOptions } from "../formats/appc.ts";
import { runtimeConfig, type RuntimeOptions } from "../formats/bundle.ts";
import { dockerManifest } from "../formats/docker.ts";
import { repositories, v1Chain, v1Json } from "../formats/docker_v1.ts";
import { jsonText } from "../formats/json_text.ts";
import { keepsConfig } from "../read/kept_config.ts";
import type { Layer } from "../image/layer.ts";
import { lxdMetadata } from "../formats/lxd.ts";
import { imageIndex, imageManifest, ociLayout } from "../formats/oci.ts";
import { imageConfig } from "../formats/oci_config.ts";
import { type Face, FACES } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import type { BuildOptions, Isoc } from "./build.ts";
import type { LayerOutput, Stack } from "../rootfs/layer_stack.ts";
import { rootHeader } from "../rootfs/relocate.ts";
import { type ImageDescription, rootfsFacts } from "../rootfs/facts.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { rootfsEntries } from "../rootfs/scan.ts";
import { toStream } from "../streams/source.ts";
import { closing, newHeader, padding } from "../tar/header.ts";

/** The parts that take their files from below rootfs/. */
const ROOTFS_FACES: Face[] = ["appc", "bundle", "lxd"];

/**
 * Makes the documents and puts the archive together.
 *
 * Documents come first: whoever reads the archive as a stream then knows what
 * the rest is. rkt wants `manifest` to be the very first.
 */
export async function assemble(
  stack: Stack,
  description: ImageDescription,
  options: BuildOptions,
): Promise<Isoc> {
  const faces = new Set(options.faces ?? FACES);
  const facts = await rootfsFacts(stack.tree, description, faces.has("appc"));
  const image: Image = { ...description, architecture: facts.architecture };
  const { visible } = stack;
  const layers = stack.layers.map(({ layer }) => layer);
  const texts = documents(image, layers, {
    ...facts,
    ...(visible && { visible }),
  });
  const { baseConfig } = description;
  if (baseConfig !== undefined && keepsConfig(baseConfig, image, layers)) {
    texts.config = baseConfig;
  }
  const imageId = textDigest(texts.config);
  const manifest = jsonText(imageManifest(image, layers, {
    digest: imageId,
    size: utf8(texts.config).length,
  }));
  const manifestDigest = textDigest(manifest);
  const notes = [...facts.notes, ...stack.notes ?? []];
  if (visible === null) {
    notes.push(
      "rkt may hang on this image: the rootfs has character devices, and too " +
        "many files to list the others for it",
    );
  }
  const hasRootfs = ROOTFS_FACES.some((face) => faces.has(face));
  const hasBlobs = faces.has("docker") || faces.has("oci");
  const archive = new Archive(image.created);
  if (faces.has("appc")) archive.file("manifest", texts.appc);
  if (faces.has("oci")) {
    const size = utf8(manifest).length;
    const index = imageIndex(image, { digest: manifestDigest, size });
    archive.file("oci-layout", jsonText(ociLayout()));
    archive.file("index.json", jsonText(index));
  }
  if (faces.has("docker")) {
    const document = dockerManifest(image, layers, imageId);
    archive.file("manifest.json", jsonText(document));
  }
  if (faces.has("bundle")) archive.file("config.json", texts.runtime);
  if (faces.has("lxd")) {
    const document = lxdMetadata(image, { application: faces.has("bundle") });
    archive.file("metadata.yaml", jsonText(document));
  }
  if (hasBlobs) {
    archive.directory("blobs/");
    archive.directory("blobs/sha256/");
    archive.file(`blobs/sha256/${imageId}`, texts.config);
  }
  if (faces.has("oci")) {
    archive.file(`blobs/sha256/${manifestDigest}`, manifest);
  }
  if (hasRootfs) archive.add(rootfsHeader(stack, archive.mtime));
  if (faces.has("docker-v1")) {
    const parts = v1Parts(image, layers);
    const { id } = parts.at(-1)!;
    archive.file("repositories", jsonText(repositories(image, id)));
    const place = hasRootfs && !options.pristine
      ? v1Place(stack, id, notes)
      : `${id}/`;
    addV1(archive, place, parts, stack, hasBlobs);
  }
  if (hasRootfs) addRootfs(archive, stack);
  if (hasBlobs) {
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
    faces: FACES.filter((face) => faces.has(face)),
    stream: () => toStream(archive.chunks()),
  };
}

/** The documents that need no digest but the layers'. */
export function documents(
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
function v1Parts(image: Image, layers: Layer[]): V1Part[] {
  return v1Chain(layers.map(({ digest }) => digest)).map(
    ({ id, parent }, i) => {
      const json = { ...v1Json(image, layers[i]!, parent), id };
      return { id, json: jsonText(json) };
    },
  );
}

/** The directory of the newest v1 image: rootfs/, or one of its own. */
function v1Place(
  stack: Stack,
  id: string,
  notes: string[],
): string {
  const own = `${id}/`;
  if (stack.layers.length > 1) return own;
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
  { layer, chunks, isSteady }: LayerOutput,
): void {
  archive.entry({ path, type: "file", size: layer.size });
  archive.add({
    size: layer.size,
    // The digest is in the documents already, so these bytes must be the same.
    chunks: isSteady ? chunks : () =>
      digestChecked(
        chunks(),
        layer.digest,
        inputChanged().message,
      ),
  });
  archive.add(padding(layer.size));
}
