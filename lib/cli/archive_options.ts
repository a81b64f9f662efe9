import { shown } from "../errors/shown.ts";
import type { ArchiveOptions } from "../build/isoc.ts";
import { ALL_FACES, type Face, FACES } from "../image/face.ts";
import { compressBlocks } from "../system/compress_blocks.ts";
import { packingOf } from "./compress_options.ts";
import { layerPacking } from "./layer_packing.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/**
 * How an archive is made, as a command line says it.
 *
 * @param layered Whether it is of layers, not of a rootfs alone.
 * @throws {UsageError} If the faces are wrong.
 */
export function archiveOptions(
  parsed: Parsed,
  layered: boolean,
): ArchiveOptions {
  return {
    faces: facesOf(parsed, layered),
    pristine: parsed.on("pristine"),
    allowWhiteouts: parsed.on("allow-whiteouts"),
    allowSavedImage: parsed.on("allow-saved-image"),
    maxUnpacked: unpackLimits(parsed).maxUnpacked,
    packLayer: layerPacking(parsed),
    window: packingOf(parsed)?.window,
    zstd: (chunks) => compressBlocks(chunks, "zstd"),
  };
}

/** What Docker 1.9 and older need, which take no file of any other face. */
const CLASSIC: Face[] = ["appc", "docker-v1"];

/** The faces that the archive must have, by --faces or --layout. */
function facesOf(parsed: Parsed, layered: boolean): Face[] | undefined {
  const layout = parsed.value("layout") ?? "full";
  if (layout !== "full" && layout !== "classic") {
    throw new UsageError(`--layout is full or classic, not ${shown(layout)}`);
  }
  const list = parsed.value("faces");
  if (layout === "classic") {
    if (list !== undefined) {
      throw new UsageError("--layout classic and --faces exclude each other");
    }
    if (layered) throw new UsageError("--layout classic takes a rootfs alone");
    return CLASSIC;
  }
  if (list === undefined) return undefined;
  // What comes with all of them gives way to compressed layers.
  const all = FACES.filter((face) =>
    face !== "docker-v1" || layerPacking(parsed) === undefined
  );
  const faces = [
    ...new Set(
      list.split(",").filter((face) => face !== "").flatMap((face) =>
        face === "all" ? all : [face]
      ),
    ),
  ];
  const unknown = faces.find((face) => !ALL_FACES.includes(face as Face));
  if (unknown !== undefined || faces.length === 0) {
    throw new UsageError(
      `--faces: ${shown(unknown ?? list)} is not one of ${
        ALL_FACES.join(", ")
      }, all`,
    );
  }
  checkContainerd(parsed, faces);
  return faces as Face[];
}

/** Refuses what makes the face containerd useless. */
function checkContainerd(parsed: Parsed, faces: string[]): void {
  if (!faces.includes("containerd")) return;
  const method = packingOf(parsed)?.method;
  if (!method) return;
  throw new UsageError(
    `The face containerd is for a file that is not compressed, and this one is ` +
      `with ${method}: --compress none, or leave it out of --faces`,
  );
}
