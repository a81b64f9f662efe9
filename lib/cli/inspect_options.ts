import { FACES } from "../image/face.ts";
import { COMMON as ARCHIVE } from "./export_options.ts";
import { SBOM_OPTIONS } from "./sbom_options.ts";
import type { Option } from "./options.ts";

/** Options of all commands that read an image file. */
const COMMON: Option[] = [
  {
    name: "platform",
    value: "OS/ARCH[/VARIANT]",
    help: "the image to take of a file that has several",
  },
  {
    name: "name",
    value: "NAME[:TAG]",
    help: "the image to take of a file that has several names",
  },
  ...ARCHIVE.filter(({ group }) => group === undefined),
];

const COLOR: Option = {
  name: "color",
  value: "WHEN",
  help: "on a terminal unless NO_COLOR is set, always or never",
  values: ["auto", "always", "never"],
};

/** The options of `ciso inspect`. */
export const INSPECT_OPTIONS: Option[] = [
  {
    name: "json",
    help: "print JSON; docs/inspect.md describes it",
    brief: true,
  },
  {
    name: "files",
    brief: true,
    help:
      "list the files, as ls -l does, with the layer of each: all, or those " +
      "at and below PATH",
  },
  {
    name: "layer",
    value: "N",
    help: "look at the layer N alone; 1 is the lowest one",
  },
  { name: "config", help: "print the image config, as it is stored" },
  {
    name: "manifest",
    value: "FACE",
    help: "print a face's document, as it is stored",
    values: FACES,
  },
  {
    name: "html",
    value: "FILE",
    help: "write a page for a browser: treemap, layers, search, all documents",
  },
  {
    name: "packages",
    brief: true,
    help:
      "list the packages, with their licences, and the modules of Go programs",
  },
  ...SBOM_OPTIONS,
  COLOR,
  ...COMMON,
];

/** The options of `ciso cat`. */
export const CAT_OPTIONS: Option[] = COMMON;

/** The options of `ciso diff`. */
export const DIFF_OPTIONS: Option[] = [
  { name: "json", help: "print JSON; docs/inspect.md describes it" },
  {
    name: "ignore-times",
    help: "files that differ in nothing but their time are the same",
  },
  COLOR,
  ...COMMON.map((option) =>
    option.name === "platform"
      ? { ...option, help: `${option.help}; twice: for A and for B` }
      : option
  ),
];
