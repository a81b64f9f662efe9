import { unlessRefused } from "../errors/refusal.ts";
import type { AppcMountPoint, AppcPort, Image } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { absolutePath } from "./values/path.ts";
import { appcName } from "./values/appc_name.ts";
import {
  APPC_SYSTEMS,
  appcArchitectureOf,
  goArchitectureOfAppc,
} from "./values/arch.ts";
import { environment } from "./values/environment.ts";
import { exposedPorts, portKey } from "./values/port.ts";
import { freeName } from "./values/free_name.ts";
import { givenFields } from "./given_fields.ts";
import { rfc3339 } from "./values/time.ts";
import { sortedRecord } from "./sorted_record.ts";
import { parseUser, type UserIds } from "./values/user.ts";

/** A name and a value, as appc writes labels, annotations and variables. */
export interface NameValue {
  name: string;
  value: string;
}

/** What an appc image runs, and how. */
export interface AppcApp {
  exec: string[];
  user: string;
  group: string;
  supplementaryGIDs?: number[];
  workingDirectory?: string;
  environment?: NameValue[];
  mountPoints?: AppcMountPoint[];
  ports?: AppcPort[];
  userLabels?: Record<string, string>;
}

/** An appc image manifest. */
export interface AppcManifest {
  acKind: "ImageManifest";
  acVersion: string;
  name: string;
  labels: NameValue[];
  app: AppcApp;
  annotations: NameValue[];
  pathWhitelist?: string[];
}

/** What the root file system says about an image's process. */
export interface AppcOptions {
  /**
   * Numbers of the image's user. The gid is the group of a user without one;
   * the further groups become `supplementaryGIDs`.
   */
  ids?: UserIds | undefined;
  /** Absolute path in the root file system of the command's first word. */
  executable?: string | undefined;
  /** The only files that rkt may see, as absolute paths; all unless given. */
  visible?: string[] | undefined;
}

/** appc's own annotations; a user's annotation must not have such a name. */
const WELL_KNOWN = ["created", "authors", "homepage", "documentation"];

/** Annotations that came from an ACI by these names, and appc's names for them. */
const APPC_NAMES = new Map([
  ["org.opencontainers.image.url", "homepage"],
  ["org.opencontainers.image.documentation", "documentation"],
]);

/** The names that appc 0.8.11 allows for variables. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * Makes the appc image manifest, the file `manifest` of an ACI, for rkt.
 *
 * appc wants the first word of `exec` to be an absolute path. A relative path
 * with a slash goes below the working directory. A name without a slash needs
 * `options.executable`; without that it stays, which rkt from 1.8 on looks up
 * in the app's `PATH` and other appc tools may refuse. An image without command
 * and entrypoint gets an empty `exec`: rkt then wants `--exec`.
 *
 * Labels become `userLabels`, which allow any key. Image name and annotations
 * are renamed by {@linkcode appcName}; an annotation whose name is then taken
 * gets `-2`, `-3` and so on.
 *
 * @param image The image.
 * @param options What the root file system says.
 * @returns The document.
 * @throws {DescriptionError} If a name, a port, a path, a user or a variable is
 * malformed.
 * @throws {DescriptionError} If a port number or the creation time is out of bounds.
 *
 * @see {@link https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema}
 */
export function appcManifest(
  image: Image,
  options: AppcOptions = {},
): AppcManifest {
  const [name] = parseNames(image.names);
  const arch = architecture(image);
  return {
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name: appcName(name.repository),
    labels: [
      { name: "version", value: name.tag },
      // Without both of them appc takes the image for independent of either.
      ...(arch
        ? [
          { name: "os", value: image.os ?? "linux" },
          { name: "arch", value: arch },
        ]
        : []),
      ...image.base?.appc?.labels ?? [],
    ],
    app: app(image, options),
    annotations: annotations(image),
    ...(options.visible && { pathWhitelist: options.visible }),
  };
}

/**
 * Lists the fields that an image sets and an appc manifest cannot express in
 * full: further names, variables that appc's rule for their names forbids,
 * systems and architectures that appc does not know, and whatever it has no
 * field for.
 *
 * @param image The image.
 * @returns Names of fields.
 */
export function unsupportedByAppc(image: Image): (keyof Image)[] {
  const fields: (keyof Image)[] = [];
  if (parseNames(image.names).length > 1) fields.push("names");
  if (
    environment(image).some((entry) => !VARIABLE.test(variable(entry).name))
  ) {
    fields.push("env");
  }
  fields.push(
    ...givenFields(image, ["stopSignal", "healthcheck", "shell", "onBuild"]),
  );
  const arch = architecture(image);
  if (!APPC_SYSTEMS.has(image.os ?? "linux")) fields.push("os");
  else if (!arch) fields.push("architecture");
  if (
    image.variant &&
    !(arch && appcVariant(arch) === image.variant)
  ) fields.push("variant");
  fields.push(...givenFields(image, ["history"]));
  return fields;
}

function app(image: Image, { ids, executable }: AppcOptions): AppcApp {
  const { user, group } = parseUser(image.user);
  const { workdir, base } = image;
  const names = new Set<string>();
  const labels = Object.entries(image.labels ?? {});
  const variables = environment(image).map(variable)
    .filter(({ name }) => VARIABLE.test(name));
  const groups = ids?.additionalGids ?? [];
  const volumes = mountPoints(image, names);
  const open = ports(image, names);
  return {
    exec: exec(image, executable),
    user,
    group: group ?? String(ids?.gid ?? 0),
    ...(groups.length && { supplementaryGIDs: groups }),
    ...(workdir &&
      { workingDirectory: absolutePath("Working directory", workdir) }),
    ...(variables.length && { environment: variables }),
    ...(volumes.length && { mountPoints: volumes }),
    ...(open.length && { ports: open }),
    ...(labels.length && { userLabels: sortedRecord(labels) }),
    ...base?.appc?.app,
  };
}

/** Gives volumes their names: an ACI's own, and new ones for the others. */
function mountPoints(image: Image, names: Set<string>): AppcMountPoint[] {
  const wanted = new Set(image.volumes);
  const kept = (image.base?.appc?.mountPoints ?? [])
    .filter(({ path }) => wanted.has(path));
  for (const { name, path } of kept) {
    names.add(name);
    wanted.delete(path);
  }
  return [
    ...kept,
    ...[...wanted].map((path) => ({
      name: freeName(appcName(path, "name"), names),
      path: absolutePath("Volume", path),
    })),
  ];
}

/** Gives ports their names: an ACI's own, and new ones for the others. */
function ports(image: Image, names: Set<string>): AppcPort[] {
  const wanted = new Map(
    exposedPorts(image).map((port) => [portKey(port), port]),
  );
  const key = ({ port, protocol, count }: AppcPort) =>
    portKey({ port, count: count || 1, protocol: protocol as "tcp" });
  const kept = (image.base?.appc?.ports ?? [])
    .filter((port) => wanted.has(key(port)));
  for (const port of kept) {
    names.add(port.name);
    wanted.delete(key(port));
  }
  return [
    ...kept,
    ...[...wanted.values()].map(({ port, count, protocol }) => ({
      name: freeName(`${port}-${protocol}`, names),
      protocol,
      port,
      count,
      socketActivated: false,
    })),
  ];
}

function exec(image: Image, executable?: string): string[] {
  const [first, ...rest] = [
    ...image.entrypoint ?? [],
    ...image.command ?? [],
  ];
  if (first === undefined) return [];
  if (executable !== undefined) return [executable, ...rest];
  if (first.startsWith("/") || !first.includes("/")) return [first, ...rest];
  const directory = (image.workdir ?? "/").replace(/\/+$/, "");
  return [`${directory}/${first}`, ...rest];
}

function annotations(image: Image): NameValue[] {
  const taken = new Set(WELL_KNOWN);
  const given = Object.entries(
    sortedRecord(Object.entries(image.annotations ?? {})),
  );
  return [
    { name: "created", value: rfc3339(image.created) },
    ...(image.author ? [{ name: "authors", value: image.author }] : []),
    ...given.map(([name, value]) => ({
      name: (image.base?.appc && APPC_NAMES.get(name)) ||
        freeName(appcName(name), taken),
      value,
    })),
  ];
}

function variable(entry: string): NameValue {
  const equals = entry.indexOf("=");
  return { name: entry.slice(0, equals), value: entry.slice(equals + 1) };
}

/** appc's name of an image's architecture, where there is one. */
function architecture(image: Image): string | undefined {
  return appcArchitectureOf(
    image.os ?? "linux",
    image.architecture,
    image.variant,
  );
}

/** The variant that is in appc's name of an architecture. */
function appcVariant(arch: string): string | undefined {
  return unlessRefused(() => goArchitectureOfAppc(arch))?.variant;
}
