import {
  type GoPlatform,
  goPlatform,
  platformKey,
} from "../formats/values/platform.ts";
import { platformText } from "../read/choose_image.ts";
import type { Platform } from "../read/read_oci.ts";
import { named } from "./failure.ts";
import type { Parsed } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** One --platform of a command line. */
export interface PlatformWord {
  platform: GoPlatform;
  /** The rootfs that `OS/ARCH=FILE` gives it. */
  file?: string;
}

/**
 * Reads all --platform of a command line that takes several.
 *
 * @throws {UsageError} If one is malformed, or two are for one platform.
 */
export function platformWords(parsed: Parsed): PlatformWord[] {
  const words = parsed.values("platform").flatMap((word) => {
    const at = word.indexOf("=");
    const text = at < 0 ? word : word.slice(0, at);
    const file = at < 0 ? undefined : word.slice(at + 1);
    if (file === "") {
      throw new UsageError(`--platform ${text}= needs a file after the =`);
    }
    // As docker buildx takes several.
    return text.split(",").map((one) => ({
      platform: named("--platform", () => goPlatform(one)),
      ...(file !== undefined && { file }),
    }));
  });
  const seen = new Set<string>();
  for (const { platform } of words) {
    const key = platformKey(platform);
    if (seen.has(key)) {
      throw new UsageError(
        `--platform: ${
          platformText(platform)
        } comes twice: engines do not tell these apart`,
      );
    }
    seen.add(key);
  }
  return words;
}

/** The same command line with one --platform, or none. */
export function withPlatform(
  parsed: Parsed,
  platform: string | undefined,
): Parsed {
  const values = platform === undefined ? [] : [platform];
  return {
    ...parsed,
    value: (name) => name === "platform" ? platform : parsed.value(name),
    values: (name) => name === "platform" ? values : parsed.values(name),
  };
}

/**
 * Reads --platform.
 *
 * @throws {UsageError} If it is malformed.
 */
export function platformOf(parsed: Parsed): Platform {
  const text = parsed.value("platform");
  if (text === undefined) return {};
  return named("--platform", () => goPlatform(text));
}
