import { parseJson } from "../formats/json_text.ts";
import { InputError } from "../errors/input_error.ts";
import type { Healthcheck, Image } from "../image/image.ts";
import { parseRfc3339 } from "../formats/values/time.ts";

/** What can be read from an image config: an {@linkcode Image} in part. */
export type ImageFields = Partial<Omit<Image, "names" | "annotations">>;

type Json = Record<string, unknown>;

/**
 * Reads an OCI or Docker image config: the whole document, its `config` object
 * alone, or what `docker inspect` prints. The inverse of
 * {@linkcode imageConfig}, for the fields that say something about the image
 * and not about its layers.
 *
 * @param text JSON.
 * @returns The fields that are set.
 * @throws {InputError} If the text is no JSON, or a field has another type
 * than the specification says.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md}
 */
export function readConfig(text: string): ImageFields {
  let document = parseJson("The image config", text);
  // docker inspect prints a list.
  if (Array.isArray(document)) {
    if (document.length !== 1) {
      throw new InputError(
        `The list has ${document.length} image configs where one is wanted`,
      );
    }
    document = document[0];
  }
  if (typeof document !== "object" || document === null) {
    throw new InputError("The image config is no JSON object");
  }
  const whole = document as Json;
  const inner = object("config", whole.config ?? whole.Config);
  const process = inner ?? whole;
  // Docker inspect and the config document differ in the case of these.
  const outer = inner ? lowerKeys(whole) : {};
  const fields: ImageFields = {
    command: strings("Cmd", process.Cmd),
    entrypoint: strings("Entrypoint", process.Entrypoint),
    env: strings("Env", process.Env),
    workdir: string("WorkingDir", process.WorkingDir),
    user: string("User", process.User),
    labels: record("Labels", process.Labels),
    exposedPorts: keys("ExposedPorts", process.ExposedPorts),
    volumes: keys("Volumes", process.Volumes),
    stopSignal: string("StopSignal", process.StopSignal),
    healthcheck: healthcheck(process.Healthcheck),
    shell: strings("Shell", process.Shell),
    onBuild: strings("OnBuild", process.OnBuild),
    author: string("author", outer.author),
    created: time(outer.created),
    os: string("os", outer.os),
    architecture: string("architecture", outer.architecture),
    variant: string("variant", outer.variant),
  };
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
}

function lowerKeys(document: Json): Json {
  return Object.fromEntries(
    Object.entries(document).map((
      [key, value],
    ) => [key.toLowerCase(), value]),
  );
}

function fail(name: string, wanted: string): never {
  throw new InputError(`${name} in the image config is not ${wanted}`);
}

/** An empty string or null counts as not set, as Docker writes them. */
function string(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : fail(name, "a string");
}

function strings(name: string, value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (
    !Array.isArray(value) || value.some((word) => typeof word !== "string")
  ) return fail(name, "a list of strings");
  return value.length > 0 ? value : undefined;
}

function object(name: string, value: unknown): Json | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" && !Array.isArray(value)
    ? value as Json
    : fail(name, "an object");
}

function keys(name: string, value: unknown): string[] | undefined {
  const found = Object.keys(object(name, value) ?? {});
  return found.length > 0 ? found : undefined;
}

function record(
  name: string,
  value: unknown,
): Record<string, string> | undefined {
  const found = object(name, value);
  if (!found || Object.keys(found).length === 0) return undefined;
  if (Object.values(found).some((text) => typeof text !== "string")) {
    return fail(name, "an object of strings");
  }
  return found as Record<string, string>;
}

/** Seconds since 1970 of an RFC 3339 time. */
function time(value: unknown): number | undefined {
  const text = string("created", value);
  if (text === undefined) return undefined;
  try {
    const seconds = Math.floor(parseRfc3339(text));
    // Docker writes the year 1 where it knows no time.
    return seconds < 0 ? undefined : seconds;
  } catch {
    return fail("created", "an RFC 3339 time");
  }
}

function healthcheck(value: unknown): Healthcheck | undefined {
  const check = object("Healthcheck", value);
  const test = strings("Healthcheck.Test", check?.Test);
  if (!check || !test) return undefined;
  /** Docker writes nanoseconds. */
  const seconds = (name: string) => {
    const count = number(`Healthcheck.${name}`, check[name]);
    return count === undefined ? undefined : count / 1e9;
  };
  const found: Healthcheck = {
    test,
    interval: seconds("Interval"),
    timeout: seconds("Timeout"),
    startPeriod: seconds("StartPeriod"),
    startInterval: seconds("StartInterval"),
    retries: number("Healthcheck.Retries", check.Retries),
  };
  return Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== undefined),
  ) as unknown as Healthcheck;
}

/** Zero counts as not set. */
function number(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null || value === 0) return undefined;
  return typeof value === "number" ? value : fail(name, "a number");
}
