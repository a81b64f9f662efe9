import type { Face } from "../image/face.ts";
import type { Distribution, Package } from "../packages/package.ts";
import type { Compression } from "../streams/compression.ts";
import type { ByteShare } from "./byte_shares.ts";
import type { NodeType } from "./file_tree.ts";
import type { FoundImage } from "./found_image.ts";
import type { ImageFacts } from "./image_facts.ts";
import type { ReadLayer } from "./layer_tars.ts";
import type { PathText } from "./path_text.ts";

/** The version of the shape of {@linkcode InspectReport}. */
export const REPORT_VERSION = 1;

/** What kind of image file it is, by the faces that it has. */
export type FileKind =
  | "isoc"
  | "docker-archive"
  | "docker-v1-archive"
  | "oci-layout"
  | "skopeo-dir"
  | "aci"
  | "lxd"
  | "bundle"
  | "several-faces";

/** A layer, as {@linkcode InspectReport} has it. */
export interface LayerReport extends ReadLayer {
  /** Counted from 1, the lowest layer first. */
  number: number;
  /** Where it is in the image file. */
  path: string;
  digest?: string;
  diffId?: string;
  mediaType?: string;
  /** The command that made it, and when, where the history says so. */
  createdBy?: string;
  created?: string;
}

/** An image among those of a file. */
export interface ImageSummary {
  names: string[];
  platform: FoundImage["platform"];
  faces: Face[];
  digest?: string;
  layers: number;
  /** Whether the report is about this one. */
  chosen: boolean;
}

/** What `ciso inspect --json` prints; docs/inspect.md describes it. */
export interface InspectReport {
  version: typeof REPORT_VERSION;
  file: {
    name: string;
    kind: FileKind;
    /** Size in bytes, uncompressed; of a directory, of the files named in it. */
    size: number;
    /** What was taken off the whole file. */
    compression?: Compression;
  };
  faces: { name: Face; bytes: number; documents: string[] }[];
  bytes: {
    shares: ByteShare[];
    /** Bytes of files that are in `rootfs/` and in a layer. */
    twice: number;
    /** Bytes of files that later layers replace or delete. */
    wasted: number;
  };
  images: ImageSummary[];
  image: Omit<ImageFacts, "notes"> & {
    /** Digest of the image manifest, and of the image config. */
    digest?: string;
    id?: string;
    layers: LayerReport[];
  };
  tree: {
    types: Partial<Record<NodeType, number>>;
    bytes: number;
    largestFiles: (PathText & { bytes: number; layer: number })[];
    largestDirectories: (PathText & { bytes: number; files: number })[];
  };
  /** What the image's os-release says. */
  distribution?: Distribution;
  /** Its packages, in the order of their types and names. */
  packages?: Omit<Package, "files">[];
  notes: string[];
}
