import { COMMON } from "./export_options.ts";
import { optionTable } from "./help.ts";
import type { Option } from "./options.ts";

/** The options of `ciso verify`. */
export const VERIFY_OPTIONS: Option[] = [
  { name: "json", help: "print one JSON document" },
  { name: "rules", help: "explain all rules, and verify nothing" },
  ...COMMON.map((option) =>
    option.name === "verbose"
      ? { ...option, help: "print notes too, and why engines refuse the image" }
      : option.name === "quiet"
      ? { ...option, help: "print findings alone, and no progress bar" }
      : option
  ),
];

/** The text of `ciso verify --help`. */
export function verifyHelp(options: Option[]): string {
  return `ciso verify checks images, and tells which engines take them.

Usage:
  ciso verify FILE… [--json]
  ciso verify --rules

FILE is an isoc, what docker save or podman save writes, an OCI layout (tar or
directory), an ACI, or an image of LXD or Incus, compressed or not; - is standard
input. All digests are computed anew; the files below rootfs/ are compared with
those of the layers, and all documents with each other. Each finding is a line:

  FILE: SEVERITY RULE ENTRY: WHAT IS WRONG; hurts ENGINES; REMEDY

Options:
${optionTable(options)}

Exit codes:
  0  no findings
  1  findings, or a file that is no image or cannot be read
  2  wrong usage
`;
}
