import { shown, shownWord } from "../errors/shown.ts";
import { DescriptionError } from "../errors/description_error.ts";
import { unlessRefused } from "../errors/refusal.ts";

/** An image's name, taken apart. */
export interface ImageName {
  /** The name as given, without its tag: `isoc/hello`. */
  name: string;
  /** The tag; `latest` unless given. */
  tag: string;
  /** The registry's host, with its port if it has one: `docker.io`. */
  domain: string;
  /** The path at the registry: `isoc/hello`, `library/hello`. */
  path: string;
  /** The name without tag as Docker shows it: `hello`, `localhost:5000/hello`. */
  repository: string;
  /** The name with tag as Docker shows it: `hello:latest`. */
  familiar: string;
  /** The whole name, as containerd has it: `docker.io/library/hello:latest`. */
  qualified: string;
}

const DEFAULT_DOMAIN = "docker.io";

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST =
  /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[0-9]+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;

/** The longest name that a registry takes, host and path together. */
const MAX_LENGTH = 255;

/**
 * Takes an image's name apart, by the grammar that Docker and all registries
 * share. The first part is a registry's host when it has a dot or a port or is
 * `localhost`; otherwise the name belongs to Docker Hub.
 *
 * Upper case is refused in the host as well, which the grammar allows: appc has
 * lower case only. So is a host in brackets, which Docker before 23 refuses.
 *
 * @param text `NAME[:TAG]`.
 * @returns The parts.
 * @throws {DescriptionError} If the name breaks a rule; the message says which one and
 * how to mend it.
 *
 * @see {@link https://github.com/distribution/reference/blob/v0.6.0/reference.go}
 *
 * @example
 * ```ts
 * import { parseName } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseName("hello").qualified, "docker.io/library/hello:latest");
 * ```
 */
export function parseName(text: string): ImageName {
  const fault = (rule: string) =>
    new DescriptionError(`Image name ${shown(text)}: ${rule}`);
  // A colon before a slash is a registry's port, not the start of a tag.
  const colon = text.indexOf(":", text.lastIndexOf("/") + 1);
  const name = colon < 0 ? text : text.slice(0, colon);
  const tag = colon < 0 ? "latest" : text.slice(colon + 1);
  const rule = brokenByText(text) ?? brokenByTag(text, name, tag) ??
    brokenByPath(text, name);
  if (rule !== undefined) throw fault(rule);
  const { host, path: rest } = hostAndPath(name);

  // Docker Hub's old name is still in use, and its one-word names are short.
  const domain = !host || host === "index.docker.io" ? DEFAULT_DOMAIN : host;
  const path = domain === DEFAULT_DOMAIN && !rest.includes("/")
    ? `library/${rest}`
    : rest;
  const full = `${domain}/${path}`;
  if (full.length > MAX_LENGTH) {
    throw fault(
      `${
        shown(full)
      } has ${full.length} characters, at most ${MAX_LENGTH} are allowed`,
    );
  }
  // Without its host, docker.io/example.com/x becomes another name.
  const short = domain === DEFAULT_DOMAIN && !hostAndPath(path).host;
  const repository = short ? path.replace(/^library\/([^/]+)$/, "$1") : full;
  return {
    name,
    tag,
    domain,
    path,
    repository,
    familiar: `${repository}:${tag}`,
    qualified: `${full}:${tag}`,
  };
}

/** Offers another name than `text`, if that one is allowed. */
function suggestion(text: string, other: string): string {
  return other !== text && isName(other) ? `: try ${shownWord(other)}` : "";
}

/** What is no name at all. */
function brokenByText(text: string): string | undefined {
  if (text === "" || text.startsWith(":")) {
    return "a name is needed before the tag, such as isoc/hello:1.0";
  }
  if (/[\s\p{Cc}]/u.test(text)) {
    const joined = text.trim().replace(/[\s\p{Cc}]+/gu, "-");
    return `blanks are not allowed${suggestion(text, joined)}`;
  }
  if (/^[a-z]+:\/\//i.test(text)) {
    const rest = text.replace(/^[a-z]+:\/+/i, "");
    return `a name is no URL${suggestion(text, rest)}`;
  }
  if (text.includes("@")) {
    const name = text.slice(0, text.indexOf("@"));
    return `a digest cannot be chosen, it follows from the image's content${
      suggestion(text, name)
    }`;
  }
  return undefined;
}

/** A tag that breaks a rule, or comes after a name that has capitals. */
function brokenByTag(
  text: string,
  name: string,
  tag: string,
): string | undefined {
  if (!TAG.test(tag)) {
    return tag.length > 128
      ? `the tag has ${tag.length} characters, at most 128 are allowed`
      : `the tag ${
        shown(tag)
      } must be letters, digits, "_", "." and "-", and not begin with "." or "-"${
        suggestion(text, name)
      }`;
  }
  if (/\p{Lu}/u.test(name)) {
    const lower = name.toLowerCase() + text.slice(name.length);
    return `upper case is not allowed before the tag${suggestion(text, lower)}`;
  }
  return undefined;
}

/** A host, or a word between slashes, that breaks a rule. */
function brokenByPath(text: string, name: string): string | undefined {
  const { host, path } = hostAndPath(name);
  if (host !== undefined && !HOST.test(host)) {
    return `the registry host ${
      shown(host)
    } must be letters, digits, "-" and single dots, and may end in ":PORT"`;
  }
  for (const component of path.split("/")) {
    if (component === "") {
      const joined = text.replace(/\/{2,}/g, "/").replace(/^\/|\/$/g, "");
      return `a slash must be between two parts${suggestion(text, joined)}`;
    }
    if (!COMPONENT.test(component)) {
      return `the part ${
        shown(component)
      } must be lower-case letters and digits, with single ".", "_", "__" or dashes between them`;
    }
  }
  return /^[0-9a-f]{64}$/.test(name)
    ? "64 hex digits are taken for an image ID: choose another name"
    : undefined;
}

/**
 * Takes all names of an image apart.
 *
 * @param names `NAME[:TAG]` texts.
 * @returns Their parts, in order; of two texts for one name only the first
 * stays.
 * @throws {DescriptionError} If there is no name or one breaks a rule.
 */
export function parseNames(names: string[]): [ImageName, ...ImageName[]] {
  const parsed = new Map<string, ImageName>();
  for (const name of names.map(parseName)) {
    if (!parsed.has(name.qualified)) parsed.set(name.qualified, name);
  }
  const [first, ...others] = parsed.values();
  if (!first) {
    throw new DescriptionError("An image needs a name, such as isoc/hello:1.0");
  }
  return [first, ...others];
}

/**
 * Whether two lists are of the same names, in any order and spelling.
 *
 * @throws {DescriptionError} If a name breaks a rule.
 */
export function sameNames(one: string[], two: string[]): boolean {
  const all = (names: string[]) =>
    new Set(names.map((name) => parseName(name).qualified));
  const [a, b] = [all(one), all(two)];
  return a.size === b.size && [...a].every((name) => b.has(name));
}

/** Splits a name where its host ends, if its first part is one. */
function hostAndPath(name: string): { host?: string; path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, slash);
  return slash >= 0 && (/[.:]/.test(first) || first === "localhost")
    ? { host: first, path: name.slice(slash + 1) }
    : { path: name };
}

/** Whether a text is an image's name. */
export function isName(text: string): boolean {
  return unlessRefused(() => parseName(text)) !== undefined;
}
