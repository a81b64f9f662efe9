import { goArchitecture, type GoPlatform } from "../formats/values/platform.ts";
import { host } from "../system/host.ts";

/**
 * The platform whose images this machine's engines run. They run those for Linux
 * on every system.
 */
export function hostPlatform(): GoPlatform {
  return { os: "linux", ...goArchitecture(host.architecture) };
}
