import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { Healthcheck } from "../image/image.ts";
import { check } from "./checked_field.ts";
import { parseDuration } from "./duration.ts";
import { named } from "./failure.ts";
import type { Parsed } from "./options.ts";
import { UsageError } from "./usage_error.ts";
import { jsonWords } from "./words.ts";

/**
 * The health check that the options ask for.
 *
 * @param base That of the image or of --config, which the options win over.
 * @throws {UsageError} If an option is malformed, or the command is missing.
 */
export function healthcheck(
  parsed: Parsed,
  base: Healthcheck | undefined,
): Healthcheck | undefined {
  const line = parsed.value("health-cmd");
  if (parsed.on("no-healthcheck")) {
    if (line === undefined) return { test: ["NONE"] };
    throw new UsageError(
      "--no-healthcheck and --health-cmd exclude each other",
    );
  }
  const test = line === undefined ? base?.test : named("--health-cmd", () => {
    const list = jsonWords(line) ?? (line.trim() === "" ? [] : undefined);
    if (list?.length === 0) throw new InputError("There is no command");
    return list ? ["CMD", ...list] : ["CMD-SHELL", line];
  });
  const seconds = (option: string, old: number | undefined) => {
    const text = parsed.value(option);
    if (text === undefined) return old;
    const interval = named(`--${option}`, () => parseDuration(text));
    named(
      `--${option}`,
      () => check({ healthcheck: { test: ["NONE"], interval } }),
    );
    return interval;
  };
  const retries = parsed.value("health-retries");
  if (retries !== undefined && !/^\d{1,6}$/.test(retries)) {
    throw new UsageError(`--health-retries: ${shown(retries)} is not a count`);
  }
  const times = {
    interval: seconds("health-interval", base?.interval),
    timeout: seconds("health-timeout", base?.timeout),
    startPeriod: seconds("health-start-period", base?.startPeriod),
    startInterval: seconds("health-start-interval", base?.startInterval),
    retries: retries === undefined ? base?.retries : Number(retries),
  };
  if (test) return { test, ...times };
  if (Object.values(times).some((value) => value !== undefined)) {
    throw new UsageError("A health check needs its command: --health-cmd");
  }
  return undefined;
}
