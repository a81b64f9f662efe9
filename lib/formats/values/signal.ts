import { shown } from "../../errors/shown.ts";
import { DescriptionError } from "../../errors/description_error.ts";

/** Linux's signals by the names that Docker knows, without `SIG`. */
const NAMES = new Set([
  ..."ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL".split(
    " ",
  ),
  ..."PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG".split(
    " ",
  ),
  ..."USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX".split(" "),
]);

/**
 * Writes the signal that stops an image's process as the OCI image
 * specification wants it: a number, or a name in capitals that starts with
 * `SIG`.
 *
 * @param text A number, or a name in any case, with or without `SIG`.
 * @returns The signal, such as `SIGTERM`, `SIGRTMIN+3` or `9`.
 * @throws {DescriptionError} If Linux has no such signal: Docker makes no
 * container then.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md#properties}
 */
export function stopSignal(text: string): string {
  if (/^\d{1,2}$/.test(text)) {
    if (Number(text) >= 1 && Number(text) <= 64) return String(Number(text));
  } else {
    const name = text.toUpperCase().replace(/^SIG/, "");
    const [, base = name, sign, count] = /^(RTM(?:IN|AX))([+-])(\d{1,2})$/.exec(
      name,
    ) ?? [];
    // The 31 real-time signals that glibc leaves to programs are 34 to 64.
    const far = sign === undefined ||
      (sign === (base === "RTMIN" ? "+" : "-") &&
        Number(count) <= (base === "RTMIN" ? 15 : 14));
    if (NAMES.has(base) && far) return `SIG${name}`;
  }
  throw new DescriptionError(
    `Stop signal ${
      shown(text)
    } is no signal of Linux: give a name such as SIGTERM, or a number from 1 to 64`,
  );
}
