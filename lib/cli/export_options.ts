import { ENGINES } from "./engines.ts";
import type { ExportFace } from "../export/export_face.ts";
import { ALL_FACES, FACES } from "../image/face.ts";
import { COMPRESS_OPTIONS, LAYER_OPTION } from "./compress_options.ts";
import { FOR_OPTION } from "./engine_forms.ts";
import type { Option } from "./options.ts";
import { VERIFY_OPTIONS } from "./signature_options.ts";

/** What `ciso export --as` takes. */
export const EXPORT_FACES: (ExportFace | "isoc")[] = [
  ...FACES,
  "rootfs",
  "isoc",
];

/** Options that all commands which read an archive have. */
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
  {
    name: "quiet",
    group: "General",
    short: "q",
    help: "no notes and no progress bar",
  },
  { name: "verbose", group: "General", short: "v", help: "say what is done" },
];

/** Of commands that write files. */
export const NO_FSYNC: Option = {
  name: "no-fsync",
  help: "give it its name before it is on the disk: quicker, and lost if " +
    "the machine stops in the next seconds",
};

/** The options of `ciso export`. */
export const EXPORT_OPTIONS: Option[] = [
  {
    name: "as",
    value: "FACE",
    help: "what to write",
    values: EXPORT_FACES,
    brief: true,
  },
  {
    name: "platform",
    value: "OS/ARCH[/VARIANT]",
    help:
      "the image to take of several platforms; unless given, oci has all, " +
      "the other faces are of the primary platform",
  },
  {
    name: "faces",
    value: "LIST",
    values: [...ALL_FACES, "all"],
    list: true,
    help:
      "with --as isoc, the faces that it gets; all,containerd adds the one " +
      "that containerd loads quickly",
  },
  {
    name: "output",
    short: "o",
    value: "FILE",
    help:
      "where it goes, standard output unless given; with --as bundle, DIR/ " +
      "is a directory to unpack to",
  },
  NO_FSYNC,
  {
    name: "allow-devices",
    help:
      "with DIR/, make block devices too, and devices that everybody may write to",
  },
  ...VERIFY_OPTIONS,
  ...COMPRESS_OPTIONS,
  LAYER_OPTION,
  FOR_OPTION,
  ...COMMON,
];

/** The options of `ciso load`. */
export const LOAD_OPTIONS: Option[] = [
  {
    name: "engine",
    value: "NAME",
    help: "the engine; the first one that is here unless given",
    values: ENGINES.map(({ name }) => name),
    brief: true,
  },
  {
    name: "platform",
    value: "OS/ARCH[/VARIANT]",
    help: "the image to take of several platforms; this machine's unless given",
  },
  { name: "dry-run", help: "print the command, and run nothing" },
  ...VERIFY_OPTIONS,
  ...COMMON,
];
