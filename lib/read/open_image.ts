import { InputError } from "../errors/input_error.ts";
import { readAci } from "./aci_image.ts";
import { type ImageChoice, platformText, suits } from "./choose_image.ts";
import { readDocker } from "./docker_image.ts";
import { type ImageFiles, readDocument } from "./image_files.ts";
import { noImage } from "./no_image.ts";
import { readOci } from "./oci_image.ts";
import { readDockerManifest } from "./read_docker.ts";
import { readDockerV1 } from "./read_docker_v1.ts";
import { type Platform, readOciIndex } from "./read_oci.ts";
import { readTree } from "./read_tree.ts";
import { asOciLayout } from "./skopeo_layout.ts";
import type { StoredImage } from "./stored_image.ts";

/**
 * Reads an image: an isoc, what `docker save` of any age or `podman save`
 * writes, an OCI image layout, a `dir:` layout of skopeo, an ACI, a runtime
 * bundle, or an image of LXD or Incus. The digests of its documents are checked
 * here, those of its layers when they are read.
 *
 * @param files The image's files.
 * @param choice Which image to take, where there are several.
 * @returns Its layers, to be read, and what its documents say.
 * @throws {InputError} If it is not one of these, or its documents do not fit
 * together.
 */
export async function readImage(
  files: ImageFiles,
  choice: ImageChoice = {},
): Promise<StoredImage> {
  const image = await readAny(await asOciLayout(files), choice);
  const { os, architecture, variant } = image.base.fields;
  if (os === "windows") {
    throw new InputError(
      "It is an image for Windows, whose layers are no Linux root file " +
        "systems: save the image for Linux, if there is one",
    );
  }
  const { platform = {}, anyPlatform } = choice;
  const has: Platform = {
    ...(os && { os }),
    ...(architecture && { architecture }),
    ...(variant && { variant }),
  };
  if (!anyPlatform && !suits(has, platform)) {
    throw new InputError(
      `It is for ${platformText(has)}, not for ${platformText(platform)}; ` +
        "--force-platform says that it is for that platform all the same",
    );
  }
  return image;
}

async function readAny(
  files: ImageFiles,
  choice: ImageChoice,
): Promise<StoredImage> {
  const read = (path: string) => readDocument(files, path);
  const manifest = await read("manifest.json");
  const index = await files.open("oci-layout")
    ? await readDocument(files, "index.json")
    : undefined;
  if (index !== undefined) {
    const listed = readOciIndex(index);
    // Docker 25 writes an index without images beside a good manifest.json.
    if (listed.length > 0 || manifest === undefined) {
      return await readOci(files, listed, choice);
    }
  }
  if (manifest !== undefined) {
    return await readDocker(files, readDockerManifest(manifest), choice);
  }
  const appc = await read("manifest");
  if (appc !== undefined && (files.hasRootfs || files.openTree)) {
    return await readAci(files, appc);
  }
  const repositories = await read("repositories");
  const isV1 = [...files.top ?? []].some((name) => /^[0-9a-f]{64}$/.test(name));
  if (repositories !== undefined || isV1) {
    return await readDockerV1(files, repositories, choice);
  }
  const tree = await readTree(files);
  if (tree) return tree;
  throw await noImage(files);
}
