/** What the face for Docker before 1.10 has in rootfs/, if its image is there. */
export const V1_FILES: readonly string[] = ["VERSION", "json", "layer.tar"];

/**
 * Whether a path below rootfs/ is a file of that face.
 *
 * @param v1 The images of the face, and where in the archive each one is.
 */
export function isV1File(
  v1: { images: readonly { place: string }[] } | undefined,
  path: string,
): boolean {
  return V1_FILES.includes(path) &&
    !!v1?.images.some(({ place }) => place === "rootfs/");
}
