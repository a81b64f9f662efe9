import type { Command } from "./command.ts";
import { COMMON } from "./export_options.ts";
import type { Option } from "./options.ts";
import { signatureOptions } from "./signature_options.ts";

/** The options of `ciso verify`. */
const OPTIONS: Option[] = [
  ...signatureOptions("key", "keyring"),
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

/** `ciso verify`. */
export const verifyCommand: Command = {
  name: "verify",
  summary: "check images, and tell which engines take them",
  usage: [
    "verify FILE… [--json]",
    "verify FILE --key PUBLIC-KEY [--signature FILE]",
    "verify --rules",
  ],
  about:
    `FILE is an isoc, what docker save or podman save writes, an OCI layout (tar or
directory), an ACI, or an image of LXD or Incus, compressed or not; - is standard
input. All digests are computed anew; the files below rootfs/ are compared with
those of the layers, and all documents with each other. Each finding is a line:
  FILE: SEVERITY RULE ENTRY: WHAT IS WRONG; hurts ENGINES; REMEDY

With --key or --keyring the signature of each file is checked first, without a
network. A file that is not signed by that key is not looked into.`,
  options: OPTIONS,
  exitCodes: [
    ["0", "no findings"],
    [
      "1",
      "findings, a signature that is not right or not there, or a file that is " +
      "no image or cannot be read",
    ],
  ],
  examples: [
    "ciso verify hello.isoc",
    "ciso verify --json *.isoc",
    "ciso verify hello.isoc --key ciso.pub",
  ],
  async run(parsed) {
    const { runVerify } = await import("./verify.ts");
    return await runVerify(parsed);
  },
};
