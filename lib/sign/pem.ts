import { InputError } from "../errors/input_error.ts";
import { fromBase64, toBase64 } from "./base64.ts";

/** What a PEM file holds: RFC 7468. */
export interface Pem {
  /** What it is, such as `PUBLIC KEY`. */
  label: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const BLOCK =
  /-----BEGIN ([A-Z0-9 ]+)-----\r?\n(?:[\w-]+: .*\r?\n)*([A-Za-z0-9+/=\s]*)-----END \1-----/;

/**
 * Reads the first block of a PEM file.
 *
 * @returns `undefined` if there is none.
 * @throws {InputError} If it is damaged.
 */
export function readPem(text: string): Pem | undefined {
  const [, label, body] = BLOCK.exec(text) ?? [];
  if (label === undefined || body === undefined) {
    if (!text.includes("-----BEGIN ")) return undefined;
    throw new InputError("It is cut short or damaged: a PEM block has no end");
  }
  return { label, bytes: fromBase64("Its content", body) };
}

/** Writes a PEM file. */
export function writePem(label: string, bytes: Uint8Array): string {
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${
    lines.join("\n")
  }\n-----END ${label}-----\n`;
}
