import { shown } from "../../errors/shown.ts";
import { DescriptionError } from "../../errors/description_error.ts";
import type { Image } from "../../image/image.ts";

/** A port that the image's process listens on. */
export interface ExposedPort {
  /** 1 to 65535. */
  port: number;
  protocol: "tcp" | "udp" | "sctp";
}

/**
 * Reads one entry of an image's `exposedPorts`.
 *
 * @param text `PORT`, `PORT/tcp`, `PORT/udp` or `PORT/sctp`; TCP unless said.
 * @returns The port.
 * @throws {DescriptionError} If the text has another form.
 * @throws {DescriptionError} If the number is not from 1 to 65535.
 */
export function parseExposedPort(text: string): ExposedPort {
  const match = /^([0-9]+)(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (!match) {
    throw new DescriptionError(
      `Exposed port ${
        shown(text)
      } is not PORT, PORT/tcp, PORT/udp or PORT/sctp`,
    );
  }
  const port = Number(match[1]);
  if (port < 1 || port > 65535) {
    throw new DescriptionError(
      `Exposed port ${shown(text)} is not from 1 to 65535`,
    );
  }
  return { port, protocol: (match[2] ?? "tcp") as ExposedPort["protocol"] };
}

/**
 * Lists the ports of an image, each one once: `80` and `80/tcp` are the same.
 *
 * @param image The image.
 * @returns The ports, in the order in which they first came.
 * @throws {DescriptionError} If a port is malformed.
 * @throws {DescriptionError} If a port's number is not from 1 to 65535.
 */
export function exposedPorts(image: Image): ExposedPort[] {
  const ports = (image.exposedPorts ?? []).map(parseExposedPort);
  return [...new Map(ports.map((port) => [portKey(port), port])).values()];
}

/**
 * Writes a port as image configs have it.
 *
 * @param port The port.
 * @returns `PORT/PROTOCOL`.
 */
export function portKey({ port, protocol }: ExposedPort): string {
  return `${port}/${protocol}`;
}
