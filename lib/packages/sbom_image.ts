import { purl } from "./purl.ts";
import type { SbomFile, SbomSubject } from "./sbom_subject.ts";

/** The name of the image, without its tag. */
export function imageName({ names }: SbomSubject): string {
  return nameAndTag(names[0])[0] || "image";
}

/** The image's own package URL: only an image manifest has one. */
export function imagePurl(subject: SbomSubject): string | undefined {
  const { names, digest, isManifest, architecture } = subject;
  const [repository, tag] = nameAndTag(names[0]);
  if (!isManifest || digest === undefined || repository === "") {
    return undefined;
  }
  const name = repository.slice(repository.lastIndexOf("/") + 1).toLowerCase();
  return purl({
    type: "oci",
    name,
    version: digest,
    qualifiers: [
      ["arch", architecture],
      ["repository_url", repository.includes("/") ? repository : undefined],
      ["tag", tag],
    ],
  });
}

function nameAndTag(
  name = "",
): [repository: string, tag: string | undefined] {
  const [, repository = name, tag] = /^(.*?)(?::([^/:]+))?$/s.exec(name) ?? [];
  return [repository, tag];
}

/**
 * A supplier's name and address, as package databases write them; `undefined` if
 * there is nothing to read.
 */
export function supplierOf(
  text: string | undefined,
): { name: string; email?: string; isPerson: boolean } | undefined {
  // deno-lint-ignore no-control-regex
  const line = text?.replace(/[\x00-\x1f\x7f\s]+/g, " ").trim();
  if (!line) return undefined;
  const [, name = line, email] = /^([^<]*)<([^<>\s]+@[^<>\s]+)>/.exec(line) ??
    [];
  const all = name.trim() || line;
  const isGroup =
    /\b(team|maintainers?|developers|project|group|inc|llc|ltd|gmbh|foundation|linux|list|authors|packagers?)\b/i
      .test(all);
  return {
    name: all,
    ...(email !== undefined && { email }),
    isPerson: email !== undefined && !isGroup,
  };
}

/** RFC 3986, of the web, with a host's name and no user. */
const ADDRESS =
  /^https?:\/\/[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?(\/([\w.~:@!$&'()*+,;=/-]|%[0-9A-Fa-f]{2})*)?(\?([\w.~:@!$&'()*+,;=/?-]|%[0-9A-Fa-f]{2})*)?(#([\w.~:@!$&'()*+,;=/?-]|%[0-9A-Fa-f]{2})*)?$/;

/** An address of the web if a text is one, else nothing. */
export function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && ADDRESS.test(text) && URL.canParse(text)
    ? text
    : undefined;
}

/** The files of each package, by its URL; those of none by an empty text. */
export function filesByOwner(
  files: readonly SbomFile[],
): ReadonlyMap<string, SbomFile[]> {
  const owned = new Map<string, SbomFile[]>();
  for (const file of files) {
    const key = file.owner ?? "";
    const list = owned.get(key);
    if (list) list.push(file);
    else owned.set(key, [file]);
  }
  return owned;
}
