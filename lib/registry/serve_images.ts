import { failure, isKnown, json } from "./answers.ts";
import { MEDIA } from "./manifest.ts";
import { DIGEST } from "./reference.ts";
import { serveBlob, Verified } from "./serve_blob.ts";
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
        return await serveBlob(repository, last!, request, verified);
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
