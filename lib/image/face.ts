/**
 * The faces that an archive has unless others are asked for, in the order in which
 * reports list them.
 *
 * @example
 * ```ts
 * import { FACES } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * assert.ok(FACES.includes("oci"));
 * ```
 */
export const FACES = [
  "appc",
  "docker",
  "docker-v1",
  "oci",
  "bundle",
  "lxd",
] as const;

/** The faces that an archive can have: {@linkcode FACES} and those beside them. */
export const ALL_FACES = [...FACES, "containerd"] as const;

/** A face: what one family of engines reads of an isoc. */
export type Face = typeof ALL_FACES[number];

/** The faces that take their files from below rootfs/. */
export const ROOTFS_FACES: readonly Face[] = ["appc", "bundle", "lxd"];
