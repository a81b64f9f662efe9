import { shown } from "../../errors/shown.ts";
import { InputError } from "../../errors/input_error.ts";
import { DescriptionError } from "../../errors/description_error.ts";
import { unlessRefused } from "../../errors/refusal.ts";

/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z: all that RFC 3339 can say. */
const FIRST = -62167219200;
const LAST = 253402300799.999;

/**
 * Writes a moment as an RFC 3339 date and time in UTC, such as
 * `2015-06-09T12:00:00Z`. A fraction of a second has milliseconds, and is left
 * out when it is zero, as Go does, so that whole seconds stay short.
 *
 * @param seconds Seconds since 1970-01-01T00:00:00Z.
 * @returns The date and time.
 * @throws {DescriptionError} If the moment is no number or outside the years 0000 to
 * 9999, which RFC 3339 cannot write.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3339#section-5.6}
 */
export function rfc3339(seconds: number): string {
  if (!(seconds >= FIRST && seconds <= LAST)) {
    throw new DescriptionError(
      `Creation time ${seconds} is outside the years 0000 to 9999: give seconds since 1970-01-01T00:00:00Z`,
    );
  }
  const exact = seconds * 1000;
  // Never up, into the next second, but for the error of the number itself.
  const error = Math.abs(exact) * 2 * Number.EPSILON;
  return new Date(Math.floor(exact + error)).toISOString()
    .replace(/\.?0*Z$/, "Z");
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * Reads an RFC 3339 date and time, such as `2015-06-09T14:00:00.5+02:00`.
 *
 * @param text The date and time.
 * @returns Seconds since 1970-01-01T00:00:00Z, with microseconds.
 * @throws {InputError} If the text has another form or names no moment.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3339#section-5.6}
 */
export function parseRfc3339(text: string): number {
  const [, year, month, day, hour, minute, second, fraction, sign, h, m] =
    TIME.exec(text) ?? [];
  const date = new Date(0);
  // Date.UTC() takes the years before 100 for those of the last century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const same = date.getUTCDate() === Number(day) &&
    date.getUTCMonth() === Number(month) - 1 && Number(hour) < 24 &&
    Number(minute) < 60 && Number(second) < 60;
  // The 31st of June is another day to Date, and 24:00 too.
  if (!same || Number(h ?? 0) > 23 || Number(m ?? 0) > 59) {
    throw new InputError(
      `${shown(text)} is no RFC 3339 time such as 2015-06-09T12:00:00Z`,
    );
  }
  const offset = (Number(h ?? 0) * 60 + Number(m ?? 0)) * 60;
  // More digits round up to the next second.
  return date.getTime() / 1000 + Number(fraction?.slice(0, 7) ?? 0) -
    (sign === "-" ? -offset : offset);
}

/**
 * Whether Go, which engines are written in, takes a text for a time. It is
 * stricter than RFC 3339: `T` and `Z` are capitals.
 *
 * @param text The text.
 */
export function isGoTime(text: string): boolean {
  if (!/^[^a-z ]*$/.test(text)) return false;
  return unlessRefused(() => parseRfc3339(text)) !== undefined;
}
