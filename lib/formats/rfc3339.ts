/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z: all that RFC 3339 can say. */
const FIRST = -62167219200;
const LAST = 253402300799.999;

/**
 * Writes a moment as an RFC 3339 date and time in UTC, such as
 * `2015-06-09T12:00:00Z`. A fraction of a second is kept to the millisecond and
 * left out when it is zero, as Go does, so that whole seconds stay short.
 *
 * @param seconds Seconds since 1970-01-01T00:00:00Z.
 * @returns The date and time.
 * @throws {RangeError} If the moment is no number or outside the years 0000 to
 * 9999, which RFC 3339 cannot write.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3339#section-5.6}
 */
export function rfc3339(seconds: number): string {
  if (!(seconds >= FIRST && seconds <= LAST)) {
    throw new RangeError(
      `Creation time ${seconds} is outside the years 0000 to 9999: give seconds since 1970-01-01T00:00:00Z`,
    );
  }
  return new Date(Math.round(seconds * 1000)).toISOString()
    .replace(/\.?0*Z$/, "Z");
}
