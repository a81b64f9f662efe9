import type { Command } from "./command.ts";
import {
  CAT_OPTIONS,
  DIFF_OPTIONS,
  INSPECT_OPTIONS,
} from "./inspect_options.ts";

/** `ciso inspect`. */
export const inspectCommand: Command = {
  name: "inspect",
  summary: "show what is in an image: configuration, layers, files, bytes",
  usage: [
    "inspect [IMAGE] [--json]",
    "inspect IMAGE --files [PATH]",
    "inspect IMAGE --config | --manifest FACE | --html FILE",
  ],
  about:
    `IMAGE is an isoc, what docker save or podman save writes, an OCI layout (tar or
directory), an ACI, or an image of LXD or Incus, compressed or not; - or nothing is
standard input. Data of files are passed over, and no digest is checked: ciso verify
does that. Of several images in one file, all are listed and one is shown: the first
one, unless --platform or --name choose.`,
  options: INSPECT_OPTIONS,
  examples: [
    "ciso inspect hello.isoc",
    "docker save alpine | ciso inspect --json | jq .image.layers",
    "ciso inspect hello.isoc --files /etc",
    "ciso inspect hello.isoc --html hello.html",
  ],
  async run(parsed) {
    const { runInspect } = await import("./inspect.ts");
    return await runInspect(parsed);
  },
};

/** `ciso cat`. */
export const catCommand: Command = {
  name: "cat",
  summary: "print files of an image",
  usage: ["cat IMAGE PATH…"],
  about:
    `IMAGE is what ciso inspect takes; - is standard input. PATH is a file in the
image's root file system; symlinks are followed. Several files come one after the
other; if one is missing, none is printed.`,
  options: CAT_OPTIONS,
  examples: ["ciso cat hello.isoc /etc/os-release"],
  async run(parsed) {
    const { runCat } = await import("./cat.ts");
    return await runCat(parsed);
  },
};

/** `ciso diff`. */
export const diffCommand: Command = {
  name: "diff",
  summary: "show what differs between two images",
  usage: ["diff A B [--json]"],
  about:
    `A and B are what ciso inspect takes. Compared are the configuration, and of each
file its type, mode, owner, time, extended attributes, link target and content.`,
  options: DIFF_OPTIONS,
  exitCodes: [
    ["0", "the images are the same"],
    ["1", "they differ, or one of them cannot be read"],
  ],
  examples: [
    "ciso diff old.isoc new.isoc",
    "docker save app:2 | ciso diff app1.tar - --ignore-times",
  ],
  async run(parsed) {
    const { runDiff } = await import("./diff.ts");
    return await runDiff(parsed);
  },
};
