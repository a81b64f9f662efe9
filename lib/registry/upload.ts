import { InputError } from "../errors/input_error.ts";
import { lentChunks, release } from "../streams/source.ts";
import { sha256 } from "../streams/sha256.ts";
import { discard } from "./body.ts";
import type { RegistryClient } from "./client.ts";
import { PassingError, retry } from "./retry.ts";
import {
  bodyOf,
  bytesAfter,
  UPLOAD_CHUNK,
  UploadBodies,
} from "./upload_bodies.ts";
import {
  pushScope,
  type UploadBlob,
  type UploadOptions,
  UploadPlace,
} from "./upload_place.ts";

/** What became of a blob. */
export type UploadOutcome = "present" | "mounted" | "uploaded";

/**
 * Bytes of a chunk at most, where it is read while it goes out: proxies before
 * registries refuse more than 100 MB.
 */
const LARGEST = 1 << 26;

/**
 * Makes sure that a repository has a blob: looks for it, takes it over from
 * another repository of the registry, or uploads it in chunks. A broken
 * connection goes on where the registry says that it stopped.
 *
 * OCI distribution-spec v1.1, "Pushing blobs".
 *
 * @param client The registry.
 * @param repository The repository there.
 * @param blob What it must have.
 * @param given How it is uploaded.
 * @throws {InputError} If the registry refuses.
 */
export async function uploadBlob(
  client: RegistryClient,
  repository: string,
  blob: UploadBlob,
  given: UploadOptions = {},
): Promise<UploadOutcome> {
  const { digest, size, key = digest } = blob;
  const retry = { onWait: client.onWait, ...given.retry };
  const options = { ...given, retry };
  const place = new UploadPlace(client, repository, key, options);
  if (await hasBlob(client, repository, digest)) {
    // Who was killed right after the end has not forgotten it.
    place.forget();
    return "present";
  }
  const isResumed = await place.resume(size);
  if (!isResumed && await isMounted(place, repository, digest, options)) {
    place.forget();
    return "mounted";
  }
  try {
    await sendAll(place, blob, options);
  } catch (error) {
    // What an earlier run has sent may have been something else.
    if (!isResumed || !(error instanceof InputError)) throw error;
    if (error instanceof PassingError) throw error;
    place.forget();
    const anew = new UploadPlace(client, repository, key, options);
    await sendAll(anew, blob, options);
  }
  return "uploaded";
}

/**
 * Sees to it that a repository has a blob without sending it: it is there, or
 * another repository of the registry has it.
 *
 * @returns `undefined` if it must be sent.
 * @throws {InputError} If the registry refuses.
 */
export async function findBlob(
  client: RegistryClient,
  repository: string,
  { digest, key = digest }: Pick<UploadBlob, "digest" | "key">,
  options: UploadOptions,
): Promise<UploadOutcome | undefined> {
  const isThere = await hasBlob(client, repository, digest);
  // An upload that this begins is not one to go on with.
  const place = new UploadPlace(client, repository, key, {});
  if (!isThere && !await isMounted(place, repository, digest, options)) {
    return undefined;
  }
  // As in uploadBlob().
  new UploadPlace(client, repository, key, options).forget();
  return isThere ? "present" : "mounted";
}

/** Takes a blob over from another repository of the registry, if one has it. */
async function isMounted(
  place: UploadPlace,
  repository: string,
  digest: string,
  { mountFrom = [] }: UploadOptions,
): Promise<boolean> {
  for (const from of mountFrom) {
    if (from !== repository && await place.mount(digest, from)) return true;
  }
  return false;
}

/** Whether a repository has a blob. */
async function hasBlob(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<boolean> {
  const response = await client.send({
    method: "HEAD",
    path: `/v2/${repository}/blobs/${digest}`,
    scope: pushScope(repository),
    expect: [200, 404],
  });
  await discard(response);
  return response.status === 200;
}

/** Sends all that the registry lacks. */
async function sendAll(
  place: UploadPlace,
  blob: UploadBlob,
  options: UploadOptions,
): Promise<void> {
  await retry(async (count) => {
    try {
      await sendRest(place, blob, options, count === 1);
    } catch (error) {
      if (error instanceof PassingError) await place.recover(blob.size);
      throw error;
    }
  }, options.retry);
}

/**
 * Sends, in one try, what the registry lacks. The whole pass is tried again, so
 * each request in it has one try.
 *
 * @param isFirst Whether chunks are read while they go out. After a failure they
 * are small and in memory, with a length, as the most careful registry wants it.
 */
async function sendRest(
  place: UploadPlace,
  { digest, size, source }: UploadBlob,
  { signal }: UploadOptions,
  isFirst: boolean,
): Promise<void> {
  signal?.throwIfAborted();
  if (!place.isOpen) await place.open(1);
  const { sent } = place;
  const pieces = sent === 0 && source.lent
    ? source.lent()
    : lentChunks(source, sent, size);
  const bodies = new UploadBodies(pieces);
  try {
    for (;;) {
      const left = size - place.sent;
      const isStreamed = isFirst && size > UPLOAD_CHUNK && left > 0;
      const body = isStreamed
        ? bodies.next(Math.min(left, LARGEST), signal)
        : await bodies.bytes(Math.min(left, UPLOAD_CHUNK));
      // The last ones in memory go with the request that ends the upload.
      if (!isStreamed && left <= UPLOAD_CHUNK) {
        return await place.finish(digest, body);
      }
      await place.send(body);
      signal?.throwIfAborted();
    }
  } finally {
    await bodies.close();
  }
}

/** A blob that was made while it was uploaded. */
export interface UploadedPieces {
  /** Such as `sha256:…`. */
  digest: string;
  /** In bytes. */
  size: number;
}

/**
 * Uploads a blob while it is made, before its digest is known. A chunk is made
 * while the one before is on its way, and is kept until it has arrived.
 *
 * @param client The registry.
 * @param repository The repository there.
 * @param pieces The blob's bytes.
 * @param options How it is uploaded, and what an unfinished upload is remembered
 * by.
 * @throws {PassingError} If it cannot go on: {@linkcode uploadBlob} can, with the
 * same key.
 * @throws {InputError} If the registry refuses.
 */
export async function uploadPieces(
  client: RegistryClient,
  repository: string,
  pieces: AsyncGenerator<Uint8Array>,
  options: UploadOptions & { key: string },
): Promise<UploadedPieces> {
  const hash = sha256();
  async function* hashed() {
    for await (const piece of pieces) {
      hash.update(piece);
      yield piece;
    }
  }
  const { signal } = options;
  const place = new UploadPlace(client, repository, options.key, options);
  const bodies = new UploadBodies(hashed());
  let size = 0;
  let next = bodies.list(UPLOAD_CHUNK);
  try {
    for (;;) {
      const list = await next;
      signal?.throwIfAborted();
      if (list.length === 0) break;
      if (!place.isOpen) await place.open();
      next = bodies.list(UPLOAD_CHUNK);
      // Its failure shows when its turn comes.
      next.catch(() => {});
      await sendList(place, list, options);
      size = place.sent;
    }
    const digest = `sha256:${hash.hex()}`;
    if (!place.isOpen) await place.open();
    await place.finish(digest);
    return { digest, size };
  } finally {
    await next.catch(() => {});
    await bodies.close();
  }
}

/** Sends a chunk that is in memory, and again what did not arrive. */
async function sendList(
  place: UploadPlace,
  list: readonly Uint8Array[],
  options: UploadOptions,
): Promise<void> {
  const body = bodyOf(list);
  const start = place.sent;
  try {
    await place.send(body);
    // Nothing reads what has gone out, if it is all of it: its memory is free at
    // once, where a collector lets tens of megabytes pile up.
    if (place.sent === start + body.size) list.forEach(release);
  } catch (error) {
    if (!(error instanceof PassingError)) throw error;
    const end = start + body.size;
    let isLost = false;
    await retry(async () => {
      isLost = !await place.recover(end) || place.sent < start;
      if (isLost || place.sent === end) return;
      await place.send(bytesAfter(list, place.sent - start));
    }, options.retry);
    if (isLost) throw error;
  }
}
