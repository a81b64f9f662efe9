import { shown } from "../errors/shown.ts";
import { DescriptionError } from "../errors/description_error.ts";
import type { Image } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { absolutePath } from "./values/path.ts";
import { appcName } from "./values/appc_name.ts";
import { environment } from "./values/environment.ts";
import { exposedPorts, portKey } from "./values/port.ts";
import { givenFields } from "./given_fields.ts";
import { rfc3339 } from "./values/time.ts";
import { sortedRecord } from "./sorted_record.ts";
import { stopSignal } from "./values/signal.ts";
import { parseUser, type UserIds } from "./values/user.ts";

/** A mount of an OCI runtime bundle. */
export interface BundleMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

/** The configuration of an OCI runtime bundle. */
export interface RuntimeConfig {
  ociVersion: string;
  process: {
    terminal: boolean;
    user: UserIds;
    args: string[];
    env: string[];
    cwd: string;
    capabilities: Record<string, string[]>;
    noNewPrivileges: boolean;
  };
  root: { path: string; readonly: boolean };
  hostname: string;
  mounts: BundleMount[];
  annotations: Record<string, string>;
  linux: {
    namespaces: { type: string }[];
    maskedPaths: string[];
    readonlyPaths: string[];
  };
}

/** What the root file system says about an image's process. */
export interface RuntimeOptions {
  /** Numbers of the image's user; needed when it is given by name. */
  ids?: UserIds | undefined;
  /**
   * Whether a tmpfs is mounted on `/tmp`; true unless given. Say false when the
   * root file system has something in its `/tmp` that the tmpfs hides.
   */
  tmp?: boolean | undefined;
}

/** The capabilities that Docker leaves to a container. */
const CAPABILITIES = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

/**
 * Makes `config.json` of an OCI runtime bundle whose root file system is the
 * directory `rootfs`, for runc, crun and systemd-nspawn.
 *
 * The process runs in namespaces of its own, without network, with Docker's
 * default capabilities. Labels and the image's facts become annotations, as the
 * image specification's conversion rules say. An image without command and
 * entrypoint runs `/bin/sh`, because a runtime refuses an empty command.
 *
 * @param image The image.
 * @param options What the root file system says.
 * @returns The document.
 * @throws {DescriptionError} If a name, a port, a path or a variable is malformed, or
 * if the user is given by name and `options.ids` is missing.
 * @throws {DescriptionError} If a port number or the creation time is out of bounds.
 *
 * @see {@link https://github.com/opencontainers/runtime-spec/blob/v1.0.0/config.md}
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/conversion.md}
 */
export function runtimeConfig(
  image: Image,
  options: RuntimeOptions = {},
): RuntimeConfig {
  const [name] = parseNames(image.names);
  const args = [...image.entrypoint ?? [], ...image.command ?? []];
  const user = options.ids ?? numericIds(image.user);
  return {
    // The latest version that systemd-nspawn takes.
    ociVersion: "1.0.0",
    process: {
      terminal: false,
      user,
      args: args.length ? args : ["/bin/sh"],
      env: environment(image),
      cwd: absolutePath("Working directory", image.workdir || "/"),
      capabilities: capabilities(user.uid),
      noNewPrivileges: false,
    },
    root: { path: "rootfs", readonly: false },
    hostname: hostname(name.path),
    mounts: mounts(options.tmp ?? true),
    annotations: annotations(image),
    linux: {
      namespaces: ["pid", "network", "ipc", "uts", "mount"]
        .map((type) => ({ type })),
      maskedPaths: [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/firmware",
      ],
      readonlyPaths: [
        "/proc/bus",
        "/proc/fs",
        "/proc/irq",
        "/proc/sys",
        "/proc/sysrq-trigger",
      ],
    },
  };
}

/**
 * Lists the fields that an image sets and a runtime bundle cannot express. The
 * image specification asks converters not to copy `annotations`, since a
 * runtime may take some as orders; only labels become annotations of the
 * bundle. `volumes` stay directories of `rootfs`, which a bundle has to itself:
 * a tmpfs on them hides what the image has there and belongs to root, and its
 * copy option (`tmpcopyup`) stops systemd-nspawn.
 *
 * @param image The image.
 * @returns Names of fields.
 */
export function unsupportedByBundle(image: Image): (keyof Image)[] {
  const fields: (keyof Image)[] = [];
  if (parseNames(image.names).length > 1) fields.push("names");
  return fields.concat(
    givenFields(image, [
      "annotations",
      "volumes",
      "healthcheck",
      "shell",
      "onBuild",
      "history",
    ]),
  );
}

function numericIds(text?: string): UserIds {
  const { user, group = "0" } = parseUser(text);
  for (const half of [user, group]) {
    if (!/^[0-9]+$/.test(half)) {
      throw new DescriptionError(
        `A runtime bundle needs numbers for the user ${
          shown(text)
        }: look them up in the rootfs's /etc/passwd and /etc/group and pass them as ids`,
      );
    }
  }
  return { uid: Number(user), gid: Number(group) };
}

/**
 * As in Docker, root has its capabilities in effect; another user can gain them
 * only through a set-user-ID program or file capabilities.
 */
function capabilities(uid: number): Record<string, string[]> {
  if (uid !== 0) return { bounding: CAPABILITIES };
  return {
    bounding: CAPABILITIES,
    effective: CAPABILITIES,
    permitted: CAPABILITIES,
  };
}

/** The last part of the image's path, as a host name of at most 63 letters. */
function hostname(path: string): string {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return appcName(last, "name").slice(0, 63).replace(/-$/, "");
}

function mounts(tmp: boolean): BundleMount[] {
  const all: BundleMount[] = [
    mount("/proc", "proc", "proc", "nosuid,noexec,nodev"),
    mount("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
    mount(
      "/dev/pts",
      "devpts",
      "devpts",
      "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
    ),
    mount(
      "/dev/shm",
      "tmpfs",
      "shm",
      "nosuid,noexec,nodev,mode=1777,size=65536k",
    ),
    mount("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"),
    mount("/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"),
    mount(
      "/sys/fs/cgroup",
      "cgroup",
      "cgroup",
      "nosuid,noexec,nodev,relatime,ro",
    ),
  ];
  if (tmp) {
    all.push(mount("/tmp", "tmpfs", "tmpfs", "nosuid,nodev,mode=1777"));
  }
  return all;
}

function mount(
  destination: string,
  type: string,
  source: string,
  options: string,
): BundleMount {
  return { destination, type, source, options: options.split(",") };
}

function annotations(image: Image): Record<string, string> {
  const prefix = "org.opencontainers.image.";
  const all: [string, string][] = [
    [`${prefix}os`, image.os ?? "linux"],
    [`${prefix}architecture`, image.architecture],
    [`${prefix}created`, rfc3339(image.created)],
  ];
  if (image.variant) all.push([`${prefix}variant`, image.variant]);
  if (image.author) all.push([`${prefix}author`, image.author]);
  if (image.stopSignal) {
    all.push([`${prefix}stopSignal`, stopSignal(image.stopSignal)]);
  }
  if (image.exposedPorts?.length) {
    const ports = exposedPorts(image).map(portKey);
    all.push([`${prefix}exposedPorts`, ports.join(",")]);
  }
  // Labels come last: they win over what is derived.
  // A runtime refuses an empty key.
  const labels = Object.entries(image.labels ?? {}).filter(([key]) => key);
  return sortedRecord([...all, ...labels]);
}
