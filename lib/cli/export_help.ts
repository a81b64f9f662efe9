import { optionTable } from "./help.ts";
import type { Option } from "./options.ts";

/** The text of `ciso export --help`. */
export function exportHelp(options: Option[]): string {
  return `ciso export takes one engine's part out of an isoc.

Usage:
  ciso export [IMAGE.isoc] --as FACE [-o FILE]

Reads the isoc from a file or from standard input, in one pass, and writes what
one engine needs of it, as an archive of its own:
  docker     for docker load, podman load, skopeo docker-archive:
  oci        an OCI layout; also for docker load, since manifest.json is in it
  docker-v1  for Docker 1.9 and older
  appc       an ACI for rkt, which actool validate accepts
  bundle     for runc; with -o DIR/ unpacked to that directory
  lxd        for incus image import and lxc image import
  rootfs     the layer as it went in; of several layers, the tree they make
  isoc       the archive as ciso writes it now

Isocs that the script of 2015 wrote will do: what they lack is made. Layers are
checked against their digests on the way.

Options:
${optionTable(options)}

Examples:
  ciso export hello.isoc --as oci | docker load
  ciso export hello.isoc --as appc -o hello.aci
  ciso export hello.isoc --as bundle -o hello/ && runc run -b hello NAME
`;
}

/** The text of `ciso load --help`. */
export function loadHelp(options: Option[]): string {
  return `ciso load gives a container engine the part of an isoc that it needs.

Usage:
  ciso load [IMAGE.isoc] [--engine NAME]

Takes the first engine that is here, in this order: docker (if its daemon
answers), podman, nerdctl, ctr, rkt, lxc, incus. Under deno run it needs
--allow-run, or --allow-run=ENGINE.

Options:
${optionTable(options)}

Exit codes:
  0    loaded
  1    the archive cannot be read, or the engine failed
  2    wrong usage, or there is no engine
`;
}
