/**
 * The command line of ciso. Reads a rootfs tar, writes an isoc archive.
 *
 * @module
 */
import { main, stuck } from "./lib/cli/main.ts";
import { host } from "./lib/system/host.ts";

// No await: when this module has run, Deno gives back what it took to analyse it.
host.run(main, stuck);
