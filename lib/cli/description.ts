import { type ImageFields, readConfig } from "../formats/read_config.ts";
import type { Healthcheck, HistoryEntry } from "../image.ts";
import type { Platform } from "../read_image.ts";
import { parseNames } from "../name.ts";
import type { ImageDescription } from "../rootfs_facts.ts";
import { host } from "../runtime.ts";
import { parseDuration } from "./duration.ts";
import { CLASSIC_USAGE } from "./help.ts";
import type { Parsed } from "./options.ts";
import { pairLines, pairs } from "./pairs.ts";
import { UsageError } from "./usage_error.ts";
import { splitWords } from "./words.ts";

/** The image that another one starts from. */
export interface Base {
  fields: ImageFields;
  history?: HistoryEntry[];
  names: string[];
}

/**
 * Makes the image description that a command line, its files and the
 * environment ask for. Options win over `--config`, and both over the
 * environment's NAME and COMMAND.
 *
 * @param from The image it starts from; --config and the options win over it.
 * @throws {UsageError} If something is missing or malformed.
 */
export function imageDescription(
  parsed: Parsed,
  from: Base = { fields: {}, names: [] },
): ImageDescription {
  const base = { ...from.fields, ...configFile(parsed.value("config")) };
  const name = host.env("NAME");
  const tags = parsed.values("tag");
  const names = tags.length > 0 ? tags : name ? [name] : from.names;
  const entrypoint = words(parsed, "entrypoint") ?? base.entrypoint;
  const command = commandWords(parsed, base);
  if (names.length === 0 || !(command ?? entrypoint)) {
    const what = names.length > 0
      ? "command"
      : command ?? entrypoint
      ? "name"
      : "name and no command";
    throw new UsageError(
      `There is no ${what}. Usage: ${CLASSIC_USAGE}\n` +
        "or: ciso rootfs.tar -t NAME[:TAG] -o image.isoc -- COMMAND ARG…",
    );
  }
  told(undefined, () => parseNames(names));
  const description: ImageDescription = {
    ...base,
    names,
    command,
    entrypoint,
    env: [
      ...base.env ?? [],
      ...fileLines(parsed, "env-file").flatMap(variable),
      ...parsed.values("env").flatMap(variable),
    ],
    workdir: parsed.value("workdir") ?? base.workdir,
    user: parsed.value("user") ?? base.user,
    labels: {
      ...base.labels,
      ...told("label-file", () => pairs(fileLines(parsed, "label-file"))),
      ...told("label", () => pairs(parsed.values("label"))),
    },
    annotations: told("annotation", () => pairs(parsed.values("annotation"))),
    exposedPorts: unique(base.exposedPorts, parsed.values("expose")),
    volumes: unique(base.volumes, parsed.values("volume")),
    stopSignal: parsed.value("stop-signal") ?? base.stopSignal,
    healthcheck: healthcheck(parsed, base.healthcheck),
    shell: words(parsed, "shell") ?? base.shell,
    author: parsed.value("author") ?? base.author,
    created: creationTime(parsed.value("created")) ?? base.created ??
      Math.floor(Date.now() / 1000),
    history: parsed.value("history"),
    baseHistory: from.history,
    ...platformOf(parsed),
  };
  return description;
}

/** Makes a usage error, with the option's name, of what `make` throws. */
function told<T>(option: string | undefined, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(option ? `--${option}: ${message}` : message);
  }
}

function configFile(path: string | undefined): ImageFields {
  if (path === undefined) return {};
  const text = told("config", () => host.readText(path));
  return told(`config ${path}`, () => readConfig(text));
}

function fileLines(parsed: Parsed, option: string): string[] {
  return parsed.values(option).flatMap((path) =>
    pairLines(told(option, () => host.readText(path)))
  );
}

/** `KEY` alone takes its value from the environment, or is left out. */
function variable(entry: string): string[] {
  if (entry.includes("=")) return [entry];
  const value = host.env(entry);
  return value === undefined ? [] : [`${entry}=${value}`];
}

function unique(base: string[] = [], more: string[]): string[] {
  return [...new Set([...base, ...more])];
}

/** An option's words: a JSON array, or split as a shell does. */
function words(parsed: Parsed, option: string): string[] | undefined {
  const text = parsed.value(option);
  if (text === undefined) return undefined;
  return told(option, () => jsonWords(text) ?? splitWords(text));
}

function jsonWords(text: string): string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || list.some((word) => typeof word !== "string")) {
    throw new SyntaxError("a JSON array of strings is wanted");
  }
  return list;
}

/** The command behind `--`, or of --cmd, --config or the environment. */
function commandWords(
  parsed: Parsed,
  base: ImageFields,
): string[] | undefined {
  if (parsed.behind && parsed.behind.length > 0) return parsed.behind;
  const given = words(parsed, "cmd");
  if (given) return given;
  // Another entrypoint makes nothing of the command that went with the old one.
  if (base.command && parsed.value("entrypoint") === undefined) {
    return base.command;
  }
  const text = host.env("COMMAND");
  if (text === undefined) return undefined;
  try {
    const command = splitWords(text);
    return command.length > 0 ? command : undefined;
  } catch (error) {
    throw new UsageError(`COMMAND: ${(error as Error).message}`);
  }
}

function healthcheck(
  parsed: Parsed,
  base: Healthcheck | undefined,
): Healthcheck | undefined {
  if (parsed.on("no-healthcheck")) return { test: ["NONE"] };
  const line = parsed.value("health-cmd");
  const test = line === undefined ? base?.test : told("health-cmd", () => {
    const list = jsonWords(line);
    return list ? ["CMD", ...list] : ["CMD-SHELL", line];
  });
  const seconds = (option: string, old: number | undefined) => {
    const text = parsed.value(option);
    return text === undefined ? old : told(option, () => parseDuration(text));
  };
  const retries = parsed.value("health-retries");
  if (retries !== undefined && !/^\d{1,6}$/.test(retries)) {
    throw new UsageError(`--health-retries: ${retries} is no count`);
  }
  const check = {
    interval: seconds("health-interval", base?.interval),
    timeout: seconds("health-timeout", base?.timeout),
    startPeriod: seconds("health-start-period", base?.startPeriod),
    retries: retries === undefined ? base?.retries : Number(retries),
  };
  if (test) return { test, ...check };
  if (Object.values(check).some((value) => value !== undefined)) {
    throw new UsageError("A health check needs its command: --health-cmd");
  }
  return undefined;
}

/** --created, or else SOURCE_DATE_EPOCH, in seconds since 1970. */
function creationTime(created: string | undefined): number | undefined {
  const name = created === undefined ? "SOURCE_DATE_EPOCH" : "--created";
  const given = created ?? host.env("SOURCE_DATE_EPOCH");
  if (given === undefined) return undefined;
  const seconds = /^\d{1,15}$/.test(given)
    ? Number(given)
    : created !== undefined &&
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(given)
    ? Math.floor(Date.parse(given) / 1000)
    : NaN;
  // The last second of the year 9999, which RFC 3339 ends with.
  if (!(seconds >= 0 && seconds <= 253402300799)) {
    throw new UsageError(
      `${name} is a count of seconds since 1970${
        created === undefined ? "" : " or an RFC 3339 time"
      }, not ${JSON.stringify(given)}`,
    );
  }
  return seconds;
}

/**
 * Reads --platform.
 *
 * @throws {UsageError} If it is malformed.
 */
export function platformOf(parsed: Parsed): Platform {
  const text = parsed.value("platform");
  if (text === undefined) return {};
  const [os, architecture, variant, ...more] = text.split("/");
  if (!os || !architecture || variant === "" || more.length > 0) {
    throw new UsageError(
      `--platform is OS/ARCH[/VARIANT], such as linux/arm64, not ${text}`,
    );
  }
  return { os, architecture, variant };
}
