import { shown } from "../errors/shown.ts";
import { parseUser } from "../formats/values/user.ts";
import type { BaseImage, ImageFields } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import type { Platform } from "../read/read_oci.ts";
import type { ImageDescription } from "../rootfs/facts.ts";
import { host } from "../system/host.ts";
import { checked } from "./checked_field.ts";
import { configFile } from "./config_file.ts";
import { creationTime } from "./creation_time.ts";
import { inFile, named } from "./failure.ts";
import { healthcheck } from "./healthcheck_options.ts";
import type { Parsed } from "./options.ts";
import { pairLines, pairs } from "./pairs.ts";
import { platformOf } from "./platform_words.ts";
import { UsageError } from "./usage_error.ts";
import { CLASSIC_USAGE } from "./version.ts";
import { splitWords, wordsOf } from "./words.ts";

/** What the image says that another one starts from. */
export interface Base {
  /** What its documents say of it. */
  base: BaseImage;
  names: string[];
  /** A name that it has and no archive can say. */
  oddName?: string;
  annotations?: Record<string, string> | undefined;
  /** Whether no layer comes on top. */
  complete?: boolean;
  /** How a new layer was made, unless --history says it. */
  history?: string;
}

/**
 * Makes the image description that a command line, its files and the
 * environment ask for. Options win over `--config`, and both over the
 * environment's NAME and COMMAND, which go with a rootfs only.
 *
 * @param parsed The command line.
 * @param from The image it starts from; --config and the options win over it.
 * It need not have a command; without it there must be one.
 * @throws {UsageError} If something is missing or malformed; the message names
 * the option.
 */
export function imageDescription(
  parsed: Parsed,
  from?: Base,
): ImageDescription {
  const base = { ...from?.base.fields, ...configFile(parsed.value("config")) };
  const names = imageNames(parsed, from);
  const entrypoint = words(parsed, "entrypoint") ?? base.entrypoint;
  const command = commandWords(parsed, base, from === undefined);
  const runs = from !== undefined || command?.length || entrypoint?.length;
  checkPresent(names, Boolean(runs), from);
  if (!from && [...entrypoint ?? [], ...command ?? []][0] === "") {
    throw new UsageError(
      "The command is an empty word: name a program first, such as -- /bin/sh",
    );
  }
  const user = parsed.value("user");
  named("--user", () => parseUser(user));
  const created = parsed.value("created");
  // SOURCE_DATE_EPOCH is for what is made, and this image has been made before.
  const keepsTime = created === undefined && from?.complete;
  return {
    ...base,
    names: names.list,
    command,
    entrypoint,
    ...pairFields(parsed, base, from),
    workdir: checked("workdir", "workdir", parsed.value("workdir")) ??
      base.workdir,
    user: user ?? base.user,
    exposedPorts: unique(
      base.exposedPorts,
      checked("expose", "exposedPorts", parsed.values("expose")),
    ),
    volumes: unique(
      base.volumes,
      checked("volume", "volumes", parsed.values("volume")),
    ),
    stopSignal: checked(
      "stop-signal",
      "stopSignal",
      parsed.value("stop-signal"),
    ) ?? base.stopSignal,
    healthcheck: healthcheck(parsed, base.healthcheck),
    shell: words(parsed, "shell") ?? base.shell,
    author: parsed.value("author") ?? base.author,
    // An image without a time stays without one.
    created: (keepsTime ? base.created ?? 0 : creationTime(created)) ??
      base.created ?? Math.floor(Date.now() / 1000),
    history: parsed.value("history") ?? from?.history,
    base: from?.base,
    ...imagePlatform(parsed, from),
  };
}

/** The names of an image, and what messages call their origin. */
interface Names {
  list: string[];
  origin: string | undefined;
}

function imageNames(parsed: Parsed, from: Base | undefined): Names {
  const tags = parsed.values("tag");
  if (tags.length > 0) return { list: tags, origin: "--tag" };
  // They go with a rootfs, as in 2015; some systems set NAME to the machine's.
  const name = from ? undefined : host.env("NAME");
  if (name) return { list: [name], origin: "NAME" };
  return { list: from?.names ?? [], origin: undefined };
}

/** Refuses an image that has no name or nothing to run. */
function checkPresent(
  { list, origin }: Names,
  runs: boolean,
  from: Base | undefined,
): void {
  if (list.length === 0 && from) {
    const own = from.oddName === undefined
      ? "no name of its own"
      : `the name ${shown(from.oddName)}, which engines refuse`;
    throw new UsageError(
      `The image has ${own}: give it one with --tag NAME[:TAG]`,
    );
  }
  if (list.length === 0 || !runs) {
    const what = list.length > 0
      ? "command"
      : runs
      ? "name"
      : "name and no command";
    throw new UsageError(
      `There is no ${what}. Usage: ${CLASSIC_USAGE}\n` +
        "or: ciso rootfs.tar -t NAME[:TAG] -o image.isoc -- COMMAND ARG…",
    );
  }
  named(origin, () => parseNames(list));
}

/** The fields that are pairs: those of files first, then those of options. */
function pairFields(
  parsed: Parsed,
  base: ImageFields,
  from: Base | undefined,
): Pick<ImageDescription, "env" | "labels" | "annotations"> {
  const variables = (option: string, lines: string[]) =>
    checked(option, "env", lines.flatMap(variable));
  const labelLines = fileLines(parsed, "label-file");
  return {
    env: [
      ...base.env ?? [],
      ...variables("env-file", fileLines(parsed, "env-file")),
      ...variables("env", parsed.values("env")),
    ],
    labels: {
      ...base.labels,
      ...named("--label-file", () => pairs(labelLines)),
      ...named("--label", () => pairs(parsed.values("label"))),
    },
    annotations: {
      ...from?.annotations,
      ...named("--annotation", () => pairs(parsed.values("annotation"))),
    },
  };
}

function imagePlatform(parsed: Parsed, from: Base | undefined): Platform {
  const platform = platformOf(parsed);
  // linux/arm64 chooses an image of any variant; the image's own variant stays.
  if (
    from && !platform.variant &&
    platform.architecture === from.base.fields.architecture
  ) {
    delete platform.variant;
  }
  return platform;
}

function fileLines(parsed: Parsed, option: string): string[] {
  return parsed.values(option).flatMap((path) =>
    inFile(path, () => pairLines(host.readBytes(path)))
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
  return named(`--${option}`, () => wordsOf(text));
}

/** The command after `--`, or of --cmd, --config or the environment. */
function commandWords(
  parsed: Parsed,
  base: ImageFields,
  environment: boolean,
): string[] | undefined {
  if (parsed.rest && parsed.rest.length > 0) return parsed.rest;
  const given = words(parsed, "cmd");
  if (given) return given;
  // A new entrypoint drops the command of the old one.
  if (base.command && parsed.value("entrypoint") === undefined) {
    return base.command;
  }
  const text = environment ? host.env("COMMAND") : undefined;
  if (text === undefined) return undefined;
  const command = named("COMMAND", () => splitWords(text));
  return command.length > 0 ? command : undefined;
}
