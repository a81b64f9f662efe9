import { shownList } from "../errors/shown.ts";
import { DescriptionError } from "../errors/description_error.ts";
import type { Healthcheck, Image } from "../image/image.ts";
import { absolutePath } from "./values/path.ts";
import { environment } from "./values/environment.ts";
import { exposedPorts, portKeys } from "./values/port.ts";
import { sortedRecord } from "./sorted_record.ts";
import { stopSignal } from "./values/signal.ts";

/** A health check in Docker's spelling; times are in nanoseconds. */
export interface DockerHealthcheck {
  Test: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** The `config` object of an image config: what an engine runs, and how. */
export interface ProcessConfig {
  User?: string;
  ExposedPorts?: Record<string, Record<never, never>>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Healthcheck?: DockerHealthcheck;
  Volumes?: Record<string, Record<never, never>>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  Shell?: string[];
  OnBuild?: string[];
}

/**
 * Writes an image's process in the words that Docker and OCI share. Fields that
 * the image does not set are left out, so that an engine's own defaults hold.
 * `Healthcheck`, `Shell` and `OnBuild` are Docker's additions, which OCI engines
 * ignore.
 *
 * @param image The image.
 * @returns The `config` object.
 * @throws {DescriptionError} If a port, a path, a variable, a signal or a health check
 * is malformed.
 * @throws {DescriptionError} If a port number or a health check's time is out of
 * bounds.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md#properties}
 */
export function processConfig(image: Image): ProcessConfig {
  const config: ProcessConfig = {};
  if (image.user) config.User = image.user;
  if (image.exposedPorts?.length) {
    config.ExposedPorts = emptyObjects(exposedPorts(image).flatMap(portKeys));
  }
  const env = environment(image);
  if (env.length) config.Env = env;
  if (image.entrypoint?.length) config.Entrypoint = image.entrypoint;
  if (image.command?.length) config.Cmd = image.command;
  if (image.healthcheck) config.Healthcheck = dockerHealth(image.healthcheck);
  if (image.volumes?.length) {
    config.Volumes = emptyObjects(
      image.volumes.map((path) => absolutePath("Volume", path)),
    );
  }
  if (image.workdir) {
    config.WorkingDir = absolutePath("Working directory", image.workdir);
  }
  const labels = Object.entries(image.labels ?? {});
  if (labels.length) config.Labels = sortedRecord(labels);
  if (image.stopSignal) config.StopSignal = stopSignal(image.stopSignal);
  if (image.shell?.length) config.Shell = image.shell;
  if (image.onBuild?.length) config.OnBuild = image.onBuild;
  return config;
}

/** A Go set of strings as JSON has it: each one a key with an empty object. */
function emptyObjects(keys: string[]): Record<string, Record<never, never>> {
  return sortedRecord(keys.map((key) => [key, {}]));
}

function dockerHealth(check: Healthcheck): DockerHealthcheck {
  const [kind] = check.test;
  if (kind !== "NONE" && kind !== "CMD" && kind !== "CMD-SHELL") {
    throw new DescriptionError(
      `Health check ${
        shownList(check.test)
      } must begin with "NONE", "CMD" or "CMD-SHELL"`,
    );
  }
  const health: DockerHealthcheck = { Test: check.test };
  if (check.interval !== undefined) {
    health.Interval = nanoseconds("interval", check.interval);
  }
  if (check.timeout !== undefined) {
    health.Timeout = nanoseconds("timeout", check.timeout);
  }
  if (check.startPeriod !== undefined) {
    health.StartPeriod = nanoseconds("start period", check.startPeriod);
  }
  if (check.startInterval !== undefined) {
    health.StartInterval = nanoseconds("start interval", check.startInterval);
  }
  if (check.retries !== undefined) {
    if (!Number.isSafeInteger(check.retries) || check.retries < 0) {
      throw new DescriptionError(
        `Health check retries ${check.retries} must be a whole number from 0 up`,
      );
    }
    health.Retries = check.retries;
  }
  return health;
}

/**
 * Docker refuses to make a container from an image whose times are below one
 * millisecond, zero excepted, and Go cannot hold more than 292 years.
 */
function nanoseconds(what: string, seconds: number): number {
  if (!(seconds === 0 || (seconds >= 0.001 && seconds <= 9e9))) {
    throw new DescriptionError(
      `Health check ${what} of ${seconds} seconds is out of bounds: give 0 for the engine's default, or at least 0.001`,
    );
  }
  return Math.round(seconds * 1e9);
}
