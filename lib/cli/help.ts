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
  const margin = " ".repeat(28);
  return rows.map(([form, help]) => {
    const text = wrap(help, 79 - margin.length).join(`\n${margin}`);
    return form.length < margin.length
      ? form.padEnd(margin.length) + text
      : `${form}\n${margin}${text}`;
  }).join("\n");
}

/** Breaks a text at its blanks into lines of `width` characters at most. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** The text of `ciso convert --help`. */
export function convertHelp(options: Option[]): string {
  return `ciso convert makes an isoc of an image in another format.

Usage:
  ciso convert IMAGE [-t NAME[:TAG]] [-o FILE] [-- COMMAND ARG…]

IMAGE is an isoc, what docker save or podman save writes, an OCI layout (tar or
directory), or an ACI; - is standard input. Its layers and its configuration stay
as they are, but for what the options say; its names stay unless --tag is given.

Options:
${optionTable(options)}
`;
}

/** The text of `ciso --help`. */
export function buildHelp(options: Option[]): string {
  return `ciso ${VERSION} makes one image archive for all container engines.

Usage:
  ciso [build] [ROOTFS.tar] -t NAME[:TAG] [-o FILE] [-- COMMAND ARG…]
  ciso build --from IMAGE [--layer FILE.tar]… -t NAME[:TAG] [-o FILE]
  ciso convert IMAGE [-t NAME[:TAG]] [-o FILE]      (see ciso convert --help)
  ciso export IMAGE.isoc --as FACE [-o FILE]        (see ciso export --help)
  ciso load IMAGE.isoc [--engine NAME]              (see ciso load --help)
  ${CLASSIC_USAGE}

Reads a rootfs tar from a file or from standard input and writes an isoc: a tar
that Docker, podman, containerd, skopeo, rkt, runc, LXD and Incus each take as
their own image.

Options:
${optionTable(options)}

Environment:
  NAME               name of the image, where no --tag is given
  COMMAND            command, where none stands behind --, split as in a shell
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
