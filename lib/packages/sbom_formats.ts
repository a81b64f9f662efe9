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
