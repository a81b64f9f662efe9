import { DescriptionError } from "../../errors/description_error.ts";
import { shown } from "../../errors/shown.ts";
import type { Image } from "../../image/image.ts";

/** Ports that the image's process listens on, one after another. */
export interface ExposedPort {
  /** The first one, 1 to 65535. */
  port: number;
  /** How many there are. */
  count: number;
  protocol: "tcp" | "udp" | "sctp";
}

/**
 * Reads one entry of an image's `exposedPorts`.
 *
 * @param text `PORT` or `FIRST-LAST`, as it is or with `/tcp`, `/udp` or `/sctp`
 * in any case; TCP unless said.
 * @returns The ports.
 * @throws {DescriptionError} If the text has another form.
 * @throws {DescriptionError} If a number is not from 1 to 65535.
 */
export function parseExposedPort(text: string): ExposedPort {
  const match = /^([0-9]{1,10})(?:-([0-9]{1,10}))?(?:\/(tcp|udp|sctp))?$/.exec(
    text.toLowerCase(),
  );
  if (!match) {
    throw new DescriptionError(
      `Exposed port ${
        shown(text)
      } is not PORT or FIRST-LAST, as it is or with /tcp, /udp or /sctp`,
    );
  }
  const port = Number(match[1]);
  const last = Number(match[2] ?? port);
  if (port < 1 || port > 65535 || last > 65535) {
    throw new DescriptionError(
      `Exposed port ${shown(text)} is not from 1 to 65535`,
    );
  }
  if (last < port) {
    throw new DescriptionError(
      `Exposed port ${shown(text)} ends before it begins`,
    );
  }
  const protocol = (match[3] ?? "tcp") as ExposedPort["protocol"];
  return { port, count: last - port + 1, protocol };
}

/**
 * Lists the ports of an image, each entry once: `80` and `80/tcp` are the same.
 *
 * @param image The image.
 * @returns The ports, in the order in which they first came.
 * @throws {DescriptionError} If a port is malformed.
 * @throws {DescriptionError} If a port's number is not from 1 to 65535.
 */
export function exposedPorts(
  { exposedPorts = [] }: Pick<Image, "exposedPorts">,
): ExposedPort[] {
  const ports = exposedPorts.map(parseExposedPort);
  return [...new Map(ports.map((port) => [portKey(port), port])).values()];
}

/**
 * Writes a port, or a range of them, as `PORT/PROTOCOL` or `FIRST-LAST/PROTOCOL`.
 *
 * @param port The port.
 */
export function portKey({ port, count, protocol }: ExposedPort): string {
  return count === 1
    ? `${port}/${protocol}`
    : `${port}-${port + count - 1}/${protocol}`;
}

/**
 * Writes each port of a range by itself, as image configs have them.
 *
 * @param port The port.
 * @returns `PORT/PROTOCOL` texts.
 */
export function portKeys({ port, count, protocol }: ExposedPort): string[] {
  return Array.from({ length: count }, (_, i) => `${port + i}/${protocol}`);
}
