import { DescriptionError } from "../errors/description_error.ts";
import type { Face } from "../image/face.ts";
import type { LayerBlob } from "../image/layer.ts";
import type { LayerOutput } from "../rootfs/layer_stack.ts";
import { fromStream, type Source } from "../streams/source.ts";

/** A layer that has been compressed, to be read as often as needed. */
export interface PackedBlob extends LayerBlob {
  /** The compressed bytes. */
  source: Source;
}

/** Compresses a layer and spools it. */
export type PackLayer = (
  chunks: AsyncGenerator<Uint8Array>,
) => Promise<PackedBlob>;

/** What compressed layers mean for the faces of an archive. */
export interface PackedFaces {
  faces: readonly Face[];
  /** What the user should know of, in sentences. */
  notes: string[];
}

/**
 * Compresses layers, for the archive and for the documents that name them.
 *
 * @param pack How; nothing happens unless given.
 */
export async function packLayers(
  layers: LayerOutput[],
  pack: PackLayer | undefined,
): Promise<void> {
  if (!pack) return;
  const known = new Map<string, PackedBlob>();
  for (const output of layers) {
    const { digest } = output.layer;
    const packed = known.get(digest) ?? await pack(output.chunks());
    known.set(digest, packed);
    const { source, digest: blob, size, compression } = packed;
    output.layer = {
      ...output.layer,
      blob: { digest: blob, size, compression },
    };
    output.chunks = () => fromStream(source.stream());
    output.isSteady = source.isSteady;
    // What was written of it are the uncompressed bytes.
    delete output.written;
  }
}

/**
 * The faces that an archive with compressed layers can have: Docker 1.9 takes
 * none compressed.
 *
 * @param given The faces that are asked for.
 * @param usual Those that the archive has if none are.
 * @throws {DescriptionError} If they cannot be.
 */
export function packedFaces(
  given: readonly Face[] | undefined,
  usual: readonly Face[],
): PackedFaces {
  if (given?.includes("docker-v1")) {
    throw new DescriptionError(
      "The face docker-v1 takes no compressed layers: leave one of both out",
    );
  }
  if (given && !given.includes("docker") && !given.includes("oci")) {
    throw new DescriptionError(
      "Only the faces docker and oci have layers to compress",
    );
  }
  return {
    faces: given ?? usual.filter((face) => face !== "docker-v1"),
    notes: given ? [] : [
      "The face docker-v1 is left out: Docker 1.9 takes no compressed layers",
    ],
  };
}
