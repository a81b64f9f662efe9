import { group, type Option } from "./options.ts";

/** Options that change the files of a rootfs or of an image. */
export const EDIT_OPTIONS: Option[] = group("Edits", [
  {
    name: "exclude",
    value: "GLOB",
    help: "leave files out, by the rules of .dockerignore; can be repeated, " +
      "and !GLOB takes in again",
  },
  {
    name: "ignore-file",
    value: "FILE",
    help: "a file of such patterns, such as a .dockerignore; none unless given",
  },
  {
    name: "strip-components",
    value: "COUNT",
    help: "take that many directories off the beginning of paths, as GNU tar " +
      "does",
  },
  {
    name: "remove",
    value: "PATH",
    help: "remove a file, or a directory with all that is below it; of an " +
      "image with several layers by a layer on top; can be repeated",
  },
  {
    name: "add",
    value: "FILE:PATH[:MODE[:UID:GID]]",
    help: "add a file or a directory, to an image in a layer on top; can be " +
      "repeated; \\: is a colon",
  },
  {
    name: "chmod",
    value: "GLOB=MODE",
    help: "permissions of the files that match, such as 'bin/*=a+x' or " +
      "'**=u=rwX,go=rX'; can be repeated",
  },
  {
    name: "owner",
    value: "UID:GID",
    help: "owner of all files, such as 0:0; their own unless given",
  },
  {
    name: "mtime",
    value: "TIME",
    help: "time of all files: RFC 3339, a date, or @SECONDS since 1970",
  },
  {
    name: "clamp-mtime",
    help: "only for files that are newer; without --mtime the time is " +
      "SOURCE_DATE_EPOCH",
  },
  {
    name: "sort",
    help: "bring the tar to one form: the same tree gives the same digest, " +
      "whatever program has archived it",
  },
]);

/** Options that change an image as a whole. */
export const LAYER_OPTIONS: Option[] = group("Edits", [
  {
    name: "unset",
    value: "WHAT",
    help: "take something of the image away: env=KEY, label=KEY, " +
      "volume=PATH, port=PORT, entrypoint, cmd, healthcheck, user, workdir, " +
      "stopsignal, shell or onbuild; can be repeated",
  },
  {
    name: "squash",
    value: "[FROM]",
    help: "make one layer of all, or of those from the layer FROM on; the " +
      "lowest layer is 1",
  },
  {
    name: "dedupe",
    help: "leave files out of layers on top that the layers below have " +
      "already, with the same contents, mode, owner and time",
  },
]);

/** The option that puts an image on another base. */
export const REBASE_OPTION: Option = {
  name: "rebase",
  group: "Edits",
  value: "OLD NEW",
  help: "put the layers that the image has above the image OLD on the image " +
    "NEW; both as files, directories or docker://REFERENCE",
};
