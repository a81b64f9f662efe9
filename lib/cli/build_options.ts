import { ALL_FACES } from "../image/face.ts";
import { COMPRESS_OPTIONS, LAYER_OPTION } from "./compress_options.ts";
import { FOR_OPTION } from "./engine_forms.ts";
import { group, type Option } from "./options.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";
import { SBOM_OPTIONS } from "./sbom_options.ts";

/** Options that say what the image is, for all commands that make one. */
export const IMAGE_OPTIONS: Option[] = group("Image", [
  {
    name: "tag",
    brief: true,
    short: "t",
    value: "NAME[:TAG]",
    help: "name of the image, can be repeated; the tag is latest unless given",
  },
  {
    name: "entrypoint",
    value: "WORDS",
    help: "words before the command: a JSON array, or as in a shell",
  },
  {
    name: "cmd",
    value: "WORDS",
    help: "the command, where none follows --",
  },
  {
    name: "env",
    brief: true,
    short: "e",
    value: "KEY=VALUE",
    help: "environment variable, can be repeated; KEY alone: its value here",
  },
  {
    name: "env-file",
    value: "FILE",
    help: "a file of KEY=VALUE lines, can be repeated",
  },
  {
    name: "workdir",
    brief: true,
    short: "w",
    value: "PATH",
    help: "working directory",
  },
  {
    name: "user",
    brief: true,
    short: "u",
    value: "USER[:GROUP]",
    help: "names or numbers",
  },
  {
    name: "label",
    short: "l",
    value: "KEY=VALUE",
    help: "label, can be repeated",
  },
  {
    name: "label-file",
    value: "FILE",
    help: "a file of KEY=VALUE lines, can be repeated",
  },
  {
    name: "annotation",
    value: "KEY=VALUE",
    help: "annotation of the image manifest, can be repeated",
  },
  {
    name: "expose",
    value: "PORT[/udp]",
    help: "port that the process listens on, can be repeated",
  },
  {
    name: "volume",
    value: "PATH",
    help: "directory that holds data of its own, can be repeated",
  },
  {
    name: "stop-signal",
    value: "SIGNAL",
    help: "such as SIGINT; SIGTERM unless given",
  },
  {
    name: "health-cmd",
    group: "Health check",
    value: "WORDS",
    help: "health check: a JSON array of words, or a line for the shell",
  },
  {
    name: "health-interval",
    group: "Health check",
    value: "TIME",
    help: "such as 30s",
  },
  {
    name: "health-timeout",
    group: "Health check",
    value: "TIME",
    help: "such as 5s",
  },
  {
    name: "health-start-period",
    group: "Health check",
    value: "TIME",
    help: "such as 1m",
  },
  {
    name: "health-start-interval",
    group: "Health check",
    value: "TIME",
    help: "such as 1s; Docker 25 and newer",
  },
  {
    name: "health-retries",
    group: "Health check",
    value: "COUNT",
    help: "failures in a row",
  },
  {
    name: "no-healthcheck",
    group: "Health check",
    help: "switch off a health check of --config",
  },
  {
    name: "shell",
    value: "WORDS",
    help: "shell of shell-form commands: a JSON array, or words",
  },
  { name: "author", value: "TEXT", help: "who made it" },
  {
    name: "created",
    value: "TIME",
    help: "RFC 3339, or seconds since 1970; else SOURCE_DATE_EPOCH, else now",
  },
  {
    name: "platform",
    value: "OS/ARCH[/VARIANT]",
    help: "such as linux/arm64; found in the command's program unless given. " +
      "Can be repeated, for several platforms in one archive; " +
      "OS/ARCH=FILE: the rootfs of that platform",
  },
  {
    name: "primary",
    value: "OS/ARCH[/VARIANT]",
    help: "of several platforms, the one that every face has; this machine's " +
      "unless given, else the first",
  },
  {
    name: "force-platform",
    help: "say --platform of an image that says another one of itself",
  },
  {
    name: "name",
    value: "NAME[:TAG]",
    help:
      "which image to take of a file that holds several, as FILE:NAME[:TAG] does",
  },
  { name: "history", value: "TEXT", help: "how the layer was made" },
  {
    name: "config",
    value: "FILE",
    help:
      "an image config in JSON to start from, such as skopeo inspect --config, " +
      "crane config or docker inspect print it; the options win",
  },
]);

/** The same for commands that take an image, of which --platform chooses. */
export const TAKEN_IMAGE_OPTIONS: Option[] = IMAGE_OPTIONS.map((option) =>
  option.name === "platform"
    ? {
      ...option,
      help: "of several platforms, the one to take, such as linux/arm64; can " +
        "be repeated, and all takes all of them; with --force-platform, what " +
        "the image says of itself",
    }
    : option
);

/** Options of `ciso build` that say what it starts from. */
export const INPUT_OPTIONS: Option[] = group("Input", [
  {
    name: "from",
    brief: true,
    value: "IMAGE",
    help: "image to start from: all that ciso convert takes, also an image " +
      "without layers",
  },
  {
    name: "layer",
    brief: true,
    value: "FILE.tar",
    help: "a layer on top, can be repeated, lowest first",
  },
]);

/** Options of `ciso build` that say how, not what. */
export const WORK_OPTIONS: Option[] = group("Output", [
  {
    name: "output",
    brief: true,
    short: "o",
    value: "FILE",
    help: "where the archive goes; standard output unless given",
  },
  {
    name: "faces",
    value: "LIST",
    help:
      "only these engines' faces, with commas between; all,containerd adds " +
      "the one that containerd loads quickly",
    values: [...ALL_FACES, "all"],
    list: true,
  },
  {
    name: "layout",
    value: "full|classic",
    values: ["full", "classic"],
    help: "classic: only the entries of 2015, for Docker 1.9 and older",
  },
  {
    name: "pristine",
    help: "add no file to the container's root, not even Docker v1's three",
  },
  ...SBOM_OPTIONS,
  {
    name: "allow-whiteouts",
    group: "Input",
    help: "take names that start with .wh. as ordinary files",
  },
  {
    name: "allow-saved-image",
    group: "Input",
    help: "take a rootfs even if it is an image that some tool has saved",
  },
  {
    name: "max-unpacked",
    group: "Input",
    value: "SIZE",
    help: "most that a rootfs may hold once it is decompressed, and that the " +
      "holes of its sparse files may take, such as 64G; 32G unless given",
  },
  {
    name: "max-window",
    group: "Input",
    value: "SIZE",
    help: "most memory that taking zstd or xz off may need, such as 2G; 128M " +
      "unless given",
  },
  ...COMPRESS_OPTIONS,
  LAYER_OPTION,
  FOR_OPTION,
  ...REGISTRY_OPTIONS,
  {
    name: "no-fsync",
    help: "give FILE its name before it is on the disk: quicker, and lost if " +
      "the machine stops in the next seconds",
  },
  {
    name: "json",
    group: "General",
    help: "print what was made as JSON: on standard output if -o is given, " +
      "else on standard error",
  },
  {
    name: "quiet",
    group: "General",
    brief: true,
    short: "q",
    help: "no notes and no progress bar",
  },
  {
    name: "verbose",
    group: "General",
    brief: true,
    short: "v",
    help: "say what was made, changed, and not expressible",
  },
]);
