import { escapedJson } from "../errors/shown.ts";
import { jsonText } from "../formats/json_text.ts";
import { textDigest } from "../streams/sha256.ts";
import { cyclonedx } from "./cyclonedx.ts";
import type { SbomFormat } from "./sbom_formats.ts";
import type { SbomSubject } from "./sbom_subject.ts";
import { spdx } from "./spdx.ts";

/**
 * Writes an SBOM. The same image gives the same bytes anywhere: its identifier is
 * made of what is in it, and its time is the image's.
 *
 * @returns JSON with a line break at its end.
 */
export function sbomText(format: SbomFormat, subject: SbomSubject): string {
  const write = format === "spdx" ? spdx : cyclonedx;
  const uuid = uuidOf(jsonText(write(subject, "")));
  return `${escapedJson(write(subject, uuid), 2)}\n`;
}

/** A UUID that is made of a text (RFC 9562, version 8). */
function uuidOf(text: string): string {
  const hex = textDigest(text);
  const variant = "89ab"[parseInt(hex[16]!, 16) & 3];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
