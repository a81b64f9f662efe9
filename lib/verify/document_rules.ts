import { FETCH, REBUILD, type Rule } from "./rule.ts";

/** Rules of documents and blobs. */
export const DOCUMENT_RULES = {
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
      "The image config's history, where there is one, names as many layers as there are.",
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
  "platform-repeated": {
    severity: "error",
    hurts: ["oci"],
    rule: "An image index lists one image for each platform.",
    why: "Engines take one of them, and not all the same.",
    remedy: "make one archive of the right images with ciso join",
  },
  "platform-missing": {
    severity: "note",
    hurts: ["oci"],
    rule: "The images of all platforms that an image index lists are there.",
    why:
      "Machines of a platform that is missing cannot run the image; docker save lists those that were not pulled.",
    remedy: "pull the image for all platforms",
  },
  "index-depth": {
    severity: "error",
    hurts: ["skopeo", "podman", "buildah"],
    rule: "An image index below index.json lists image manifests, no indexes.",
    why: "skopeo, podman and buildah choose a platform once.",
    remedy: "make the archive anew with ciso convert",
  },
  "name-repeated": {
    severity: "error",
    hurts: ["containerd"],
    rule: "index.json gives each name to one image, or to one image index.",
    why: "Of several with one name containerd keeps the last.",
    remedy: "make one archive of them with ciso join",
  },
  "tag-repeated": {
    severity: "error",
    hurts: ["umoci", "skopeo"],
    rule: "No two descriptors of index.json have the same reference name.",
    why: "umoci and skopeo cannot choose between them.",
    remedy: REBUILD,
  },
} as const satisfies Record<string, Rule>;
