import { shown } from "../../errors/shown.ts";
import { InputError } from "../../errors/input_error.ts";

/** A platform in Go's spelling, as image configs have it. */
export interface GoPlatform {
  /** Operating system, such as `linux`. */
  os: string;
  /** Architecture, such as `arm64`. */
  architecture: string;
  /** Variant of the architecture, such as `v7` for `arm`. */
  variant?: string;
}

/** What kernels, compilers and Debian call some machines. */
const OTHER_NAMES: Record<string, { architecture: string; variant?: string }> =
  {
    aarch64: { architecture: "arm64" },
    armel: { architecture: "arm", variant: "v6" },
    armhf: { architecture: "arm", variant: "v7" },
    armv6l: { architecture: "arm", variant: "v6" },
    armv7l: { architecture: "arm", variant: "v7" },
    i386: { architecture: "386" },
    i686: { architecture: "386" },
    ppc64el: { architecture: "ppc64le" },
    "x86-64": { architecture: "amd64" },
    x86_64: { architecture: "amd64" },
  };

/**
 * Reads a platform as Docker writes it. Names that other programs have for an
 * architecture become Go's, as they do in Docker: engines would not know an
 * image for `x86_64`.
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
  const known = Object.hasOwn(OTHER_NAMES, name)
    ? OTHER_NAMES[name]!
    : { architecture: name };
  return { os, ...known, variant: variant ?? known.variant };
}
