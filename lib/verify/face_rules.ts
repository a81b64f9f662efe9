import { REBUILD, type Rule, UNPACK } from "./rule.ts";

/** Rules of an archive as a whole: its faces are of one image. */
export const FACE_RULES = {
  "zstd-view": {
    severity: "error",
    hurts: ["docker", "oci"],
    rule:
      "What decoders of zstd find in a tar that starts as a frame they skip is " +
      "the face oci of the same image.",
    why:
      "containerd and Docker decompress such a file before they look at it, and " +
      "may run another image than all others.",
    remedy: "do not use this image; ciso convert takes that of the tar",
  },
  "faces-layers": {
    severity: "error",
    hurts: "all",
    rule: "All faces have the same layers.",
    why: "Engines are shown different images.",
    remedy: REBUILD,
  },
  "faces-config": {
    severity: "error",
    hurts: "all",
    rule:
      "All faces have the same configuration, as far as each can express it.",
    why: "The image runs another program, or as another user, in some engine.",
    remedy: REBUILD,
  },
  "faces-names": {
    severity: "error",
    hurts: "all",
    rule: "All faces have the same names and tags.",
    why: "An engine knows the image by another name.",
    remedy: REBUILD,
  },
  "faces-platform": {
    severity: "error",
    hurts: "all",
    rule: "All faces are for the same platform.",
    why: "An engine refuses the image or cannot run it.",
    remedy: REBUILD,
  },
  "tree-missing": {
    severity: "error",
    hurts: UNPACK,
    rule: "Each file that the layers make is below rootfs/.",
    why: "rkt, runc and LXD do not have a file that Docker has.",
    remedy: REBUILD,
  },
  "tree-extra": {
    severity: "error",
    hurts: UNPACK,
    rule: "Each file below rootfs/ is one that the layers make.",
    why: "rkt, runc and LXD have a file that Docker does not have.",
    remedy: REBUILD,
  },
  "tree-type": {
    severity: "error",
    hurts: UNPACK,
    rule: "It is the same kind of file below rootfs/ and in the layers.",
    why: "Engines are shown different files.",
    remedy: REBUILD,
  },
  "tree-metadata": {
    severity: "error",
    hurts: UNPACK,
    rule:
      "Mode, owner, time and extended attributes are the same below rootfs/ and in the layers.",
    why: "A file is somebody else's, or a program lacks its rights.",
    remedy: REBUILD,
  },
  "tree-link": {
    severity: "error",
    hurts: UNPACK,
    rule:
      "Links lead to the same place below rootfs/ and in the layers, and devices are the same.",
    why: "Engines are shown different files.",
    remedy: REBUILD,
  },
  "tree-content": {
    severity: "error",
    hurts: UNPACK,
    rule: "Contents are the same below rootfs/ and in the layers.",
    why: "Engines are shown different files: somebody may have changed one.",
    remedy: "do not use this image unless you know who changed it",
  },
  "whitelist-hides": {
    severity: "error",
    hurts: ["appc"],
    rule:
      "`pathWhitelist` hides nothing but character devices, and names only files that are there.",
    why:
      "rkt is shown fewer files than the others; a hard link whose target is hidden breaks.",
    remedy: REBUILD,
  },
  "manifest-first": {
    severity: "note",
    hurts: ["appc"],
    rule: "`manifest` is the first entry.",
    why: "rkt reads the whole archive to find it.",
    remedy: REBUILD,
  },
} as const satisfies Record<string, Rule>;
