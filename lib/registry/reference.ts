import { DescriptionError } from "../errors/description_error.ts";
import { shown } from "../errors/shown.ts";

/** Where an image is in a registry. */
export interface Reference {
  /** Host and port, such as `localhost:5000`; `docker.io` unless written. */
  registry: string;
  /** Path of the repository there, such as `library/busybox`. */
  repository: string;
  /** The tag; `latest` unless a tag or a digest is written. */
  tag?: string;
  /** The digest, such as `sha256:…`, where one is written. */
  digest?: string;
}

/** What people write for Docker Hub, and where its API answers. */
const HUB = "docker.io";
const HUB_NAMES = new Set([HUB, "index.docker.io", "registry-1.docker.io"]);
const HUB_HOST = "registry-1.docker.io";

const HOST =
  /^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?::[0-9]{1,5})?$/i;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
/** A digest that ciso can check. */
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The ID of an image: docker takes none for a name either. */
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/;
/** What can only be a registry. */
const HOST_ALONE =
  /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\])(?::[^/]*)?$/i;

/**
 * Whether a text has a user, and perhaps a password, before its registry. It is
 * not to be shown then.
 */
export function hasUser(text: string): boolean {
  const [, before = "", after = ""] =
    /^(?:[a-z]+:\/\/)?([^/]*)@([^/@]*)/i.exec(text) ?? [];
  return before.includes(":") && !/^sha\d+:/.test(after) ||
    /^[a-z]+:\/\/[^/]*@[^/]*\//i.test(text);
}

/**
 * Reads a reference as `docker pull` reads it: `busybox`, `me/app:1.0`,
 * `localhost:5000/app@sha256:…`. It may start with `docker://`, as skopeo
 * writes it.
 *
 * OCI distribution-spec v1.1, "Pulling manifests", has the rules of repository
 * and tag.
 *
 * @param text The reference.
 * @throws {DescriptionError} If it breaks a rule.
 *
 * @example
 * ```ts
 * import { parseReference } from "./reference.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseReference("busybox"), {
 *   registry: "docker.io",
 *   repository: "library/busybox",
 *   tag: "latest",
 * });
 * ```
 */
export function parseReference(text: string): Reference {
  const fail = (reason: string) =>
    new DescriptionError(
      `${shown(text)} is no image reference: ${reason}; write it as ` +
        "REGISTRY/REPOSITORY:TAG, such as localhost:5000/me/app:1.0",
    );
  if (hasUser(text)) {
    throw new DescriptionError(
      "A reference has no user and no password: leave out what is before @, " +
        "and give --username",
    );
  }
  let rest = text.replace(/^docker:\/\//, "");
  if (IMAGE_ID.test(rest)) {
    throw fail("it is an image ID, which registries do not know");
  }
  const at = rest.indexOf("@");
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  if (at >= 0) rest = rest.slice(0, at);
  if (digest !== undefined && !DIGEST.test(digest)) {
    throw fail("its digest is not sha256: and 64 hexadecimal digits");
  }
  if (/^https?:\/\//.test(rest)) throw fail("leave out what is before //");
  if (HOST_ALONE.test(rest)) throw fail("it names no repository");
  const slash = rest.indexOf("/");
  const first = slash < 0 ? "" : rest.slice(0, slash);
  const named = /[.:]/.test(first) || first === "localhost";
  let registry = named ? first : HUB;
  if (!HOST.test(registry)) throw fail("its registry is no host name");
  if (!URL.canParse(`https://${registry}`)) {
    throw fail("its registry is no host with a port below 65536");
  }
  if (HUB_NAMES.has(registry.toLowerCase())) registry = HUB;
  if (named) rest = rest.slice(slash + 1);
  const colon = rest.indexOf(":");
  let tag = colon < 0 ? undefined : rest.slice(colon + 1);
  let repository = colon < 0 ? rest : rest.slice(0, colon);
  if (tag !== undefined && !TAG.test(tag)) {
    throw fail("its tag is not 1 to 128 letters, digits, '_', '.' and '-'");
  }
  if (repository === "") throw fail("it names no repository");
  if (!repository.split("/").every((part) => COMPONENT.test(part))) {
    throw fail(
      "its repository is not lower-case letters and digits with single " +
        "separators",
    );
  }
  if (registry === HUB && !repository.includes("/")) {
    repository = `library/${repository}`;
  }
  if (repository.length > 255) throw fail("its repository is too long");
  if (tag === undefined && digest === undefined) tag = "latest";
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/**
 * Writes a reference whole.
 *
 * @param reference Where the image is.
 * @returns Such as `localhost:5000/me/app:1.0@sha256:…`.
 */
export function formatReference(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${
    digest === undefined ? "" : `@${digest}`
  }`;
}

/**
 * The host that answers for a registry.
 *
 * @param registry As in {@linkcode Reference}.
 * @returns Host and port for a URL.
 */
export function registryHost(registry: string): string {
  return registry === HUB ? HUB_HOST : registry;
}

/**
 * Whether a host is this machine itself, so that plain HTTP does no harm.
 *
 * @param host Host name, with or without a port.
 */
export function isLoopback(host: string): boolean {
  const [, inBrackets] = /^\[(.*)\](?::\d+)?$/.exec(host) ?? [];
  const name = (inBrackets ?? host.replace(/^([^:]*):\d+$/, "$1"))
    .toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") ||
    name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
