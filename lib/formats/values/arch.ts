import { DescriptionError } from "../../errors/description_error.ts";
import { shown } from "../../errors/shown.ts";
import { unlessRefused } from "../../errors/refusal.ts";

/** The name of one architecture in each spelling. */
interface Architecture {
  /** Go's name, which Docker and OCI use. */
  go: string;
  /** Go's variant, where two machines differ in nothing else. */
  variant?: string;
  appc?: string;
  lxd?: string;
}

/**
 * Of rows with the same Go name, the first one is that name without a
 * variant; so `arm` alone is ARMv7, as containerd takes it.
 */
const ARCHITECTURES: readonly Architecture[] = [
  { go: "amd64", appc: "amd64", lxd: "x86_64" },
  { go: "386", appc: "i386", lxd: "i686" },
  { go: "arm64", appc: "aarch64", lxd: "aarch64" },
  { go: "arm64be", appc: "aarch64_be" },
  { go: "arm", variant: "v7", appc: "armv7l", lxd: "armv7l" },
  { go: "arm", variant: "v6", appc: "armv6l", lxd: "armv6l" },
  { go: "arm", variant: "v5" },
  { go: "arm", variant: "v8", lxd: "armv8l" },
  { go: "armbe", appc: "armv7b" },
  { go: "ppc64le", appc: "ppc64le", lxd: "ppc64le" },
  { go: "ppc64", appc: "ppc64", lxd: "ppc64" },
  { go: "ppc", lxd: "ppc" },
  { go: "s390x", appc: "s390x", lxd: "s390x" },
  { go: "riscv64", lxd: "riscv64" },
  { go: "riscv", lxd: "riscv32" },
  { go: "loong64", lxd: "loongarch64" },
  { go: "mips", lxd: "mips" },
  { go: "mipsle" },
  { go: "mips64", lxd: "mips64" },
  { go: "mips64le" },
];

/** Systems that appc knows, with its names for their architectures by Go's. */
export const APPC_SYSTEMS = new Map<string, Map<string, string>>([
  // Those of Linux are in the table above.
  ["linux", new Map()],
  [
    "freebsd",
    new Map([["amd64", "amd64"], ["386", "i386"], ["arm", "arm"]]),
  ],
  ["darwin", new Map([["amd64", "x86_64"], ["386", "i386"]])],
]);

/** An architecture in Go's spelling. */
export interface GoArchitecture {
  architecture: string;
  variant?: string;
}

/**
 * Translates an architecture from Go's spelling to appc's.
 *
 * @param architecture Go's name, such as `arm64`.
 * @param variant Go's variant, such as `v7`.
 * @returns appc's name, such as `aarch64`.
 * @throws {DescriptionError} If appc has no name for it.
 */
export function appcArchitecture(
  architecture: string,
  variant?: string,
): string {
  return fromGo("appc", architecture, variant);
}

/**
 * Finds appc's name for the architecture of a system.
 *
 * @param os The system in Go's spelling.
 * @param architecture Go's name.
 * @param variant Go's variant.
 * @returns `undefined` if appc does not know the two together.
 *
 * @see {@link https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema}
 */
export function appcArchitectureOf(
  os: string,
  architecture: string,
  variant?: string,
): string | undefined {
  if (os !== "linux") return APPC_SYSTEMS.get(os)?.get(architecture);
  return unlessRefused(() => appcArchitecture(architecture, variant));
}

/**
 * Translates an architecture from Go's spelling to that of LXD and Incus.
 *
 * @param architecture Go's name, such as `amd64`.
 * @param variant Go's variant, such as `v7`.
 * @returns LXD's name, such as `x86_64`.
 * @throws {DescriptionError} If LXD has no name for it.
 */
export function lxdArchitecture(
  architecture: string,
  variant?: string,
): string {
  return fromGo("lxd", architecture, variant);
}

/**
 * Translates an architecture from appc's spelling to Go's.
 *
 * @param name appc's name, such as `aarch64`.
 * @returns Go's name and variant.
 * @throws {DescriptionError} If appc has no such name.
 */
export function goArchitectureOfAppc(name: string): GoArchitecture {
  const row = ARCHITECTURES.find(({ appc }) => appc === name);
  if (!row) {
    throw new DescriptionError(
      `appc has no architecture ${shown(name)}: it knows ${
        ARCHITECTURES.map(({ appc }) => appc).filter(Boolean).join(", ")
      }`,
    );
  }
  return {
    architecture: row.go,
    ...(row.variant && { variant: row.variant }),
  };
}

const TITLES = { appc: "appc", lxd: "LXD" } as const;

function fromGo(
  to: "appc" | "lxd",
  architecture: string,
  variant?: string,
): string {
  const rows = ARCHITECTURES.filter(({ go }) => go === architecture);
  // A variant that no row has (amd64/v3, arm64/v8) names a minimum.
  const row = rows.find((row) => row.variant === variant) ??
    (variant && rows.some((row) => row.variant) ? undefined : rows[0]);
  const name = row?.[to];
  if (name !== undefined) return name;
  throw new DescriptionError(
    `Architecture ${
      shown(variant ? `${architecture}/${variant}` : architecture)
    } has no name in ${TITLES[to]}: it knows ${
      ARCHITECTURES.filter((row) => row[to]).map(goName).join(", ")
    }`,
  );
}

function goName({ go, variant }: Architecture): string {
  return variant ? `${go}/${variant}` : go;
}
