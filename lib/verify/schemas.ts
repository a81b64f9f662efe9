import { goArchitectureOfAppc } from "../formats/values/arch.ts";
import { parseExposedPort } from "../formats/values/port.ts";
import { parseRfc3339 } from "../formats/values/time.ts";
import {
  all,
  any,
  flag,
  isObject,
  list,
  map,
  object,
  oneOf,
  parsed,
  type Shape,
  text,
  whole,
} from "./shape.ts";

const time = parsed(parseRfc3339, "an RFC 3339 time");
const words = list(text());
const texts = map(text());
const absolute = text(/^\//, "an absolute path");
const hex = text(/^[0-9a-f]{64}$/, "64 hex digits");
const mediaType = text(
  /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}(;.*)?$/,
  "a media type",
);

/** OCI image-spec, descriptor.md "Digests". */
const digest = text(
  /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|(?!sha256:|sha512:)[a-z0-9]+(?:[+._-][a-z0-9]+)*:[\w=-]+)$/,
  "a digest",
);

const platform = object({ architecture: text(), os: text() }, {
  variant: text(),
  "os.version": text(),
  "os.features": words,
});

/** OCI image-spec, descriptor.md. */
const descriptor = object({ mediaType, digest, size: whole() }, {
  urls: words,
  annotations: texts,
  platform,
  artifactType: mediaType,
});

/** OCI image-spec, image-layout.md "oci-layout file". */
export const OCI_LAYOUT = object({ imageLayoutVersion: oneOf("1.0.0") });

/** OCI image-spec, image-index.md. */
export const OCI_INDEX = object({
  schemaVersion: oneOf(2),
  manifests: list(descriptor),
}, {
  mediaType: oneOf(
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
  ),
  annotations: texts,
});

/** OCI image-spec, manifest.md. */
export const OCI_MANIFEST = object({
  schemaVersion: oneOf(2),
  config: descriptor,
  layers: list(descriptor),
}, {
  mediaType: oneOf(
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
  ),
  annotations: texts,
});

const emptyObjects = map((value, place, tell) => {
  if (!isObject(value)) tell(place, "is not an object");
});

const processConfig = object({}, {
  User: text(),
  ExposedPorts: all(emptyObjects, map(any, parsed(parsePorts, "a port"))),
  Env: list(text(/^[^=]+=/, "KEY=VALUE")),
  Entrypoint: words,
  Cmd: words,
  Volumes: emptyObjects,
  WorkingDir: text(),
  Labels: texts,
  StopSignal: text(),
  Shell: words,
  OnBuild: words,
});

/** Docker allows a range of ports. */
function parsePorts(value: string): void {
  const [, first, last, rest] = /^(\d+)-(\d+)(\/\w+)?$/.exec(value) ??
    [undefined, value, value, ""];
  parseExposedPort(`${first}${rest ?? ""}`);
  parseExposedPort(`${last}${rest ?? ""}`);
}

/** OCI image-spec, config.md; Docker image specification 1.2. */
export const IMAGE_CONFIG = object({
  architecture: text(),
  os: text(),
  rootfs: object({
    type: oneOf("layers"),
    diff_ids: list(digest),
  }),
}, {
  created: time,
  author: text(),
  variant: text(),
  config: processConfig,
  history: list(object({}, {
    created: time,
    author: text(),
    created_by: text(),
    comment: text(),
    empty_layer: flag,
  })),
});

/** Docker image specification 1.2, `manifest.json`. */
export const DOCKER_MANIFEST = list(
  object({ Config: text(/./s, "a path"), Layers: list(text(/./s, "a path")) }, {
    RepoTags: list(
      text(/^[\w./-]+(:\d+\/[\w./-]+)?:[\w][\w.-]{0,127}$/, "NAME:TAG"),
    ),
    Parent: text(),
  }),
  1,
);

/** Docker image specification 1.0, `repositories`. */
export const REPOSITORIES = map(
  map(hex, text(/^\w[\w.-]{0,127}$/, "a tag")),
);

/** Docker image specification 1.0, `json`. */
export const V1_JSON = object({ id: hex }, {
  parent: hex,
  created: time,
  author: text(),
  architecture: text(),
  os: text(),
  config: processConfig,
  container_config: object({}, { Cmd: words }),
  Size: whole(),
});

const id = whole(0, 4294967295);

/** OCI runtime-spec, config.md and config-linux.md. */
export const RUNTIME_CONFIG = object({
  ociVersion: text(/^1\.\d+\.\d+([-+].*)?$/, "a version 1.x"),
  root: object({ path: text(/./s, "a path") }, { readonly: flag }),
  process: object({
    cwd: absolute,
    args: list(text(), 1),
    user: object({ uid: id, gid: id }, { additionalGids: list(id) }),
  }, {
    env: words,
    terminal: flag,
    capabilities: map(
      list(text(/^CAP_[A-Z_0-9]+$/, "the name of a capability")),
      oneOf("bounding", "effective", "inheritable", "permitted", "ambient"),
    ),
    noNewPrivileges: flag,
  }),
}, {
  hostname: text(),
  mounts: list(object({ destination: absolute }, {
    source: text(),
    type: text(),
    options: words,
  })),
  annotations: texts,
  linux: object({}, {
    namespaces: list(object({
      type: oneOf(
        ...["pid", "network", "ipc", "uts", "mount", "user", "cgroup", "time"],
      ),
    })),
    maskedPaths: words,
    readonlyPaths: words,
  }),
});

/** appc spec, types.md "AC Identifier Type" and "AC Name Type". */
const acIdentifier = text(
  /^[a-z0-9]+([-._~/][a-z0-9]+)*$/,
  "an identifier of appc",
);
const acName = text(/^[a-z0-9]+(-[a-z0-9]+)*$/, "a name of appc");

const labels: Shape = (value, place, tell) => {
  list(object({ name: acIdentifier, value: text() }))(value, place, tell);
  if (!Array.isArray(value)) return;
  const names = value.map((label) => label?.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) tell(place, `has two labels ${twice}`);
  const find = (name: string) =>
    value.find((label) => label?.name === name)?.value;
  const os = find("os");
  const arch = find("arch");
  if (os === "linux" && arch !== undefined) {
    parsed(goArchitectureOfAppc, "an architecture of appc")(arch, place, tell);
  }
};

const annotations: Shape = (value, place, tell) => {
  list(object({ name: acIdentifier, value: text() }))(value, place, tell);
  if (!Array.isArray(value)) return;
  const created = value.find((one) => one?.name === "created");
  if (created) time(created.value, `${place} created`, tell);
};

/** appc spec 0.8.11, aci.md "Image Manifest Schema". */
export const APPC_MANIFEST = object({
  acKind: oneOf("ImageManifest"),
  acVersion: text(
    /^0\.([3-7]\.\d+|8\.(\d|10|11))([-+].*)?$/,
    "a version from 0.3.0 to 0.8.11",
  ),
  name: acIdentifier,
}, {
  labels,
  annotations,
  app: object({
    exec: words,
    user: text(/./s, "a user"),
    group: text(/./s, "a group"),
  }, {
    supplementaryGIDs: list(id),
    workingDirectory: absolute,
    environment: list(object({
      name: text(/^[A-Za-z_][\w.-]*$/, "a variable's name"),
      value: text(),
    })),
    mountPoints: list(object({ name: acName, path: text(/./s, "a path") })),
    ports: list(object({
      name: acName,
      protocol: text(),
      port: whole(1, 65535),
    }, { count: whole(0, 65535), socketActivated: flag })),
    userLabels: texts,
    isolators: list(object({ name: acIdentifier })),
    eventHandlers: list(object({ name: text(), exec: words })),
  }),
  dependencies: list(object({ imageName: acIdentifier })),
  pathWhitelist: list(absolute),
});

/** The names that LXD and Incus know, and other names for the same. */
const LXD_ARCHITECTURES = [
  ...["i686", "i386", "i586", "386", "x86", "generic_32"],
  ...["x86_64", "amd64", "generic_64"],
  ...["armv6l", "armv7l", "armel", "armhf", "arm", "armhfp", "armv7a_hardfp"],
  ...["armv7", "armv7a_vfpv3_hardfp", "armv8l", "armv8a_hardfp"],
  ...["aarch64", "arm64", "arm64_generic"],
  ...["ppc", "powerpc", "ppc64", "powerpc64", "ppc64le", "ppc64el"],
  ...["s390x", "mips", "mipsel", "mips64", "mips64el"],
  ...["riscv32", "riscv64", "rv32", "rv64", "loongarch64", "loong64"],
];

/** LXD's documentation, "Image format", `metadata.yaml`. */
/** A text, or what YAML writes like one: LXD takes `serial: 20150218` for it. */
const scalar: Shape = (value, place, tell) => {
  if (!["string", "number", "boolean"].includes(typeof value)) {
    tell(place, "is not a text");
  }
};

export const LXD_METADATA = object({
  architecture: oneOf(...LXD_ARCHITECTURES),
  creation_date: whole(1),
}, {
  expiry_date: whole(),
  properties: map(scalar),
  templates: map(object({ template: text() }, { when: words })),
});
