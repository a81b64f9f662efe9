/** How one layer came to be (OCI image config, `history`). */
export interface HistoryEntry {
  /** When, as an RFC 3339 time. */
  created?: string;
  /** Who made it. */
  author?: string;
  /** The command that made it. */
  created_by?: string;
  /** Anything else. */
  comment?: string;
  /** Whether no layer belongs to it. */
  empty_layer?: boolean;
}

/** A command that an engine runs to see whether a container is healthy. */
export interface Healthcheck {
  /**
   * `["NONE"]` switches an inherited check off, `["CMD", …]` runs words,
   * `["CMD-SHELL", text]` runs a shell line.
   */
  test: string[];
  /** Seconds between two checks. */
  interval?: number | undefined;
  /** Seconds after which a check counts as failed. */
  timeout?: number | undefined;
  /** Seconds in which failures do not count yet. */
  startPeriod?: number | undefined;
  /** Seconds between two checks in that time; Docker 25 and newer. */
  startInterval?: number | undefined;
  /** How many failures in a row make the container unhealthy. */
  retries?: number | undefined;
}

/**
 * What an image says about itself and about the process to run: the fields of
 * the OCI image config, in this project's spelling. Every face's document is
 * made from one value of this type.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md}
 */
export interface Image {
  /**
   * Names as typed on the command line: `NAME[:TAG]`, at least one. The first
   * one names the image where a face has room for one name only.
   */
  names: string[];
  /** The words of the command (OCI `Cmd`). */
  command?: string[] | undefined;
  /** The words before the command (OCI `Entrypoint`). */
  entrypoint?: string[] | undefined;
  /** `KEY=VALUE` strings. A `PATH` is added where none is given. */
  env?: string[] | undefined;
  /** Absolute path of the directory the process starts in. */
  workdir?: string | undefined;
  /** `USER[:GROUP]`, names or numbers. */
  user?: string | undefined;
  /** Labels, by key (OCI `Labels`). */
  labels?: Record<string, string> | undefined;
  /** Annotations of the image manifest and of the image index entry. */
  annotations?: Record<string, string> | undefined;
  /** `PORT` or `FIRST-LAST`, as it is or with `/tcp`, `/udp` or `/sctp`. */
  exposedPorts?: string[] | undefined;
  /** Absolute paths that hold data of their own. */
  volumes?: string[] | undefined;
  /** Name or number of the signal that stops the process, such as `SIGTERM`. */
  stopSignal?: string | undefined;
  /** How an engine sees whether it is healthy (a Docker field outside OCI). */
  healthcheck?: Healthcheck | undefined;
  /** The shell of shell-form commands (a Docker field outside OCI). */
  shell?: string[] | undefined;
  /**
   * Instructions for builds on top of the image (a Docker field outside OCI).
   */
  onBuild?: string[] | undefined;
  /** Who made the image. */
  author?: string | undefined;
  /** Seconds since 1970-01-01T00:00:00Z. */
  created: number;
  /** Operating system in Go's spelling; `linux` unless given. */
  os?: string | undefined;
  /** Architecture in Go's spelling, such as `amd64` or `arm64`. */
  architecture: string;
  /** Variant of the architecture, such as `v7` for `arm`. */
  variant?: string | undefined;
  /** Text for the layer's history entry (`created_by`). */
  history?: string | undefined;
  /** The image that it was made from, if it was. */
  base?: BaseImage | undefined;
}

/** What an image's documents say of it, without its names. */
export type ImageFields = {
  [Field in Exclude<keyof Image, "names" | "annotations" | "base">]?:
    | Image[Field]
    | undefined;
};

/** What only some faces can say of an image that another one is made from. */
export interface Oddity {
  /** The field that it belongs to. */
  field: keyof ImageFields;
  /** What it is and which faces have it, in a sentence. */
  note: string;
}

/** A field of an image's documents that no engine could read. */
export interface Fault {
  /** The field; an option that sets it mends the fault. */
  field: keyof ImageFields;
  /** What is wrong, with the document and the path in it. */
  message: string;
}

/**
 * The image that another one is made from. Its documents stay as they are but
 * for the fields in which the new image differs from `fields`.
 */
export interface BaseImage {
  /** What it says, as far as every face can say it. */
  fields: ImageFields;
  /** Its image config, JSON, if it has one. */
  config?: string | undefined;
  /** What is in its documents and not in `fields`. */
  oddities?: readonly Oddity[] | undefined;
  /** What must be replaced before anything can be made of it. */
  faults?: readonly Fault[] | undefined;
  /** Fields of its appc image manifest that no other face has. */
  appc?: AppcFields | undefined;
}

/**
 * Fields of an appc image manifest that an {@linkcode Image} does not have.
 *
 * @see {@link https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema}
 */
export interface AppcFields {
  /** Further groups of the process. */
  supplementaryGIDs?: number[];
  /** The volumes, with their names. */
  mountPoints?: AppcMountPoint[];
  /** The ports, with their names. */
  ports?: AppcPort[];
  /** Labels besides the three that are fields. */
  labels?: { name: string; value: string }[];
  /** Further fields of `app`, such as `isolators` and `eventHandlers`. */
  app?: Record<string, unknown>;
}

/** A volume of an appc image manifest. */
export interface AppcMountPoint {
  /** Its name. */
  name: string;
  /** Absolute path of it. */
  path: string;
  /** Whether the process may not write there. */
  readOnly?: boolean;
}

/** A port of an appc image manifest. */
export interface AppcPort {
  /** Its name. */
  name: string;
  /** `tcp` or `udp`. */
  protocol: string;
  /** The first one. */
  port: number;
  /** How many ports there are from it on; one unless given. */
  count?: number;
  /** Whether the engine listens on it first. */
  socketActivated?: boolean;
}
