import { InputError } from "../errors/input_error.ts";
import type { FileSource } from "../read/image_files.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream, toStream } from "../streams/source.ts";
import { failure, isKnown } from "./answers.ts";
import type { ServedRepository } from "./served_images.ts";

/** Bytes that are handed to a client at once: many clients share the memory. */
const PIECE = 1 << 16;

/**
 * Answers a request for a blob, or for a stretch of it.
 *
 * OCI distribution-spec v1.1, "Pulling blobs".
 *
 * @param repository Where it is looked for.
 * @param digest Such as `sha256:…`.
 * @param request Says which bytes.
 * @param verified Blobs that need no second check.
 */
export async function serveBlob(
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
export class Verified {
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
