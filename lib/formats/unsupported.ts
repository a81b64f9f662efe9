import type { Image } from "../image/image.ts";
import { unsupportedByAppc } from "./appc.ts";
import { unsupportedByBundle } from "./bundle.ts";
import { unsupportedByDocker } from "./docker.ts";
import { unsupportedByDockerV1 } from "./docker_v1.ts";
import { type LxdOptions, unsupportedByLxd } from "./lxd.ts";
import { unsupportedByOci } from "./oci.ts";

/** For each part of an isoc, the function that names what it cannot express. */
const UNSUPPORTED_BY = {
  appc: unsupportedByAppc,
  docker: unsupportedByDocker,
  "docker-v1": unsupportedByDockerV1,
  oci: unsupportedByOci,
  bundle: unsupportedByBundle,
  lxd: unsupportedByLxd,
} satisfies Record<Format, (image: Image, options: LxdOptions) => unknown>;

/** The name of an engine's part of an isoc. */
export type Format =
  | "appc"
  | "docker"
  | "docker-v1"
  | "oci"
  | "bundle"
  | "lxd";

/** The names of all parts. */
export const FORMATS = Object.keys(UNSUPPORTED_BY) as Format[];

/**
 * Lists the fields that an image sets and one format cannot express, so that
 * they can be named instead of silently dropped.
 *
 * @param image The image.
 * @param format The format.
 * @param formats All parts of the archive: one can make another say more.
 * @returns Names of fields.
 * @throws {DescriptionError} If a name, a user or a variable is malformed.
 */
export function unsupported(
  image: Image,
  format: Format,
  formats: readonly Format[] = FORMATS,
): (keyof Image)[] {
  return UNSUPPORTED_BY[format](image, {
    application: formats.includes("bundle"),
  });
}
