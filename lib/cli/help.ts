import type { Option } from "./options.ts";

/** The version of the program. */
export const VERSION = "0.1.0";

/** The usage of 2015, which stays. */
export const CLASSIC_USAGE = "cat rootfs.tar | NAME= COMMAND= ✂ > image.isoc";

/** Lists options for a help text: forms in one column, purpose in the next. */
export function optionTable(options: Option[]): string {
  const rows = options.map(({ name, short, value, help }) => {
    const form = `  ${short ? `-${short}, ` : "    "}--${name}${
      value ? ` ${value}` : ""
    }`;
    return [form, help] as const;
  });
  const width = 28;
  return rows.map(([form, help]) =>
    form.length < width
      ? `${form.padEnd(width)}${help}`
      : `${form}\n${" ".repeat(width)}${help}`
  ).join("\n");
}

/** The text of `ciso --help`. */
export function helpText(options: Option[]): string {
  return `ciso ${VERSION} makes one image archive for all container engines.

Usage:
  ciso [build] [ROOTFS.tar] -t NAME[:TAG] [-o FILE] [-- COMMAND ARG…]
  ${CLASSIC_USAGE}

Reads a rootfs tar from a file or from standard input and writes an isoc: a tar
that Docker, podman, containerd, skopeo, rkt, runc, LXD and Incus each take as
their own image.

Options:
${optionTable(options)}

Environment:
  NAME               name of the image, where no --tag is given
  COMMAND            command, where none stands behind --; split as a shell does
  SOURCE_DATE_EPOCH  creation time in seconds since 1970, for the same bytes
                     every time
  TMPDIR             where a piped rootfs is kept while it is worked on
  CISO_DEBUG         show stack traces

Exit codes:
  0    done
  1    the build failed: the input is no usable rootfs, a file cannot be read
       or written
  2    wrong usage: unknown option, missing or forbidden name, missing command
  129, 130, 143  stopped by hangup, Ctrl-C, or termination
  141  the reader of standard output went away

Examples:
  ciso rootfs.tar -t isoc/hello -o hello.isoc -- /bin/echo make container not war
  docker export CONTAINER | ciso -t me/app:1.0 -o app.isoc -- /app --serve
  ciso rootfs.tar -t isoc/hello -- /bin/sh | docker load
`;
}
