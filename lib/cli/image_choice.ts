import type { ImageChoice } from "../read/choose_image.ts";
import type { Platform } from "../read/read_oci.ts";
import { hostPlatform } from "./host_platform.ts";
import { isRemote } from "./opened_image.ts";
import type { Parsed } from "./options.ts";

/**
 * Which image a command line takes of a file or a registry that has several. Of
 * a registry it is, as engines do, the one for this machine, unless --platform
 * says another.
 *
 * @param from The image, as the command line has it.
 * @param platform What --platform says.
 */
export function imageChoice(
  from: string | undefined,
  parsed: Parsed,
  platform: Platform | undefined,
): ImageChoice {
  const name = parsed.value("name");
  const isOpen = platform === undefined && from !== undefined && isRemote(from);
  return {
    platform: isOpen ? hostPlatform() : platform ?? {},
    ...(name !== undefined && { name }),
    anyPlatform: isOpen || parsed.on("force-platform"),
  };
}
