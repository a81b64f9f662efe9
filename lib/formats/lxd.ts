import { unlessRefused } from "../errors/refusal.ts";
import type { Image } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { lxdArchitecture } from "./values/arch.ts";
import { freeName } from "./values/free_name.ts";
import { givenFields } from "./given_fields.ts";
import { rfc3339 } from "./values/time.ts";
import { sortedRecord } from "./sorted_record.ts";

/** The metadata of an LXD or Incus image. */
export interface LxdMetadata {
  architecture: string;
  /** Seconds since 1970-01-01T00:00:00Z. */
  creation_date: number;
  properties: Record<string, string>;
}

/** What an archive has besides the metadata. */
export interface LxdOptions {
  /**
   * Whether there is a `config.json` (the face `bundle`). Incus then runs the
   * image as an application container, with the process that is in there.
   */
  application?: boolean;
}

/**
 * Makes `metadata.yaml`, by which LXD and Incus know an image archive. JSON is
 * YAML too, so the document is written like the others.
 *
 * Image properties are free text that `lxc image list` shows and searches.
 * Labels and annotations become properties under their own keys; where a key is
 * taken, `-2` follows it.
 *
 * The property `type` with the value `oci` makes Incus take the environment, the
 * command, the working directory and the user from the runtime bundle's
 * `config.json` when it makes a container; it fails if there is none. LXD knows
 * nothing of either: it starts `/sbin/init`.
 *
 * @param image The image.
 * @param options What else the archive has.
 * @returns The document.
 * @throws {DescriptionError} If a name is malformed.
 * @throws {DescriptionError} If the creation time is out of bounds.
 *
 * @see {@link https://documentation.ubuntu.com/lxd/en/latest/reference/image_format/}
 */
export function lxdMetadata(
  image: Image,
  { application }: LxdOptions = {},
): LxdMetadata {
  const [name] = parseNames(image.names);
  const properties: [string, string][] = [
    ["os", image.os ?? "linux"],
    ["architecture", image.architecture],
    ["description", name.familiar],
    ["name", name.repository],
    ["version", name.tag],
    ["created", rfc3339(image.created)],
  ];
  if (application) properties.push(["type", "oci"]);
  if (image.variant) properties.push(["variant", image.variant]);
  if (image.author) properties.push(["author", image.author]);
  const taken = new Set(properties.map(([key]) => key));
  for (const given of [image.labels ?? {}, image.annotations ?? {}]) {
    for (const [key, value] of Object.entries(given).sort(byKey)) {
      properties.push([freeName(key, taken), value]);
    }
  }
  return {
    architecture: architecture(image) ?? image.architecture,
    // LXD refuses an image whose date is zero or missing.
    creation_date: Math.max(1, Math.floor(image.created)),
    properties: sortedRecord(properties),
  };
}

/**
 * Lists the fields that an image sets and its face for LXD and Incus cannot
 * express. LXD knows nothing of a process. Incus takes it from the bundle's
 * `config.json`, where the archive has one.
 *
 * @param image The image.
 * @returns Names of fields. `architecture` is among them when LXD has no name
 * for it and may refuse the image.
 */
export function unsupportedByLxd(image: Image): (keyof Image)[] {
  const fields: (keyof Image)[] = [];
  if (parseNames(image.names).length > 1) fields.push("names");
  fields.push(...givenFields(image, [
    "command",
    "entrypoint",
    "env",
    "workdir",
    "user",
    "exposedPorts",
    "volumes",
    "stopSignal",
    "healthcheck",
    "shell",
    "onBuild",
    "history",
  ]));
  if (!architecture(image)) fields.push("architecture");
  return fields;
}

function architecture(image: Image): string | undefined {
  return unlessRefused(() =>
    lxdArchitecture(image.architecture, image.variant)
  );
}

function byKey([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}
