import type { Face } from "../image/face.ts";
import type { Compression } from "../streams/compression.ts";
import { ENGINE_NAMES, type EngineName, ENGINES } from "./engines.ts";
import type { Finding } from "./finding.ts";

/** Whether an engine takes an image. */
export interface Verdict {
  engine: EngineName;
  takes: boolean;
  /** Why not; empty if it does. */
  reasons: string[];
  /** What older versions that are in use do not take, in a sentence. */
  older?: string;
}

/** What matters to engines about an archive. */
export interface Shape {
  faces: ReadonlySet<Face>;
  findings: Finding[];
  /** The compression of the whole file. */
  compression?: Compression | undefined;
  /** Whether there is a directory blobs/. */
  hasBlobs: boolean;
  /** Whether a name leads to an image index of several platforms. */
  hasPlatforms?: boolean | undefined;
  /** Whether it is a `dir:` layout of skopeo. */
  isSkopeo?: boolean | undefined;
  /** Whether there are symlinks beside rootfs/. */
  hasLinks?: boolean | undefined;
}

/** What is missing of a face. */
const LACKS: Record<Face, string> = {
  appc: "no appc manifest with rootfs/",
  docker: "no manifest.json",
  "docker-v1": "no repositories with v1 images",
  oci: "no OCI image layout",
  bundle: "no config.json of a bundle with rootfs/",
  lxd: "no metadata.yaml with rootfs/",
  containerd: "no zstd frame after the tar",
};

/** The compressions that engines take off a whole archive, where not all. */
const COMPRESSIONS: Partial<Record<EngineName, Compression[]>> = {
  Docker: ["gzip", "bzip2", "xz", "zstd"],
  containerd: ["gzip", "zstd"],
  rkt: ["gzip", "bzip2", "xz"],
};

/** The engines that read a `dir:` layout. */
const OF_SKOPEO: ReadonlySet<EngineName> = new Set([
  "skopeo",
  "podman",
  "buildah",
]);

/** Says which engines take an archive, and why others do not. */
export function verdicts(shape: Shape): Verdict[] {
  return ENGINE_NAMES.map((engine) => {
    const reasons = reasonsOf(engine, shape);
    const takes = reasons.length === 0;
    const older = takes ? olderVersions(engine, shape) : undefined;
    return { engine, takes, reasons, ...(older !== undefined && { older }) };
  });
}

/** What versions of Debian 12 do with a compressed archive that newer ones take. */
function olderVersions(
  engine: EngineName,
  { compression, faces }: Shape,
): string | undefined {
  const isGzip = compression === "gzip";
  if (engine === "Docker" && compression === "zstd") {
    return "Docker 20.10 does not decompress zstd";
  }
  if (engine === "containerd" && compression) {
    return `containerd 1.6 does not decompress ${compression}`;
  }
  if (OF_SKOPEO.has(engine) && isGzip) {
    return "podman 4.3, skopeo 1.9 and buildah 1.28 " +
      (faces.has("oci")
        ? "take gzip as oci-archive: and by podman load, not as docker-archive:"
        : "take gzip only of the face oci");
  }
  return undefined;
}

function reasonsOf(
  engine: EngineName,
  shape: Shape,
): string[] {
  const { faces, findings, compression, hasBlobs, hasPlatforms, isSkopeo } =
    shape;
  if (isSkopeo && !OF_SKOPEO.has(engine)) {
    return ["it is a dir: layout, which only skopeo, podman and buildah read"];
  }
  const reads: readonly Face[] = ENGINES[engine];
  if (!reads.some((face) => faces.has(face))) {
    return [`it has ${reads.map((face) => LACKS[face]).join(" and ")}`];
  }
  const reasons: string[] = [];
  if (engine === "Docker 1.9" && hasBlobs) {
    reasons.push("it takes the directory blobs/ for an image");
  }
  if (engine === "Incus" && shape.hasLinks) {
    reasons.push(
      "it starts no container of an image with symlinks beside rootfs/: " +
        "export --as lxd has none",
    );
  }
  if (engine === "umoci" && hasPlatforms) {
    reasons.push(
      "it cannot choose one of several platforms: export --platform does",
    );
  }
  if (
    compression && COMPRESSIONS[engine]?.includes(compression) === false
  ) {
    reasons.push(`it does not decompress ${compression}`);
  }
  const rules = new Set(
    findings.filter(({ severity, engines }) =>
      severity === "error" && engines.includes(engine)
    ).map(({ rule }) => rule),
  );
  return [...reasons, ...rules];
}
