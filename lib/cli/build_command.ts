import { runBuild, runConvert } from "./build.ts";
import { IMAGE_OPTIONS, INPUT_OPTIONS, WORK_OPTIONS } from "./build_options.ts";
import type { Command } from "./command.ts";
import { VERIFY_OPTIONS } from "./signature_check.ts";
import { CLASSIC_USAGE } from "./version.ts";

/** `ciso build`, and `ciso` without a command. */
export const buildCommand: Command = {
  name: "build",
  summary: "make an isoc of a rootfs or of layers",
  usage: [
    "[build] [ROOTFS] -t NAME[:TAG] [-o FILE] [-- COMMAND ARG…]",
    "build --from IMAGE [--layer FILE.tar]… -t NAME[:TAG] [-o FILE]",
  ],
  about:
    `Reads a rootfs, a tar or a directory, from a file or from standard input and
writes an isoc: a tar that Docker, podman, containerd, skopeo, rkt, runc, LXD and
Incus each take as their own image. The tar may be compressed with gzip, zstd, xz
or bzip2.

The word build can be left out. The usage of 2015 works as well:
  ${CLASSIC_USAGE}`,
  options: [
    ...IMAGE_OPTIONS,
    ...INPUT_OPTIONS,
    ...VERIFY_OPTIONS,
    ...WORK_OPTIONS,
  ],
  examples: [
    "ciso rootfs.tar -t isoc/hello -o hello.isoc -- /bin/echo make container",
    "ciso ./tree -t me/app:1.0 -o app.isoc -- /app --serve",
    "docker export CONTAINER | ciso -t me/app -o app.isoc -- /app",
    "ciso --from debian.tar --layer app.tar -t me/app -o app.isoc -- /app",
  ],
  run: runBuild,
};

/** `ciso convert`. */
export const convertCommand: Command = {
  name: "convert",
  summary: "make an isoc of an image in another format",
  usage: [
    "convert [IMAGE] [-t NAME[:TAG]] [-o FILE] [-- COMMAND ARG…]",
    "convert METADATA ROOTFS [-t NAME[:TAG]] [-o FILE]",
  ],
  about:
    `IMAGE is an isoc, what docker save of any age or podman save writes, an OCI
layout or a dir: layout of skopeo (tar or directory), an ACI, an OCI runtime
bundle (tar or directory), or an image of LXD or Incus, whose files may be in a
second file, ROOTFS; from a file or from standard input. Its layers and its
configuration stay as they are, but for what the options say; its names stay
unless --tag is given.`,
  options: [...IMAGE_OPTIONS, ...VERIFY_OPTIONS, ...WORK_OPTIONS],
  examples: [
    "ciso convert saved.tar -o app.isoc",
    "docker save me/app | ciso convert -t me/app:2 -o app.isoc",
  ],
  run: runConvert,
};
