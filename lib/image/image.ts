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
  interval?: number;
  /** Seconds after which a check counts as failed. */
  timeout?: number;
  /** Seconds in which failures do not count yet. */
  startPeriod?: number;
  /** Seconds between two checks in that time; Docker 25 and newer. */
  startInterval?: number;
  /** How many failures in a row make the container unhealthy. */
  retries?: number;
}

/**
 * What an image says about itself and about the process to run: the fields of
 * the OCI image config, in this project's spelling. Every format's document is
 * made from one value of this type.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md}
 */
export interface Image {
  /**
   * Names as typed on the command line: `NAME[:TAG]`, at least one. The first
   * one names the image where a format has room for one name only.
   */
  names: string[];
  /** The words of the command (OCI `Cmd`). */
  command?: string[];
  /** The words that stand before the command (OCI `Entrypoint`). */
  entrypoint?: string[];
  /** `KEY=VALUE` strings. A `PATH` is added where none is given. */
  env?: string[];
  /** Absolute path of the directory the process starts in. */
  workdir?: string;
  /** `USER[:GROUP]`, names or numbers. */
  user?: string;
  /** Labels, by key (OCI `Labels`). */
  labels?: Record<string, string>;
  /** Annotations of the image manifest and of the image index entry. */
  annotations?: Record<string, string>;
  /** `PORT`, `PORT/tcp` or `PORT/udp`. */
  exposedPorts?: string[];
  /** Absolute paths that hold data of their own. */
  volumes?: string[];
  /** Name or number of the signal that stops the process, such as `SIGTERM`. */
  stopSignal?: string;
  /** How an engine sees whether it is well (a Docker field outside OCI). */
  healthcheck?: Healthcheck;
  /** The shell of shell-form commands (a Docker field outside OCI). */
  shell?: string[];
  /** Orders for builds on top of the image (a Docker field outside OCI). */
  onBuild?: string[];
  /** Who made the image. */
  author?: string;
  /** Seconds since 1970-01-01T00:00:00Z. */
  created: number;
  /** Operating system in Go's spelling; `linux` unless given. */
  os?: string;
  /** Architecture in Go's spelling, such as `amd64` or `arm64`. */
  architecture: string;
  /** Variant of the architecture, such as `v7` for `arm`. */
  variant?: string;
  /** Text for the layer's history entry (`created_by`). */
  history?: string;
  /** History entries that lower layers bring with them, oldest first. */
  baseHistory?: HistoryEntry[];
}
