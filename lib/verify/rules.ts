import type { Hurts } from "./engines.ts";

/**
 * How bad a broken rule is: an `error` makes an engine refuse the image, or show
 * another one than the others do; a `warning` breaks a specification, and some
 * reader may mind; a `note` is good to know and no finding.
 */
export type Severity = "error" | "warning" | "note";

/** A rule that an image has to keep. */
export interface Rule {
  severity: Severity;
  /** The engines that mind. */
  hurts: Hurts;
  /** What the rule says. */
  rule: string;
  /** Why: what happens otherwise. */
  why: string;
  /** What to do about it, without a full stop. */
  remedy: string;
}

const REBUILD = "build the image again with ciso, from its layers";
const FETCH = "fetch or build the image again";
const UNPACK: Hurts = ["docker", "oci", "appc", "bundle", "lxd", "docker-v1"];

/** All rules by name, in the order of the documentation. */
export const RULES = {
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
  "parent-symlink": {
    severity: "error",
    hurts: UNPACK,
    rule: "No entry lies below the path of a symlink.",
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
  "blob-directories": {
    severity: "warning",
    hurts: ["oci"],
    rule:
      "A tar with an OCI layout has entries for blobs/ and blobs/sha256/, before the blobs.",
    why: "skopeo and podman without root cannot unpack it otherwise.",
    remedy: REBUILD,
  },
  "blob-digest": {
    severity: "error",
    hurts: ["docker", "oci"],
    rule: "A blob's name is the SHA-256 of its bytes.",
    why: "Engines refuse the blob, or take what nobody has signed.",
    remedy: FETCH,
  },
  "blob-size": {
    severity: "error",
    hurts: ["oci"],
    rule: "A descriptor's size is that of its blob.",
    why: "containerd and others refuse the blob.",
    remedy: FETCH,
  },
  "blob-missing": {
    severity: "error",
    hurts: ["docker", "oci", "docker-v1"],
    rule: "What a document names is there.",
    why: "Engines that need it fail.",
    remedy: FETCH,
  },
  "blob-unused": {
    severity: "note",
    hurts: ["oci"],
    rule: "Each blob is named by a document.",
    why: "containerd stores it and drops it later.",
    remedy: "copy the image with skopeo, which leaves it out",
  },
  "diff-id": {
    severity: "error",
    hurts: ["docker", "oci"],
    rule:
      "The image config lists for each layer the SHA-256 of its uncompressed bytes.",
    why: "Engines refuse the layer.",
    remedy: FETCH,
  },
  "history-layers": {
    severity: "warning",
    hurts: ["docker", "oci"],
    rule:
      "The image config's history, where there is one, tells of as many layers as there are.",
    why: "podman and skopeo refuse to convert such an image.",
    remedy: REBUILD,
  },
  "layer-compression": {
    severity: "error",
    hurts: ["oci"],
    rule: "A layer has the compression that its media type says.",
    why: "Engines that go by the media type cannot unpack it.",
    remedy: REBUILD,
  },
  "layer-symlink": {
    severity: "error",
    hurts: ["podman", "skopeo", "buildah"],
    rule: "What manifest.json names is at most one symlink away.",
    why: "skopeo, podman and buildah follow no second one.",
    remedy: REBUILD,
  },
  "json-syntax": {
    severity: "error",
    hurts: "all",
    rule: "Documents are JSON in UTF-8, without a byte order mark.",
    why: "Engines cannot read it.",
    remedy: REBUILD,
  },
  "json-repeated-key": {
    severity: "error",
    hurts: "all",
    rule: "No object has two keys that are equal but for case.",
    why:
      "Go ignores case and takes the last one; other readers take another one.",
    remedy: REBUILD,
  },
  "document-size": {
    severity: "error",
    hurts: "all",
    rule: "Documents are smaller than 16 MiB, image manifests than 4 MiB.",
    why: "Engines refuse larger ones.",
    remedy: REBUILD,
  },
  "document-place": {
    severity: "error",
    hurts: "all",
    rule: "Documents are regular files.",
    why: "Engines follow a link in different ways.",
    remedy: REBUILD,
  },
  "appc-schema": {
    severity: "error",
    hurts: ["appc"],
    rule: "`manifest` is an image manifest of appc 0.8.11.",
    why: "rkt refuses another.",
    remedy: REBUILD,
  },
  "oci-schema": {
    severity: "error",
    hurts: ["oci"],
    rule:
      "`oci-layout`, image indexes, image manifests and image configs are as OCI image 1.x says.",
    why: "Engines refuse another.",
    remedy: REBUILD,
  },
  "docker-schema": {
    severity: "error",
    hurts: ["docker"],
    rule:
      "`manifest.json` and its image configs are as Docker's image specification 1.2 says.",
    why: "docker load refuses another.",
    remedy: REBUILD,
  },
  "docker-v1-schema": {
    severity: "error",
    hurts: ["docker-v1"],
    rule:
      "`repositories`, `VERSION` and `json` are as Docker's image specification 1.0 says.",
    why: "Docker 1.9 and older refuse another.",
    remedy: REBUILD,
  },
  "bundle-schema": {
    severity: "error",
    hurts: ["bundle"],
    rule: "`config.json` is a configuration of OCI runtime 1.x.",
    why: "runc refuses another.",
    remedy: REBUILD,
  },
  "bundle-version": {
    severity: "note",
    hurts: ["systemd-nspawn"],
    rule: "`ociVersion` is 1.0.0.",
    why: "systemd-nspawn takes no other one.",
    remedy: "systemd-nspawn -D DIR/rootfs",
  },
  "lxd-schema": {
    severity: "error",
    hurts: ["lxd"],
    rule:
      "`metadata.yaml` has an architecture that LXD knows and a creation date above zero.",
    why: "LXD and Incus refuse another.",
    remedy: REBUILD,
  },
  "face-incomplete": {
    severity: "error",
    hurts: "all",
    rule: "A face has all of its files: with index.json oci-layout, and so on.",
    why: "Its engines do not see that the archive is for them.",
    remedy: REBUILD,
  },
  "symlink-no-blob": {
    severity: "note",
    hurts: ["containerd"],
    rule: "Without oci-layout each symlink of the archive leads to a blob.",
    why: "containerd refuses the archive.",
    remedy: REBUILD,
  },
  "docker-v1-chain": {
    severity: "error",
    hurts: ["docker-v1"],
    rule:
      "Each v1 directory is named by its id, its parents are there, and `repositories` names the newest.",
    why: "Docker 1.9 finds no image, or another one.",
    remedy: REBUILD,
  },
  "tag-repeated": {
    severity: "error",
    hurts: ["umoci", "skopeo"],
    rule: "No two descriptors of index.json have the same reference name.",
    why: "umoci and skopeo cannot choose between them.",
    remedy: REBUILD,
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

/** The name of a rule. */
export type RuleName = keyof typeof RULES;

/** All rules' names, in the order of the documentation. */
export const RULE_NAMES = Object.keys(RULES) as RuleName[];
