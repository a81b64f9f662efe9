import type { Face } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import { unsupportedByAppc } from "./appc.ts";
import { unsupportedByBundle } from "./bundle.ts";
import { unsupportedByDocker } from "./docker.ts";
import { unsupportedByDockerV1 } from "./docker_v1.ts";
import { unsupportedByLxd } from "./lxd.ts";
import { unsupportedByOci } from "./oci.ts";

/** For each face, the function that names what it cannot express. */
const UNSUPPORTED_BY: Record<Face, (image: Image) => (keyof Image)[]> = {
  appc: unsupportedByAppc,
  docker: unsupportedByDocker,
  "docker-v1": unsupportedByDockerV1,
  oci: unsupportedByOci,
  bundle: unsupportedByBundle,
  lxd: unsupportedByLxd,
  containerd: unsupportedByOci,
};

/**
 * Lists the fields that an image sets and one face cannot express, so that
 * they can be named instead of silently dropped.
 *
 * @param image The image.
 * @param face The face.
 * @returns Names of fields: of an {@linkcode Image}, or appc's own.
 * @throws {DescriptionError} If a name, a user or a variable is malformed.
 */
export function unsupported(image: Image, face: Face): string[] {
  const fields = UNSUPPORTED_BY[face](image);
  return face === "appc" ? fields : [...fields, ...appcOnly(image, face)];
}

/** What an ACI says that only its own face can say. */
function appcOnly({ base }: Image, face: Face): string[] {
  const { supplementaryGIDs, mountPoints = [], ports, labels, app = {} } =
    base?.appc ?? {};
  const fields = Object.keys(app);
  if (supplementaryGIDs && face !== "bundle") fields.push("supplementaryGIDs");
  if (mountPoints.length > 0) fields.push("names of mountPoints");
  if (mountPoints.some(({ readOnly }) => readOnly)) fields.push("readOnly");
  if (ports) fields.push("names of ports");
  if (labels) fields.push("further appc labels");
  return fields;
}
