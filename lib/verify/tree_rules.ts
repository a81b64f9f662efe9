import { REBUILD, type Rule, UNPACK } from "./rule.ts";

/** Rules of the files that entries make. */
export const TREE_RULES = {
  "parent-symlink": {
    severity: "error",
    hurts: UNPACK,
    rule:
      "No entry lies below the path of a symlink, but for one of a layer that leads to a directory of it.",
    why:
      "rkt drops such a file or fails, Docker hides the symlink, and others follow it.",
    remedy: REBUILD,
  },
  "parent-file": {
    severity: "error",
    hurts: "all",
    rule: "No path is both a directory and something else.",
    why: "Engines fail, or drop one of the two.",
    remedy: REBUILD,
  },
  "parent-missing": {
    severity: "note",
    hurts: "all",
    rule: "Each directory has an entry of its own.",
    why:
      "Engines give a directory without one different modes: 0755, 0600 or what the umask says.",
    remedy: REBUILD,
  },
  "hard-link-target": {
    severity: "error",
    hurts: "all",
    rule:
      "A hard link leads to a file that comes earlier in the same tar, in rootfs/ to one below rootfs/.",
    why: "Engines fail, or link to a file outside the image.",
    remedy: REBUILD,
  },
  "hard-link-metadata": {
    severity: "error",
    hurts: UNPACK,
    rule: "A hard link's header has the mode, owner and time of its target.",
    why:
      "Engines give the file what the last link's header says: a program loses its mode.",
    remedy: REBUILD,
  },
  "hard-link-symlink": {
    severity: "error",
    hurts: ["appc"],
    rule: "Below rootfs/ no hard link leads to a symlink.",
    why:
      "rkt changes the mode of what the symlink leads to, or fails if that is nothing.",
    remedy: REBUILD,
  },
  "symlink-empty": {
    severity: "error",
    hurts: "all",
    rule: "A symlink has a target.",
    why: "It cannot be made.",
    remedy: "remove the symlink",
  },
  "symlink-climbs": {
    severity: "note",
    hurts: ["podman", "skopeo"],
    rule:
      "No symlink leads out of the archive, where it is followed from its place.",
    why: "skopeo and podman unpack no oci-archive: that has one.",
    remedy: "use docker-archive:, or export the face oci alone",
  },
  "whiteout-name": {
    severity: "error",
    hurts: UNPACK,
    rule: "Below rootfs/ no name starts with `.wh.`.",
    why:
      "Docker, podman and containerd take it for a deletion, while rkt, runc and LXD keep it as a file.",
    remedy: "rename the file and build the image again",
  },
  "whiteout-device": {
    severity: "error",
    hurts: ["docker", "oci"],
    rule: "There is no character device 0:0.",
    why:
      "overlayfs takes it for a deletion: Docker hides the path, runc has a device.",
    remedy: "remove the device and build the image again",
  },
  "device-endless": {
    severity: "error",
    hurts: ["appc"],
    rule:
      "Character devices other than /dev/null are hidden from rkt by pathWhitelist.",
    why: "rkt reads them to their end when it stores the image, and hangs.",
    remedy: REBUILD,
  },
  "name-not-utf8": {
    severity: "note",
    hurts: ["appc"],
    rule: "Paths are UTF-8.",
    why: "rkt leaves a file out whose path is not.",
    remedy: "rename the file",
  },
  "device-rootless": {
    severity: "note",
    hurts: ["docker", "oci", "podman", "skopeo"],
    rule: "There are no device nodes below rootfs/.",
    why: "Without root they cannot be made: the load fails.",
    remedy: "export the face that the engine reads",
  },
  "time-range": {
    severity: "note",
    hurts: ["Docker"],
    rule: "Times are from 1970 to 2262.",
    why: "Docker sets others to 1970.",
    remedy: "touch the file and build the image again",
  },
} as const satisfies Record<string, Rule>;
