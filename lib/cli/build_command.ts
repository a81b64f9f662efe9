import { LAYER_SIZE_OPTION } from "./compress_options.ts";
import {
  IMAGE_OPTIONS,
  INPUT_OPTIONS,
  TAKEN_IMAGE_OPTIONS,
  WORK_OPTIONS,
} from "./build_options.ts";
import { EDIT_OPTIONS, LAYER_OPTIONS, REBASE_OPTION } from "./edit_options.ts";
import type { Command } from "./command.ts";
import { VERIFY_OPTIONS } from "./signature_options.ts";
import { forEngine } from "./engine_forms.ts";
import { CLASSIC_USAGE } from "./version.ts";

/** `ciso build`, and `ciso` without a command. */
export const buildCommand: Command = {
  name: "build",
  summary: "make an isoc of a rootfs or of layers",
  usage: [
    "[build] [ROOTFS] -t NAME[:TAG] [-o FILE] [-- COMMAND ARG…]",
    "build --from IMAGE [--layer FILE.tar]… -t NAME[:TAG] [-o FILE]",
    "build --platform OS/ARCH=ROOTFS… -t NAME[:TAG] [-o FILE] [-- COMMAND]",
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
    ...EDIT_OPTIONS,
    ...LAYER_OPTIONS,
    ...WORK_OPTIONS,
    LAYER_SIZE_OPTION,
  ],
  examples: [
    "ciso rootfs.tar -t isoc/hello -o hello.isoc -- /bin/echo make container",
    "ciso ./tree -t me/app:1.0 -o app.isoc -- /app --serve",
    "docker export CONTAINER | ciso -t me/app -o app.isoc -- /app",
    "ciso --from debian.tar --layer app.tar -t me/app -o app.isoc -- /app",
  ],
  async run(parsed) {
    const { runBuild } = await import("./build.ts");
    return await runBuild(forEngine(parsed));
  },
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
unless --tag is given. Of an image for several platforms all are kept, unless
--platform chooses one, or several.`,
  options: [
    ...TAKEN_IMAGE_OPTIONS,
    ...VERIFY_OPTIONS,
    ...EDIT_OPTIONS,
    ...LAYER_OPTIONS,
    REBASE_OPTION,
    ...WORK_OPTIONS,
  ],
  examples: [
    "ciso convert saved.tar -o app.isoc",
    "ciso convert app.isoc --squash --unset env=SECRET -o small.isoc",
    "ciso convert app.isoc --rebase debian12.tar debian13.tar -o new.isoc",
    "docker save me/app | ciso convert -t me/app:2 -o app.isoc",
  ],
  async run(parsed) {
    const { runConvert } = await import("./convert.ts");
    return await runConvert(forEngine(parsed));
  },
};

/** `ciso join`. */
export const joinCommand: Command = {
  name: "join",
  summary: "make one isoc of the images for several platforms",
  usage: ["join IMAGE IMAGE… [-t NAME[:TAG]] [-o FILE] [-- COMMAND ARG…]"],
  about:
    `Each IMAGE is what ciso convert takes, for one platform or several. All become one
image for all platforms: each engine takes what is for its machine. Layers and
configurations stay as they are, but for what the options say. The images must have
the same names, unless --tag gives others, or --name chooses one of them. Files
that are in several layers are in the archive for each of them; layers that are the
same are there once.

Engines that know no platforms, such as rkt, runc and LXD, take the primary one.`,
  options: [
    ...TAKEN_IMAGE_OPTIONS,
    ...VERIFY_OPTIONS,
    ...EDIT_OPTIONS,
    ...LAYER_OPTIONS,
    ...WORK_OPTIONS,
  ],
  examples: [
    "ciso join amd64.isoc arm64.isoc -o app.isoc",
    "ciso join amd64.isoc arm64.isoc --add ca.pem:/etc/ssl/ca.pem -o app.isoc",
    "ciso join amd64.tar arm64.tar.zst -t me/app:1.0 --primary linux/arm64 -o app.isoc",
  ],
  async run(parsed) {
    const { runJoin } = await import("./join.ts");
    return await runJoin(forEngine(parsed));
  },
};
