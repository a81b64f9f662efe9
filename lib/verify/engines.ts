import type { Face } from "../image/face.ts";

/** The engines that findings name, each with the faces that it reads. */
export const ENGINES = {
  Docker: ["docker", "oci"],
  "Docker 1.9": ["docker-v1"],
  podman: ["docker", "oci"],
  containerd: ["docker", "oci"],
  skopeo: ["docker", "oci"],
  buildah: ["docker", "oci"],
  umoci: ["oci"],
  rkt: ["appc"],
  runc: ["bundle"],
  "systemd-nspawn": ["bundle"],
  LXD: ["lxd"],
  Incus: ["lxd"],
} as const satisfies Record<string, readonly Face[]>;

/** The name of an engine. */
export type EngineName = keyof typeof ENGINES;

/** All engines, in the order of reports. */
export const ENGINE_NAMES = Object.keys(ENGINES) as EngineName[];

/**
 * The engines that a broken rule hurts: named ones, all that read a face, or
 * all.
 */
export type Hurts = readonly (EngineName | Face)[] | "all";

/**
 * The engines that a broken rule hurts.
 *
 * @param faces The faces that the archive has; all unless given.
 */
export function enginesHurt(
  hurts: Hurts,
  faces?: ReadonlySet<Face>,
): EngineName[] {
  return ENGINE_NAMES.filter((name) => {
    const reads: readonly Face[] = ENGINES[name];
    if (faces && faces.size > 0 && !reads.some((face) => faces.has(face))) {
      return false;
    }
    if (hurts === "all" || hurts.includes(name)) return true;
    return reads.some((face) =>
      hurts.includes(face) && (!faces || faces.has(face))
    );
  });
}
