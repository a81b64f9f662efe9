import type { Input } from "../system/input.ts";
import type { SeekableTar } from "../tar/seeking.ts";

/**
 * A tar that is made while it is read, as far as is known before what it will be.
 *
 * @param spool Holds it where it must be read again.
 * @param how How it is made.
 */
export function madeTar(
  spool: Input,
  how: Pick<SeekableTar, "likelySize" | "making" | "before">,
): SeekableTar {
  return {
    get size() {
      return spool.size;
    },
    isSteady: true,
    once: () => spool.once!(),
    stream: () => spool.stream(),
    slice: (start, end) => spool.slice(start, end),
    fill: (buffer, start) => spool.fill!(buffer, start),
    ...how,
  };
}
