import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { MAX_SKIP } from "../tar/skip_header.ts";
import type { Archive } from "./archive.ts";
import type { Zstd } from "./containerd_view.ts";
import { type Contents, layOut } from "./layout.ts";

/** No header of the face containerd skips a longer file. */
const LONGEST = MAX_SKIP - (1 << 16);

/** What decoders of zstd find in place of the archive. */
export interface View {
  archive: Archive;
  /** Compresses it. */
  zstd: Zstd;
}

/** Lays out what containerd sees: the faces docker and oci alone. */
export function viewOf(contents: Contents, zstd: Zstd | undefined): View {
  if (!contents.faces.has("oci")) {
    throw new DescriptionError(
      "The face containerd is another view of the face oci, which it needs: " +
        "--faces oci,containerd",
    );
  }
  if (!zstd) {
    throw new DescriptionError(
      "The face containerd needs zstd: give build() one that compresses",
    );
  }
  const long = contents.stretches.find(({ size }) => size > LONGEST);
  if (long) {
    throw new InputError(
      `A layer of ${long.size} bytes is too long for the face containerd, which ` +
        "takes no file above 4 GiB: --layer-size 1G splits a rootfs, or leave " +
        "it out of --faces",
    );
  }
  const faces = (["docker", "oci"] as const).filter((face) =>
    contents.faces.has(face)
  );
  return { archive: layOut({ ...contents, faces: new Set(faces) }), zstd };
}
