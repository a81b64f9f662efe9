import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { platformKey } from "../formats/values/platform.ts";
import { parseName } from "../image/name.ts";
import type { Platform } from "./read_oci.ts";

/** Which image to take of a file that holds several. */
export interface ImageChoice {
  /** Its platform, as far as it matters. */
  platform?: Platform;
  /**
   * Its name, `NAME[:TAG]`, the bare tag that an image layout has for it, or
   * `[NAME@]DIGEST` with at least 12 hex digits of a digest of it.
   */
  name?: string;
  /** Take an image of another platform than the wanted one, if it is the only one. */
  anyPlatform?: boolean;
}

/** An image of a file that may hold several. */
export interface Candidate {
  /** What it differs in from others of the same names and platform. */
  id: string;
  /** All names that the file has for it. */
  names: string[];
  /** SHA-256 of its config or its manifest in hex, as far as it is known. */
  digests?: readonly string[];
  platform: Platform;
}

/** Images that a message lists at most. */
const MAX_LISTED = 20;

/**
 * Picks the candidates that are the image wanted: one, or one under several
 * names.
 *
 * @param all All images of the file.
 * @param choice Which one.
 * @returns At least one; all have the same `id`.
 * @throws {InputError} If there is none or several; it lists what there is.
 */
export function chooseImage<T extends Candidate>(
  all: T[],
  { platform = {}, name, anyPlatform }: ImageChoice,
): T[] {
  const named = name === undefined ? all : withName(all, name);
  let fits = withPlatform(named, platform);
  if (fits.length === 0 && anyPlatform && idsOf(named) === 1) fits = named;
  if (idsOf(fits) === 1) return fits;
  throw noChoice({ all, named, fits }, { platform, name });
}

/**
 * Says why no image can be chosen.
 *
 * @param found All images of the file, those of the name, and those of the
 * platform among them.
 * @param choice Which one is wanted.
 */
export function noChoice(
  { all, named, fits }: Record<"all" | "named" | "fits", readonly Candidate[]>,
  { platform = {}, name }: {
    platform?: Platform | undefined;
    name?: string | undefined;
  },
): InputError {
  if (all.length === 0) return new InputError("It lists no image");
  if (named.length === 0) {
    return new InputError(
      `It holds no image ${shown(name ?? "")}; it has ${listed(all)}`,
    );
  }
  if (fits.length === 0) {
    return new InputError(
      `No image in it is for the platform wanted (${
        platformText(platform)
      }); it has ${listed(named)}`,
    );
  }
  return new InputError(
    `It holds several images (${listed(fits)}): choose one with ${ways(fits)}`,
  );
}

/**
 * The images for a platform. Of several variants that is the one which engines
 * take: `linux/arm` is `linux/arm/v7`, if that is there.
 *
 * @param all Some images.
 * @param wanted The platform, as far as it matters.
 */
export function withPlatform<T extends Pick<Candidate, "platform">>(
  all: readonly T[],
  wanted: Platform,
): T[] {
  const fits = all.filter(({ platform }) => suits(platform, wanted));
  if (fits.length < 2 || !wanted.architecture) return fits;
  const key = platformKey(wanted);
  const exact = fits.filter(({ platform }) => platformKey(platform) === key);
  return exact.length > 0 ? exact : fits;
}

/**
 * Whether an image is for a platform, as far as both are known.
 *
 * @param has The image's platform.
 * @param wanted The platform.
 */
export function suits(has: Platform, wanted: Platform): boolean {
  return (["os", "architecture", "variant"] as const).every((key) =>
    !wanted[key] || !has[key] || wanted[key] === has[key]
  );
}

/** A platform as Docker writes it; empty if nothing is known of it. */
export function platformText(
  { os, architecture, variant }: Platform,
): string {
  return [os, architecture, variant].filter((word) => word !== undefined)
    .map((word) => /^[\w.-]+$/.test(word) ? word : shown(word, 40))
    .join("/");
}

function idsOf(candidates: Candidate[]): number {
  return new Set(candidates.map(({ id }) => id)).size;
}

/** `[NAME@]DIGEST`, of which the beginning is enough. */
const WITH_DIGEST = /^(?:([^@]+)@)?(?:sha256:)?([0-9a-f]{12,64})$/;

/**
 * The candidates of a name. A name without a tag means `latest`, or else the one
 * image that has the name with any tag. A digest names an image too.
 */
export function withName<T extends Pick<Candidate, "names" | "digests">>(
  all: readonly T[],
  name: string,
): T[] {
  const found = withTag(all, name);
  const [, rest, hex] = WITH_DIGEST.exec(name) ?? [];
  if (found.length > 0 || hex === undefined) return found;
  return (rest === undefined ? all : withTag(all, rest)).filter((
    { digests = [] },
  ) => digests.some((digest) => digest.startsWith(hex)));
}

function withTag<T extends Pick<Candidate, "names">>(
  all: readonly T[],
  name: string,
): T[] {
  const wanted = forms(name);
  const exact = all.filter(({ names }) =>
    names.some((has) => forms(has).some((form) => wanted.includes(form)))
  );
  if (exact.length > 0 || name.slice(name.lastIndexOf("/")).includes(":")) {
    return exact;
  }
  const starts = wanted.map((form) => `${form.replace(/:latest$/, "")}:`);
  return all.filter(({ names }) =>
    names.some((has) =>
      forms(has).some((form) => starts.some((start) => form.startsWith(start)))
    )
  );
}

/**
 * The ways to write a name: as it is, with all that is left out, and as podman
 * has a name that no registry gave.
 */
function forms(name: string): string[] {
  const parsed = unlessRefused(() => parseName(name));
  if (!parsed) return [name];
  const { qualified, familiar, domain, path, tag } = parsed;
  const local = domain === "localhost" ? [`${path}:${tag}`] : [];
  return [name, qualified, familiar, ...local];
}

/** What the images differ in, as the command line says it. */
function ways(fits: readonly Candidate[]): string {
  const platforms = new Set(fits.map(({ platform }) => platformText(platform)));
  const names = new Set(fits.map(({ names }) => names.join(" ")));
  const byName = "FILE:NAME[:TAG] or --name NAME[:TAG]";
  if (names.size > 1) {
    return platforms.size === 1 ? byName : `--platform, ${byName}`;
  }
  if (platforms.size > 1) return "--platform, or save it alone";
  return fits.every(({ digests = [] }) => digests.length > 0)
    ? "FILE:DIGEST or --name DIGEST"
    : "a name: give each one of its own";
}

/** What there is; images that nothing else distinguishes have a digest. */
function listed(candidates: readonly Candidate[]): string {
  // Only its platform distinguishes an image without a name.
  const looks = candidates.map(({ names, platform }) =>
    [platformText(platform), names.join(" ")] as const
  );
  const counts = new Map<string, number>();
  for (const [where, names] of looks) {
    for (const look of new Set([where, `${where} ${names}`])) {
      counts.set(look, (counts.get(look) ?? 0) + 1);
    }
  }
  const texts = new Set(candidates.map(({ names, digests }, i) => {
    const [where, text] = looks[i]!;
    // An OCI layout has the tag of a name once more, alone.
    const whole = [...new Set(names)].filter((name, _, all) =>
      !all.some((other) => other.endsWith(`:${name}`))
    );
    const words = whole.slice(0, MAX_LISTED).map((name) =>
      /^[\w.:/@-]{1,255}$/.test(name) ? name : shown(name)
    );
    const look = names.length > 0 ? `${where} ${text}` : where;
    const isAlone = counts.get(look) === 1 && look !== "";
    const [digest] = digests ?? [];
    if (!isAlone && digest) words.push(`sha256:${digest.slice(0, 12)}`);
    if (words.length === 0) return where || "one without a name";
    return words.join(" ") + (where ? ` for ${where}` : "");
  }));
  const first = [...texts].slice(0, MAX_LISTED);
  const more = texts.size - first.length;
  return first.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
