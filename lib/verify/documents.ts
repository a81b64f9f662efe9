import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { Face } from "../image/face.ts";
import { withPlatform } from "../read/choose_image.ts";
import { readConfig } from "../read/read_config.ts";
import type { Platform } from "../read/read_oci.ts";
import { rootfsPlatform } from "../read/rootfs_platform.ts";
import type { Archive } from "./archive_files.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import { readDockerImages } from "./docker_images.ts";
import type { FaceImage, LayerRef, Named } from "./face_image.ts";
import { readOciImages } from "./oci_images.ts";
import { APPC_MANIFEST, LXD_METADATA, RUNTIME_CONFIG } from "./schemas.ts";
import { isObject, type Json } from "./shape.ts";
import { readV1Images, type V1Images } from "./v1_documents.ts";

/** All documents of an archive. */
export interface Documents {
  faces: Set<Face>;
  docker: FaceImage[];
  oci: FaceImage[];
  v1: V1Images | undefined;
  appc: Document | undefined;
  bundle: Document | undefined;
  lxd: Document | undefined;
  /** The account files of the tree below rootfs/; nothing if not known. */
  accounts?: { passwd: string; group: string } | undefined;
  /** Paths that documents name. */
  named: Named;
  /** The image that all faces have to be of; of several platforms the primary. */
  image: FaceImage | undefined;
  /** Layers of the image that rootfs/ must have the files of, lowest first. */
  primary: LayerRef[] | undefined;
}

/** What else reading the documents needs. */
export interface DocumentOptions {
  /** The archive, where the image is one. */
  archive?: Archive;
  /** Whether a directory has a rootfs/; of an archive it says so itself. */
  hasRootfs?: boolean;
  /** Reads YAML. */
  parseYaml: (text: string) => unknown;
}

/** Reads all documents, and checks each of them alone. */
export async function readDocuments(
  reader: DocumentReader,
  { archive, parseYaml, ...given }: DocumentOptions,
): Promise<Documents> {
  const named: Named = new Set();
  const docker = await readDockerImages(reader, named);
  const oci = await readOciImages(reader, named);
  const v1 = await readV1Images(reader, named);
  const hasRootfs = given.hasRootfs ?? archive?.rootfs !== undefined;
  const appc = await rootfsDocument(reader, "manifest", hasRootfs, {
    rule: "appc-schema",
    shape: APPC_MANIFEST,
  });
  const bundle = await readBundle(reader, hasRootfs);
  const lxd = await rootfsDocument(reader, "metadata.yaml", hasRootfs, {
    rule: "lxd-schema",
    shape: LXD_METADATA,
    parse: parseYaml,
  });
  const { files } = reader;
  const faces = new Set<Face>();
  if (appc) faces.add("appc");
  if (await files.open("manifest.json")) faces.add("docker");
  if (v1) faces.add("docker-v1");
  if (await files.open("index.json") || await files.open("oci-layout")) {
    faces.add("oci");
  }
  if (bundle) faces.add("bundle");
  if (lxd) faces.add("lxd");
  await checkPlaces(reader);
  const found = { faces, docker, oci, v1, appc, bundle, lxd, named };
  const image = await primaryOf(found);
  const primary = image?.layers ?? v1?.images[0]?.layers;
  return { ...found, image, primary };
}

/**
 * The image that all faces have to be of: the first of manifest.json, or else of
 * several platforms the one that the other faces are for.
 */
async function primaryOf(
  { docker, oci, v1, appc, bundle, lxd }: Omit<Documents, "image" | "primary">,
): Promise<FaceImage | undefined> {
  if (docker.length > 0 || oci.length < 2) return docker[0] ?? oci[0];
  const texts = new Map([
    ["manifest", appc?.text],
    ["config.json", bundle?.text],
    ["metadata.yaml", lxd?.text],
  ]);
  const platform = await rootfsPlatform((path) => texts.get(path)) ??
    platformIn(v1?.images[0]?.json.text);
  const [image] = platform
    ? withPlatform(
      oci.map((image) => ({
        image,
        platform: platformIn(image.config.text) ?? {},
      })),
      platform,
    )
    : [];
  return image?.image ?? oci[0];
}

/** The platform that an image config says; nothing if it cannot be read. */
function platformIn(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  try {
    const { os, architecture, variant } = readConfig(text).fields;
    return { os, architecture, variant };
  } catch (error) {
    // Other rules tell of it.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Reads a document of a face that has its files below rootfs/. */
async function rootfsDocument(
  reader: DocumentReader,
  path: string,
  hasRootfs: boolean,
  wanted: Parameters<DocumentReader["read"]>[1],
): Promise<Document | undefined> {
  const document = await reader.read(path, wanted);
  if (document && !hasRootfs && path !== "metadata.yaml") {
    reader.findings.add("face-incomplete", shown(path), "there is no rootfs/");
  }
  return document;
}

/** Reads a bundle's config.json; image archives have others of that name. */
async function readBundle(
  reader: DocumentReader,
  hasRootfs: boolean,
): Promise<Document | undefined> {
  const path = "config.json";
  const probe = await reader.read(path, {
    rule: "bundle-version",
    shape: () => {},
  });
  const value = probe?.value;
  const isBundle = isObject(value)
    ? "ociVersion" in value || hasRootfs
    : hasRootfs;
  if (!probe || !isBundle) return undefined;
  const document = await reader.read(path, {
    rule: "bundle-schema",
    shape: RUNTIME_CONFIG,
  });
  const { ociVersion, root } = (document?.value ?? {}) as Json;
  if (ociVersion !== "1.0.0" && document?.isGood) {
    reader.findings.add(
      "bundle-version",
      shown(path),
      `it is ${shown(ociVersion)}`,
    );
  }
  if (document?.isGood && isObject(root)) {
    const directory = String(root.path).replace(/^\.\//, "").replace(/\/$/, "");
    if (directory !== "rootfs" || !hasRootfs) {
      reader.findings.add(
        "face-incomplete",
        shown(path),
        `its root file system is in ${
          shown(String(root.path))
        }, which is not there`,
      );
    }
  }
  return document;
}

const PLACES = [
  ...["manifest", "oci-layout", "index.json", "manifest.json"],
  ...["repositories", "config.json", "metadata.yaml"],
];

/** Checks that no document is a link. */
async function checkPlaces(reader: DocumentReader): Promise<void> {
  for (const path of PLACES) {
    const file = await reader.files.open(path);
    if (file && file.links > 0) {
      reader.findings.add("document-place", shown(path), "it is a link");
    }
  }
}
