import type { Topic } from "./command.ts";
import { EXIT_CODES, table } from "./help.ts";

/** Pages of `ciso help TOPIC`. */
export const TOPICS: Topic[] = [
  {
    name: "exit-codes",
    summary: "what the program's exit code says",
    // Few runs need it.
    get text() {
      return `${table(EXIT_CODES, 17)}

An error is one line on standard error that names the file, the entry and the
remedy. With exit code 70 it is a bug: please report it, with the command line and
what CISO_DEBUG=1 in the environment makes it print.`;
    },
  },
  {
    name: "faces",
    summary: "what the engines read of an isoc",
    text: `An isoc has a face for each family of engines; all share its files.
  appc       rkt: manifest, rootfs/
  docker     Docker 1.10 and newer, podman, skopeo: manifest.json, blobs/
  docker-v1  Docker 1.9 and older: repositories, rootfs/json, rootfs/layer.tar
  oci        containerd, Docker 25 and newer, podman, umoci: index.json, blobs/
  bundle     runc, crun, systemd-nspawn: config.json, rootfs/
  lxd        LXD, Incus: metadata.yaml, rootfs/
  containerd containerd 2, Docker 28 and newer, to load quickly; it comes only
             where --faces names it

ciso build --faces writes only some of them, ciso export --as takes one out.`,
  },
  {
    name: "values",
    summary: "how words, times, sizes and pairs are written",
    text:
      `Words (--entrypoint, --cmd, --shell) are a JSON array of strings, or a line
that is split as a shell does; nothing in it is expanded. --health-cmd is a JSON
array of words, or a line for the container's shell.

Times are 1m30s, 500ms or a count of seconds. Sizes are bytes, or such as 500M,
16G. -e KEY without a value takes the value from the environment, and is left out
if that has none. An option that does not say "can be repeated" counts the last
time it is given.

Files of pairs (--env-file, --label-file) have a line KEY=VALUE for each pair, in
UTF-8. Blank lines and lines that begin with # mean nothing, and nothing is
unquoted.

Lists (variables, labels, ports, volumes) add to those of --config and --from; all
other options replace what these say.`,
  },
];
