import { TAKEN_IMAGE_OPTIONS, WORK_OPTIONS } from "./build_options.ts";
import type { Command } from "./command.ts";
import { COMMON, NO_FSYNC } from "./export_options.ts";
import { group, type Option } from "./options.ts";
import { forEngine } from "./engine_forms.ts";
import { COMPRESSIONS } from "./compress_options.ts";
import { DEFAULT_ADDRESS, REGISTRY_OPTIONS } from "./registry_options.ts";
import { SIGN_OPTIONS, VERIFY_OPTIONS } from "./signature_options.ts";
import { SBOM_FORMATS } from "../packages/sbom_formats.ts";
import { SBOM_FILES } from "./sbom_options.ts";

const LOGIN =
  `Logins are taken from where docker login and podman login keep them
($REGISTRY_AUTH_FILE, containers/auth.json, ~/.docker/config.json, credential
helpers), or from --username. Under deno run it needs --allow-net.`;

const WHICH: Option[] = [
  {
    name: "platform",
    value: "OS/ARCH[/VARIANT]",
    help: "which image to take of several platforms",
  },
  {
    name: "name",
    value: "NAME[:TAG]",
    help:
      "which image to take of a file that holds several, as FILE:NAME[:TAG] does",
  },
];

/** `ciso push`. */
export const pushCommand: Command = {
  name: "push",
  summary: "send an image to a registry",
  usage: ["push IMAGE REGISTRY/REPOSITORY[:TAG]"],
  about:
    `IMAGE is an isoc, what docker save or podman save writes, or an OCI layout (tar
or directory). Layers are compressed on the way; what the registry has already is
not sent. A broken connection goes on where it stopped, and so does a push that
was killed, when it is run again. Prints the reference with the digest.

${LOGIN}`,
  options: [
    ...WHICH,
    {
      name: "all-platforms",
      help: "push the images of all platforms, under one image index",
    },
    {
      name: "compression",
      value: "METHOD[:LEVEL]",
      values: COMPRESSIONS,
      help: "how uncompressed layers go out; gzip:3 unless given",
    },
    {
      name: "mount-from",
      value: "REPOSITORY",
      help:
        "take layers from this repository of the same registry, if it has " +
        "them; can be repeated",
    },
    ...SIGN_OPTIONS,
    ...VERIFY_OPTIONS,
    {
      name: "sbom",
      value: "spdx|cyclonedx",
      values: SBOM_FORMATS,
      help: "push a list of the packages in the image beside it, as an OCI " +
        "referrer; can be repeated",
    },
    SBOM_FILES,
    ...REGISTRY_OPTIONS,
    { name: "json", group: "General", help: "print what was pushed as JSON" },
    ...COMMON,
  ],
  examples: [
    "ciso push app.isoc localhost:5000/me/app:1.0",
    "ciso push saved.tar registry.example/me/app --compression zstd",
  ],
  async run(parsed) {
    const { runPush } = await import("./push.ts");
    return await runPush(parsed);
  },
};

/** `ciso pull`. */
export const pullCommand: Command = {
  name: "pull",
  summary: "make an isoc of an image in a registry",
  usage: ["pull REFERENCE [-o FILE] [--platform OS/ARCH|all]"],
  about:
    `REFERENCE is such as busybox, me/app:1.0 or localhost:5000/app@sha256:…. All
layers are checked against their digests while they come. Of several platforms
the one for this machine is taken, unless --platform says others, or all. The
options are those of ciso convert without its edits: for these, give
docker://REFERENCE to ciso convert, or to ciso build --from.

${LOGIN}`,
  options: [
    ...TAKEN_IMAGE_OPTIONS,
    ...VERIFY_OPTIONS.filter(({ name }) => name === "verify-key"),
    ...WORK_OPTIONS,
  ],
  words: [],
  examples: [
    "ciso pull localhost:5000/me/app:1.0 -o app.isoc",
    "ciso pull registry.example/me/app --verify-key cosign.pub -o app.isoc",
    "ciso pull debian:12 --platform linux/arm64 | docker load",
  ],
  async run(parsed) {
    const { runPull } = await import("./pull.ts");
    return await runPull(forEngine(parsed));
  },
};

/** `ciso copy`. */
export const copyCommand: Command = {
  name: "copy",
  summary: "copy an image between registries, layouts and archives",
  usage: ["copy FROM TO [--all-platforms | --platform OS/ARCH]"],
  about: `FROM and TO are one of
  docker://REFERENCE          an image in a registry
  oci:DIR[:TAG]               an OCI image layout; TO may be there already
  oci-archive:FILE[:TAG]      such a layout in a tar
  docker-archive:FILE[:NAME]  what docker save writes
  FILE, DIR or FILE:NAME      an isoc or another image file; as TO, a new isoc
Between registries and layouts manifests stay byte for byte, and with them all
digests. Of several platforms the one for this machine is taken. Within a registry
layers are not sent again.

${LOGIN}`,
  options: [
    {
      name: "all-platforms",
      brief: true,
      help: "copy the images of all platforms, with their index",
    },
    {
      name: "platform",
      value: "OS/ARCH[/VARIANT]",
      brief: true,
      help: "which image to take of several platforms",
    },
    {
      name: "tag",
      short: "t",
      value: "NAME[:TAG]",
      help: "name of the image in a new isoc or Docker archive",
    },
    NO_FSYNC,
    ...VERIFY_OPTIONS,
    ...REGISTRY_OPTIONS,
    {
      name: "json",
      group: "General",
      help: "print what was copied as JSON",
    },
    ...COMMON,
  ],
  words: [],
  examples: [
    "ciso copy docker://debian:12 docker://registry.example/debian:12",
    "ciso copy --all-platforms docker://me/app:1.0 oci:app:1.0",
    "ciso copy app.isoc docker://localhost:5000/me/app:1.0",
  ],
  async run(parsed) {
    const { runCopy } = await import("./copy.ts");
    return await runCopy(parsed);
  },
};

/** `ciso serve`. */
export const serveCommand: Command = {
  name: "serve",
  summary: "be a read-only registry for image files",
  usage: ["serve IMAGE… [--listen ADDRESS:PORT]"],
  about:
    `Every engine can pull the images from here; nothing is unpacked or copied.
IMAGE is an isoc, what docker save or podman save writes, or an OCI layout (tar or
directory). It prints its address and the images' references, and ends on Ctrl-C
when running transfers have ended. Digests are checked while bytes are sent.
Under deno run it needs --allow-net.`,
  options: [
    {
      name: "listen",
      value: "ADDRESS:PORT",
      brief: true,
      help: `where to listen; ${DEFAULT_ADDRESS} unless given; port 0 is any ` +
        "that is free",
    },
    {
      name: "name",
      value: "NAME[:TAG]",
      help:
        "serve the image under this name instead of its own; can be repeated",
    },
    ...group("Access", [
      {
        name: "tls-cert",
        value: "FILE",
        help: "speak HTTPS with this certificate (PEM)",
      },
      { name: "tls-key", value: "FILE", help: "the certificate's key (PEM)" },
      {
        name: "htpasswd",
        value: "FILE",
        help: "let in only the users of this file, as htpasswd -B writes it",
      },
    ]),
    ...COMMON,
  ],
  examples: [
    "ciso serve app.isoc",
    "ciso serve *.isoc --listen 0.0.0.0:443 --tls-cert c.pem --tls-key k.pem",
  ],
  async run(parsed) {
    const { runServe } = await import("./serve.ts");
    return await runServe(parsed);
  },
};
