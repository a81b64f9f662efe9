import { shown } from "../../errors/shown.ts";
import { InputError } from "../../errors/input_error.ts";

/** A platform in Go's spelling, as image configs have it. */
export interface GoPlatform {
  /** Operating system, such as `linux`. */
  os: string;
  /** Architecture, such as `arm64`. */
  architecture: string;
  /** Variant of the architecture, such as `v7` for `arm`. */
  variant?: string | undefined;
}

/** What kernels, compilers and Debian call some machines. */
const OTHER_NAMES = new Map<
  string,
  { architecture: string; variant?: string }
>([
  ["aarch64", { architecture: "arm64" }],
  ["aarch64_be", { architecture: "arm64be" }],
  ["armel", { architecture: "arm", variant: "v6" }],
  ["armhf", { architecture: "arm", variant: "v7" }],
  ["armv5l", { architecture: "arm", variant: "v5" }],
  ["armv5tel", { architecture: "arm", variant: "v5" }],
  ["armv6l", { architecture: "arm", variant: "v6" }],
  ["armv7", { architecture: "arm", variant: "v7" }],
  ["armv7l", { architecture: "arm", variant: "v7" }],
  ["armv8l", { architecture: "arm", variant: "v8" }],
  ["i386", { architecture: "386" }],
  ["ia32", { architecture: "386" }],
  ["i486", { architecture: "386" }],
  ["i586", { architecture: "386" }],
  ["i686", { architecture: "386" }],
  ["loongarch64", { architecture: "loong64" }],
  ["mips64el", { architecture: "mips64le" }],
  ["mipsel", { architecture: "mipsle" }],
  ["powerpc64", { architecture: "ppc64" }],
  ["powerpc64le", { architecture: "ppc64le" }],
  ["ppc64el", { architecture: "ppc64le" }],
  ["x64", { architecture: "amd64" }],
  ["x86", { architecture: "386" }],
  ["x86-64", { architecture: "amd64" }],
  ["x86_64", { architecture: "amd64" }],
]);

/**
 * Gives an architecture Go's name, as engines know it.
 *
 * @param name The architecture, in any case and by any of its names.
 * @param variant Its variant, which wins over one that the name says.
 */
export function goArchitecture(
  name: string,
  variant?: string,
): Omit<GoPlatform, "os"> {
  const lower = name.toLowerCase();
  const known = OTHER_NAMES.get(lower) ?? { architecture: lower };
  // "7" is "v7" to Docker too.
  const given = variant?.toLowerCase().replace(/^(?=[0-9])/, "v");
  return { ...known, ...(given && { variant: given }) };
}

/**
 * Reads a platform as Docker writes it. Names that other programs have for an
 * architecture become Go's, as they do in Docker: engines do not know an image
 * for `x86_64`.
 *
 * @param text `OS/ARCH` or `OS/ARCH/VARIANT`, in any case.
 * @returns The platform; its variant is `undefined` where there is none.
 * @throws {InputError} If the text has another form.
 */
export function goPlatform(text: string): GoPlatform {
  const [, os, name, variant] =
    /^([\w.-]+)\/([\w.-]+)(?:\/([\w.-]+))?$/.exec(text.toLowerCase()) ?? [];
  if (!os || !name) {
    throw new InputError(
      `${shown(text)} is not OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64`,
    );
  }
  const { architecture, variant: found } = goArchitecture(name, variant);
  return { os, architecture, variant: found };
}

/** What engines take an architecture for whose variant nobody says. */
const USUAL_VARIANTS = new Map([["amd64", "v1"], ["arm", "v7"], [
  "arm64",
  "v8",
]]);

/**
 * A text that two platforms share if engines take them for one: `arm64` is
 * `arm64/v8`, `arm` is `arm/v7`, `amd64` is `amd64/v1`.
 *
 * @see {@link https://github.com/containerd/platforms/blob/v0.2.1/database.go}
 *
 * @example
 * ```ts
 * import { platformKey } from "./platform.ts";
 * import assert from "node:assert/strict";
 *
 * const arm = { os: "linux", architecture: "arm" };
 * assert.equal(platformKey(arm), platformKey({ ...arm, variant: "v7" }));
 * assert.notEqual(platformKey(arm), platformKey({ ...arm, variant: "v6" }));
 * ```
 */
export function platformKey(
  { os = "linux", architecture = "", variant }: {
    [Key in keyof GoPlatform]?: GoPlatform[Key] | undefined;
  },
): string {
  const known = variant ?? USUAL_VARIANTS.get(architecture) ?? "";
  return `${os}/${architecture}/${known}`;
}
