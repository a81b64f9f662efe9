import { type Face, FACES } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import { unsupportedByAppc } from "./appc.ts";
import { unsupportedByBundle } from "./bundle.ts";
import { unsupportedByDocker } from "./docker.ts";
import { unsupportedByDockerV1 } from "./docker_v1.ts";
import { type LxdOptions, unsupportedByLxd } from "./lxd.ts";
import { unsupportedByOci } from "./oci.ts";

/** For each face, the function that names what it cannot express. */
const UNSUPPORTED_BY: Record<
  Face,
  (image: Image, options: LxdOptions) => (keyof Image)[]
> = {
  appc: unsupportedByAppc,
  docker: unsupportedByDocker,
  "docker-v1": unsupportedByDockerV1,
  oci: unsupportedByOci,
  bundle: unsupportedByBundle,
  lxd: unsupportedByLxd,
};

/**
 * Lists the fields that an image sets and one face cannot express, so that
 * they can be named instead of silently dropped.
 *
 * @param image The image.
 * @param face The face.
 * @param faces All faces of the archive: one can make another say more.
 * @returns Names of fields.
 * @throws {DescriptionError} If a name, a user or a variable is malformed.
 */
export function unsupported(
  image: Image,
  face: Face,
  faces: readonly Face[] = FACES,
): (keyof Image)[] {
  return UNSUPPORTED_BY[face](image, {
    application: faces.includes("bundle"),
  });
}
