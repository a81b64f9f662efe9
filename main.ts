/**
 * The command line of ciso. Reads a rootfs tar, writes an isoc archive.
 *
 * @module
 */
import { main } from "./lib/cli/main.ts";
import { host } from "./lib/system/host.ts";

// The process ends here even if somebody still holds a pipe open.
host.exit(await main(host.args));
