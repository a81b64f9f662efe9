import { escapedJson } from "../errors/shown.ts";
import { jsonText } from "../formats/json_text.ts";
import { textDigest } from "../streams/sha256.ts";
import { cyclonedx } from "./cyclonedx.ts";
import type { SbomSubject } from "./sbom_subject.ts";
import { spdx } from "./spdx.ts";

/** The forms of an SBOM. */
export const SBOM_FORMATS = ["spdx", "cyclonedx"] as const;

/** One of {@linkcode SBOM_FORMATS}. */
export type SbomFormat = (typeof SBOM_FORMATS)[number];

/** What a file with such an SBOM is called after a dot, and its media type. */
export const SBOM_KINDS: Record<
  SbomFormat,
  { suffix: string; mediaType: string }
> = {
  spdx: { suffix: "spdx.json", mediaType: "application/spdx+json" },
  cyclonedx: {
    suffix: "cdx.json",
    mediaType: "application/vnd.cyclonedx+json",
  },
};

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
