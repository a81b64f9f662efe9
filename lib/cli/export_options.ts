import type { ExportFace } from "../export/export_face.ts";
import { FACES } from "../image/face.ts";
import type { Option } from "./options.ts";

/** What `ciso export --as` takes. */
export const EXPORT_FACES: (ExportFace | "isoc")[] = [
  ...FACES,
  "rootfs",
  "isoc",
];

/** The options that all of these commands have. */
export const COMMON: Option[] = [
  {
    name: "max-unpacked",
    value: "SIZE",
    help:
      "most that a compressed archive may hold, such as 64G; 32G unless given",
  },
  {
    name: "max-window",
    value: "SIZE",
    help: "most memory that taking zstd or xz off may need, such as 2G; 128M " +
      "unless given",
  },
  { name: "quiet", short: "q", help: "no notes and no progress bar" },
  { name: "verbose", short: "v", help: "say what is done" },
  { name: "help", short: "h", help: "show this text" },
  { name: "version", short: "V", help: "show the version" },
];

/** The options of `ciso export`. */
export const EXPORT_OPTIONS: Option[] = [
  {
    name: "as",
    value: "FACE",
    help: `what to write: ${EXPORT_FACES.join(", ")}`,
  },
  {
    name: "output",
    short: "o",
    value: "FILE",
    help:
      "where it goes, standard output unless given; with --as bundle, DIR/ " +
      "is a directory to unpack to",
  },
  {
    name: "allow-devices",
    help:
      "with DIR/, make block devices too, and devices that everybody may write to",
  },
  ...COMMON,
];

/** The options of `ciso load`. */
export const LOAD_OPTIONS: Option[] = [
  {
    name: "engine",
    value: "NAME",
    help:
      "docker, podman, nerdctl, ctr, rkt, lxc or incus; the first one that " +
      "is here unless given",
  },
  { name: "dry-run", help: "print the command, and run nothing" },
  ...COMMON,
];
