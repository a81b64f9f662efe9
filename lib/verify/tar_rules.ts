import { FETCH, REBUILD, type Rule } from "./rule.ts";

/** Rules of a tar: the archive and its layers. */
export const TAR_RULES = {
  "tar-header": {
    severity: "error",
    hurts: "all",
    rule: "Each header is one that all readers of tar take for the same.",
    why:
      "GNU tar, Go and Python read a damaged or odd header each in a way of " +
      "their own, or stop there.",
    remedy: FETCH,
  },
  "tar-truncated": {
    severity: "error",
    hurts: "all",
    rule: "The archive does not end inside an entry.",
    why: "Engines stop with an unexpected end of file.",
    remedy: FETCH,
  },
  "closing-blocks": {
    severity: "error",
    hurts: "all",
    rule: "A tar ends with two blocks of zeros.",
    why:
      "rkt refuses an archive without them, and Go's reader refuses what comes " +
      "after fewer than two.",
    remedy: "append 1024 zero bytes, or build the image again",
  },
  "global-header": {
    severity: "error",
    hurts: ["umoci"],
    rule: "A layer has no PAX global header.",
    why: "umoci refuses such a layer, whatever the header says.",
    remedy: REBUILD,
  },
  "several-archives": {
    severity: "error",
    hurts: "all",
    rule: "No entry comes after the closing blocks.",
    why:
      "Go's reader stops at the closing blocks, while GNU tar with -i and bsdtar " +
      "read on: they are shown other files.",
    remedy: REBUILD,
  },
  "after-end": {
    severity: "warning",
    hurts: "all",
    rule: "Only zeros come after the closing blocks.",
    why:
      "What is there belongs to no image: readers ignore it, and decompressors " +
      "fail on it.",
    remedy: "cut the file after its closing blocks",
  },
  "layer-after-end": {
    severity: "note",
    hurts: ["docker", "oci"],
    rule: "Only zeros come after the closing blocks of a layer.",
    why: "What is there belongs to no file; readers ignore it.",
    remedy: "cut the rootfs tar after its closing blocks, and build again",
  },
  "path-repeated": {
    severity: "error",
    hurts: "all",
    rule: "No path comes twice in one tar.",
    why:
      "rkt keeps the tail of a longer first file and fails on a repeated link; " +
      "other readers take the first or the last one.",
    remedy: REBUILD,
  },
  "path-climbs": {
    severity: "error",
    hurts: "all",
    rule: "No path climbs out with `..`.",
    why: "An engine refuses such a path, or writes outside the image.",
    remedy: "do not use this image",
  },
  "path-absolute": {
    severity: "error",
    hurts: ["appc", "lxd", "bundle", "docker", "oci"],
    rule: "Paths are relative.",
    why: "rkt fails on a path that starts with a slash.",
    remedy: REBUILD,
  },
  "path-length": {
    severity: "error",
    hurts: "all",
    rule: "A path and its parts are no longer than Linux takes.",
    why: "The file cannot be made.",
    remedy: "rename the file",
  },
  "entry-type": {
    severity: "error",
    hurts: ["docker", "oci", "appc"],
    rule:
      "Entries are regular files (type 0 or NUL), directories, links, devices or FIFOs.",
    why: "Docker and rkt refuse other types.",
    remedy: REBUILD,
  },
  "sparse-entry": {
    severity: "error",
    hurts: ["docker", "oci", "appc"],
    rule: "No file is stored sparse.",
    why: "Docker refuses GNU's sparse files, and rkt unpacks them wrongly.",
    remedy: REBUILD,
  },
  "header-v7": {
    severity: "error",
    hurts: ["appc"],
    rule: "Headers have the magic of ustar.",
    why: "rkt does not know the old format.",
    remedy: REBUILD,
  },
} as const satisfies Record<string, Rule>;
