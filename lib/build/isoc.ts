import type { Face } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import type { Layer } from "../image/layer.ts";
import type { Zstd } from "./containerd_view.ts";
import type { PackLayer } from "./pack_layers.ts";
import type { LayerChange } from "../rootfs/layer_change.ts";

/** How an isoc is made. */
export interface ArchiveOptions {
  /**
   * The faces that the archive has; all of {@linkcode FACES} unless given.
   * Without
   * `appc`, `bundle` and `lxd` there is no rootfs/, and the archive is half as
   * large.
   */
  faces?: readonly Face[] | undefined;
  /** Puts nothing below rootfs/ that the input does not have. */
  pristine?: boolean | undefined;
  /** Take names that start with `.wh.` as ordinary files. */
  allowWhiteouts?: boolean | undefined;
  /** Take a rootfs even if it is an image that a tool has saved. */
  allowSavedImage?: boolean | undefined;
  /**
   * Bytes at most that sparse files may grow by when their holes are filled, as
   * they are below rootfs/; 32 GiB unless given.
   */
  maxUnpacked?: number | undefined;
  /**
   * Compresses the layers, which the faces docker and oci then have so; their diff
   * IDs stay those of the uncompressed tar. `packChunks` of `@isoc/isoc/node` does
   * it on all cores.
   */
  packLayer?: PackLayer | undefined;
  /**
   * Compresses with zstd, for the face `containerd`, which needs it;
   * `compressBlocks` of `@isoc/isoc/node` does it on all cores.
   */
  zstd?: Zstd | undefined;
  /**
   * How far back who compresses the archive looks, in bytes. If that is less than
   * the layers have, each layer comes amid its own files below rootfs/: then the
   * second copy of layers up to twice as long as the window costs nearly nothing.
   */
  window?: number | undefined;
  /** Gets the number of bytes that the scan has read since the last call. */
  onRead?: ((bytes: number) => void) | undefined;
}

/** A layer of an archive; its digest is the diff ID. */
export interface BuiltLayer extends Layer {
  /**
   * Why the layer is not the input byte for byte: each reason with the first path
   * that it is for, its bytes as the tar has them; a path of no bytes means the
   * whole archive. Empty when the layer is the input.
   */
  readonly changes: ReadonlyMap<LayerChange, Uint8Array>;
}

/** The image of one platform of an archive that has several. */
export interface BuiltPlatform {
  /** Operating system in Go's spelling, such as `linux`. */
  readonly os: string;
  /** Architecture in Go's spelling, such as `arm`. */
  readonly architecture: string;
  /** Variant of the architecture, such as `v7`. */
  readonly variant?: string | undefined;
  /** As {@linkcode Isoc.imageId}. */
  readonly imageId: string;
  /** As {@linkcode Isoc.manifestDigest}. */
  readonly manifestDigest: string;
  /** Its layers, lowest first. */
  readonly layers: readonly BuiltLayer[];
  /** Whether it has every face; the others are in the OCI face alone. */
  readonly isPrimary: boolean;
}

/** An archive that is ready to be streamed. */
export interface Isoc {
  /**
   * Size of the archive in bytes; of one with the face `containerd`, without the
   * zstd frame at its end.
   */
  readonly size: number;
  /** SHA-256 of the image config, which is the image's ID in Docker. */
  readonly imageId: string;
  /** SHA-256 of the OCI image manifest. */
  readonly manifestDigest: string;
  /** The image as described, with what the rootfs says. */
  readonly image: Image;
  /** Its layers, lowest first. */
  readonly layers: readonly BuiltLayer[];
  /**
   * The images of all platforms in the order of the image index, if there are
   * several. All else in here is about the primary one.
   */
  readonly platforms?: readonly BuiltPlatform[] | undefined;
  /** SHA-256 of the image index of several platforms. */
  readonly indexDigest?: string | undefined;
  /** What the user should know of, in sentences. */
  readonly notes: readonly string[];
  /** How many entries the input has. */
  readonly entries: number;
  /** The faces that the archive has. */
  readonly faces: readonly Face[];
  /**
   * The archive's bytes. Can be called again while the source is there; each
   * call reads the source anew, and fails if the source is not the same any more.
   */
  stream(): ReadableStream<Uint8Array>;
  /** Lets go of the copies that a spool has of its layers. */
  close(): void;
}
