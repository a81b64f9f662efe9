import { DescriptionError } from "../errors/description_error.ts";
import { shown } from "../errors/shown.ts";
import { isRefusal } from "../errors/refusal.ts";
import { parseRfc3339, rfc3339 } from "../formats/values/time.ts";
import { host } from "../system/host.ts";
import { UsageError } from "./usage_error.ts";

/** SOURCE_DATE_EPOCH as RFC 3339, if it is set. */
export function sourceDate(): string | undefined {
  const seconds = creationTime(undefined);
  return seconds === undefined ? undefined : rfc3339(seconds);
}

/** --created, or else SOURCE_DATE_EPOCH, in seconds since 1970. */
export function creationTime(created: string | undefined): number | undefined {
  const name = created === undefined ? "SOURCE_DATE_EPOCH" : "--created";
  const given = created ?? host.env("SOURCE_DATE_EPOCH");
  if (given === undefined) return undefined;
  try {
    const seconds = /^\d{1,15}$/.test(given) || created === undefined
      ? Number(/^\d+$/.exec(given)?.[0])
      : Math.floor(parseRfc3339(given));
    if (seconds < 0) throw new DescriptionError("It is before 1970");
    rfc3339(seconds);
    return seconds;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new UsageError(
      `${name} is a count of seconds since 1970${
        created === undefined ? "" : " or an RFC 3339 time from then on"
      }, not ${shown(given)}`,
    );
  }
}
