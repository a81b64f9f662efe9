import type { Command } from "./command.ts";
import { forEngine } from "./engine_forms.ts";
import { EXPORT_OPTIONS, LOAD_OPTIONS } from "./export_options.ts";

/** `ciso export`. */
export const exportCommand: Command = {
  name: "export",
  summary: "take one engine's face out of an isoc",
  usage: ["export [IMAGE.isoc] --as FACE [-o FILE]"],
  about:
    `Reads the isoc from a file or from standard input, in one pass, and writes
what one engine needs of it, as an archive of its own:
  docker     for docker load, podman load, skopeo docker-archive:
  oci        an OCI layout; also for docker load, since manifest.json is in it
  docker-v1  for Docker 1.9 and older
  appc       an ACI for rkt, which actool validate accepts
  bundle     for runc; with -o DIR/ unpacked to that directory
  lxd        for incus image import and lxc image import
  rootfs     the layer as it went in; of several layers, the tree they make
  isoc       the archive as ciso writes it now

Isocs that the script of 2015 wrote will do: what they lack is made. Layers are
checked against their digests on the way.`,
  options: EXPORT_OPTIONS,
  examples: [
    "ciso export hello.isoc --as oci | docker load",
    "ciso export hello.isoc --as appc -o hello.aci",
    "ciso export hello.isoc --as bundle -o hello/ && runc run -b hello NAME",
  ],
  async run(parsed) {
    const { runExport } = await import("./export.ts");
    return await runExport(forEngine(parsed));
  },
};

/** `ciso load`. */
export const loadCommand: Command = {
  name: "load",
  summary: "give a container engine the face of an isoc that it needs",
  usage: ["load [IMAGE.isoc] [--engine NAME]"],
  about:
    `Takes the first engine that is here, in this order: docker (if its daemon
answers), podman, nerdctl, ctr, rkt, lxc, incus. Under deno run it needs
--allow-run, or --allow-run=ENGINE.`,
  options: LOAD_OPTIONS,
  exitCodes: [
    ["0", "loaded"],
    ["1", "the archive cannot be read, or the engine failed"],
    ["2", "the command line is wrong, or there is no engine"],
  ],
  examples: ["ciso load hello.isoc", "ciso load hello.isoc --dry-run"],
  async run(parsed) {
    const { runLoad } = await import("./load.ts");
    return await runLoad(parsed);
  },
};
