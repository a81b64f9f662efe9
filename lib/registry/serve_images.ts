import { InputError } from "../errors/input_error.ts";
import type { FileSource } from "../read/image_files.ts";
import { fromStream, toStream } from "../streams/source.ts";
import { sha256 } from "../streams/sha256.ts";
import { MEDIA } from "./manifest.ts";
import { DIGEST } from "./reference.ts";
import type { ServedImages, ServedRepository } from "./served_images.ts";

/** How a registry serves. */
export interface ServeOptions {
  /**
   * Whether a user with that password may read; everybody may unless
   * given.
   */
  allow?:
    | ((username: string, password: string) => Promise<boolean>)
    | undefined;
}

/** Bytes that are handed to a client at once: many clients share the memory. */
const PIECE = 1 << 16;
/** Entries of a page at most. */
const MAX_PAGE = 1000;

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+|\/)[a-z0-9]+)*$/;

/**
 * Makes a read-only registry of images in archives and layouts: nothing is
 * unpacked or copied. It takes and gives web requests and answers, so any HTTP
 * server can carry it.
 *
 * OCI distribution-spec v1.1: "Pull", "Content Discovery" and referrers.
 *
 * @param images What it serves.
 * @param options Who may read.
 * @returns What answers a request.
 */
export function serveImages(
  images: ServedImages,
  options: ServeOptions = {},
): (request: Request) => Promise<Response> {
  const verified = new Verified();
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return failure(405, "UNSUPPORTED", "this registry is read-only", {
        allow: "GET, HEAD",
      });
    }
    if (!await isAllowed(request, options)) {
      return failure(401, "UNAUTHORIZED", "a user and a password are wanted", {
        "www-authenticate": 'Basic realm="ciso", charset="UTF-8"',
      });
    }
    if (pathname === "/v2" || pathname === "/v2/") return json({});
    if (pathname === "/v2/_catalog") {
      return page(
        [...images.keys()].sort(),
        searchParams,
        pathname,
        (repositories) => ({ repositories }),
      );
    }
    const [, name, kind, last] =
      /^\/v2\/(.{1,255}?)\/(manifests|blobs|tags|referrers)\/([^/]{1,200})$/
        .exec(pathname) ?? [];
    if (name === undefined || !NAME.test(name)) {
      return failure(404, "NAME_INVALID", "there is no such path");
    }
    const repository = images.get(name);
    if (!repository) {
      return failure(404, "NAME_UNKNOWN", "there is no such repository");
    }
    switch (kind) {
      case "manifests":
        return manifest(repository, last!, request);
      case "blobs":
        return await blob(repository, last!, request, verified);
      case "referrers":
        return referrers(repository, last!, searchParams);
    }
    if (last !== "list") {
      return failure(404, "NAME_INVALID", "there is no such path");
    }
    const tags = [...repository.tags.keys()].sort();
    return page(tags, searchParams, pathname, (tags) => ({ name, tags }));
  };
}

/** OCI distribution-spec v1.1, "Listing Referrers". */
function referrers(
  { referrers }: ServedRepository,
  digest: string,
  query: URLSearchParams,
): Response {
  if (!DIGEST.test(digest)) {
    return failure(400, "DIGEST_INVALID", "that is no digest");
  }
  const wanted = query.get("artifactType");
  const all = referrers.get(digest) ?? [];
  return json({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: wanted === null
      ? all
      : all.filter(({ artifactType }) => artifactType === wanted),
  }, {
    "content-type": MEDIA.index,
    ...(wanted !== null && { "oci-filters-applied": "artifactType" }),
  });
}

function manifest(
  { tags, manifests }: ServedRepository,
  reference: string,
  request: Request,
): Response {
  const found = tags.get(reference) ?? manifests.get(reference);
  if (!found) {
    return failure(404, "MANIFEST_UNKNOWN", "there is no such tag or digest");
  }
  const headers = {
    "content-type": found.mediaType,
    "content-length": String(found.bytes.length),
    "docker-content-digest": found.digest,
    etag: `"${found.digest}"`,
    // A tag may mean another manifest tomorrow.
    "cache-control": tags.has(reference) ? "no-cache" : "max-age=31536000",
  };
  if (isKnown(request, found.digest)) {
    return new Response(null, { status: 304, headers: { etag: headers.etag } });
  }
  const body = request.method === "HEAD" ? null : found.bytes.slice();
  return new Response(body, { headers });
}

async function blob(
  repository: ServedRepository,
  digest: string,
  request: Request,
  verified: Verified,
): Promise<Response> {
  const source = repository.blobs.get(digest);
  const known = repository.manifests.get(digest);
  const bytes = known &&
    new Blob([known.bytes.slice()]) as unknown as FileSource;
  const found = source ?? bytes;
  if (!found) return failure(404, "BLOB_UNKNOWN", "there is no such blob");
  const { size } = found;
  const headers: Record<string, string> = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    "cache-control": "max-age=31536000",
    etag: `"${digest}"`,
  };
  if (isKnown(request, digest)) {
    return new Response(null, {
      status: 304,
      headers: { etag: headers.etag! },
    });
  }
  const range = rangeOf(request, size, digest);
  if (range === null) {
    return failure(416, "RANGE_INVALID", "there are no such bytes", {
      "content-range": `bytes */${size}`,
    });
  }
  // It may be a file of this machine that no client must see.
  if (found.isElsewhere) await verified.check(found, digest);
  if (!range) {
    headers["content-length"] = String(size);
    const body = request.method === "HEAD"
      ? null
      : toStream(checked(found, digest, verified));
    return new Response(body, { headers });
  }
  const { start, end } = range;
  headers["content-length"] = String(end - start);
  headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
  if (request.method === "HEAD") {
    return new Response(null, { status: 206, headers });
  }
  // A stretch has no digest of its own: the whole is checked once before.
  await verified.check(found, digest);
  return new Response(toStream(pieces(found, start, end)), {
    status: 206,
    headers,
  });
}

/** Blobs whose digest was found right. */
class Verified {
  readonly #checks = new Map<string, Promise<void>>();

  /** Reads a blob through, once, and fails if it is damaged. */
  check(source: FileSource, digest: string): Promise<void> {
    const known = this.#checks.get(digest);
    if (known) return known;
    const check = (async () => {
      for await (const _ of checked(source, digest, this));
    })();
    this.#checks.set(digest, check);
    check.catch(() => this.#checks.delete(digest));
    return check;
  }

  /** Notes a blob that went out whole and right. */
  add(digest: string): void {
    if (!this.#checks.has(digest)) {
      this.#checks.set(digest, Promise.resolve());
    }
  }
}

/**
 * A blob's bytes; the last of them come only when the digest is right, so that
 * a client never takes a damaged blob for whole.
 */
async function* checked(
  source: FileSource,
  digest: string,
  verified: Verified,
): AsyncGenerator<Uint8Array> {
  const hash = sha256();
  let held: Uint8Array | undefined;
  for await (const piece of pieces(source, 0, source.size)) {
    hash.update(piece);
    if (held) yield held;
    held = piece;
  }
  if (`sha256:${hash.hex()}` !== digest) {
    throw new InputError(
      `Blob ${digest} is damaged, or its archive changed while it is served`,
    );
  }
  verified.add(digest);
  if (held) yield held;
}

/** A stretch of a source in small pieces of memory of their own. */
async function* pieces(
  source: FileSource,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let left = end - start;
  for (let at = start; at < end; at += PIECE) {
    const stop = Math.min(at + PIECE, end);
    const chunks: Uint8Array[] = [];
    for await (const chunk of fromStream(source.slice(at, stop).stream())) {
      left -= chunk.length;
      chunks.push(chunk);
    }
    // Only now it is known that the file has not changed meanwhile.
    yield* chunks;
  }
  if (left !== 0) {
    throw new InputError("The archive changed while it is served");
  }
}

/** The bytes that a request asks for: RFC 9110, section 14. */
function rangeOf(
  request: Request,
  size: number,
  digest: string,
): { start: number; end: number } | null | undefined {
  const text = request.headers.get("range");
  const only = request.headers.get("if-range");
  if (text === null || (only !== null && only !== `"${digest}"`)) {
    return undefined;
  }
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text) ?? [];
  // What is no single range of bytes is answered with the whole.
  if (from === undefined || to === undefined || from + to === "") {
    return undefined;
  }
  const start = from === "" ? Math.max(size - Number(to), 0) : Number(from);
  const end = from === "" || to === "" ? size : Math.min(Number(to) + 1, size);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  return start < end ? { start, end } : null;
}

function isKnown(request: Request, digest: string): boolean {
  const text = request.headers.get("if-none-match");
  return text !== null && text.split(",").some((tag) => {
    const clean = tag.trim().replace(/^W\//, "");
    return clean === "*" || clean === `"${digest}"`;
  });
}

function page(
  all: string[],
  query: URLSearchParams,
  path: string,
  document: (page: string[]) => unknown,
): Response {
  const after = query.get("last");
  const n = query.get("n");
  if (n !== null && !/^\d{1,9}$/.test(n)) {
    return failure(400, "PAGINATION_NUMBER_INVALID", "n is no number");
  }
  const count = n === null ? MAX_PAGE : Math.min(Number(n), MAX_PAGE);
  const rest = after === null ? all : all.filter((name) => name > after);
  const shownNow = rest.slice(0, count);
  const isCut = count > 0 && rest.length > count;
  const next = `${path}?n=${count}&last=${
    encodeURIComponent(shownNow.at(-1) ?? "")
  }`;
  return json(
    document(shownNow),
    isCut ? { link: `<${next}>; rel="next"` } : {},
  );
}

async function isAllowed(
  request: Request,
  { allow }: ServeOptions,
): Promise<boolean> {
  if (!allow) return true;
  const [, encoded] = /^basic ([\w+/=]{1,4096})$/i.exec(
    request.headers.get("authorization") ?? "",
  ) ?? [];
  if (encoded === undefined) return false;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    const text = new TextDecoder().decode(bytes);
    const colon = text.indexOf(":");
    return colon > 0 &&
      await allow(text.slice(0, colon), text.slice(colon + 1));
  } catch {
    return false;
  }
}

function json(document: unknown, headers: Record<string, string> = {}) {
  return answer(200, document, headers);
}

/** OCI distribution-spec v1.1, "Error Codes". */
function failure(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return answer(status, { errors: [{ code, message }] }, headers);
}

function answer(
  status: number,
  document: unknown,
  headers: Record<string, string>,
): Response {
  const text = JSON.stringify(document);
  return new Response(text, {
    status,
    headers: {
      "content-type": "application/json",
      "content-length": String(new TextEncoder().encode(text).length),
      "docker-distribution-api-version": "registry/2.0",
      ...headers,
    },
  });
}
