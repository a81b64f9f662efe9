import { SBOM_FORMATS } from "../packages/sbom_formats.ts";
import type { Option } from "./options.ts";

/** What goes with --sbom. */
export const SBOM_FILES: Option = {
  name: "sbom-files",
  help: "list all files in the SBOM too, with their digests",
};

/** Options of all commands that write SBOMs. */
export const SBOM_OPTIONS: Option[] = [
  {
    name: "sbom",
    value: "spdx|cyclonedx[=FILE]",
    help:
      "write a list of the packages in the image, in SPDX 2.3 or CycloneDX " +
      "1.6; can be repeated",
    values: SBOM_FORMATS,
  },
  SBOM_FILES,
];
