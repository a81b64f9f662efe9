import { InputError } from "../errors/input_error.ts";
import { fromStream, type Source } from "../streams/source.ts";
import type { RegistryClient } from "./client.ts";
import { discard } from "./body.ts";
import { PassingError, retry, type RetryOptions } from "./retry.ts";

/** Bytes of a chunk: what is sent again after a broken connection. */
export const UPLOAD_CHUNK = 1 << 23;

/** A blob to upload. */
export interface UploadBlob {
  /** Such as `sha256:…`. */
  digest: string;
  /** Size in bytes. */
  size: number;
  /** Its bytes. */
  source: Source;
}

/** Remembers where uploads were that did not end, so that they can go on. */
export interface UploadMemory {
  /** The place of an upload, as the registry named it. */
  get(key: string): string | undefined;
  /** Remembers a place; `undefined` forgets it. */
  set(key: string, place: string | undefined): void;
}

/** How blobs are uploaded. */
export interface UploadOptions {
  /** Other repositories of the registry that may have the blob. */
  mountFrom?: readonly string[];
  memory?: UploadMemory | undefined;
  /** Gets the number of bytes that were sent. */
  onBytes?: ((count: number) => void) | undefined;
  retry?: RetryOptions | undefined;
  /**
   * Stops uploads between two chunks, where a later run can go on with every
   * registry.
   */
  signal?: AbortSignal | undefined;
}

/** What became of a blob. */
export type UploadOutcome = "present" | "mounted" | "uploaded";

/** The scope of a push to a repository. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

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
 * @param options How it is uploaded.
 * @throws {InputError} If the registry refuses.
 */
export async function uploadBlob(
  client: RegistryClient,
  repository: string,
  blob: UploadBlob,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  if (await hasBlob(client, repository, blob.digest)) return "present";
  const upload = new Upload(client, repository, blob, options);
  if (await upload.resume()) {
    await upload.run();
    return "uploaded";
  }
  for (const from of options.mountFrom ?? []) {
    if (from !== repository && await upload.start(from)) return "mounted";
  }
  await upload.run();
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
  blob: Pick<UploadBlob, "digest" | "size">,
  { mountFrom = [] }: UploadOptions,
): Promise<UploadOutcome | undefined> {
  if (await hasBlob(client, repository, blob.digest)) return "present";
  const source = new Blob([]);
  for (const from of mountFrom) {
    const upload = new Upload(client, repository, { ...blob, source }, {});
    if (from !== repository && await upload.start(from)) return "mounted";
  }
  return undefined;
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

/** One blob on its way. */
class Upload {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #blob: UploadBlob;
  readonly #options: UploadOptions;
  /** Where the next chunk goes, as the registry named it. */
  #place: string | undefined;
  /** Bytes that the registry has. */
  #sent = 0;

  constructor(
    client: RegistryClient,
    repository: string,
    blob: UploadBlob,
    options: UploadOptions,
  ) {
    this.#client = client;
    this.#repository = repository;
    this.#blob = blob;
    this.#options = options;
  }

  get #key(): string {
    return `${this.#client.host}/${this.#repository}@${this.#blob.digest}`;
  }

  /**
   * Begins an upload, or takes the blob from another repository.
   *
   * @returns Whether the registry has taken it from there, so that all is done.
   */
  async start(from?: string, tries?: number): Promise<boolean> {
    if (this.#place !== undefined) return false;
    const { digest } = this.#blob;
    const query = from === undefined
      ? ""
      : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    const pull = from === undefined ? "" : ` repository:${from}:pull`;
    const response = await this.#client.send({
      method: "POST",
      path: `/v2/${this.#repository}/blobs/uploads/${query}`,
      scope: pushScope(this.#repository) + pull,
      expect: [201, 202],
      ...(tries !== undefined && { tries }),
    });
    await discard(response);
    if (response.status === 201) return from !== undefined;
    this.#sent = 0;
    await this.#moved(response);
    return false;
  }

  /** Goes on with an upload that an earlier run has begun. */
  async resume(): Promise<boolean> {
    const place = this.#options.memory?.get(this.#key);
    if (place === undefined) return false;
    try {
      const { origin } = await this.#client.url("/");
      // This registry names no place elsewhere.
      if (new URL(place).origin !== origin) return false;
      this.#place = place;
      return await this.#ask();
    } catch (error) {
      if (!(error instanceof InputError) && !(error instanceof TypeError)) {
        throw error;
      }
      this.#place = undefined;
      return false;
    }
  }

  /** Sends all that the registry lacks. */
  async run(): Promise<void> {
    await retry(async () => {
      try {
        await this.#pass();
      } catch (error) {
        if (error instanceof PassingError) await this.#recover();
        throw error;
      }
    }, this.#options.retry);
    this.#options.memory?.set(this.#key, undefined);
  }

  async #pass(): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    // The whole pass is tried again, so each request in it has one try.
    if (this.#place === undefined) await this.start(undefined, 1);
    const { size, source } = this.#blob;
    // Small ones go with the request that ends the upload.
    if (size > UPLOAD_CHUNK) {
      for await (const chunk of chunksOf(source, this.#sent, size)) {
        await this.#send(chunk);
        signal?.throwIfAborted();
      }
      return await this.#finish(undefined);
    }
    const { value } = await chunksOf(source, this.#sent, size).next();
    await this.#finish(value ?? undefined);
  }

  async #send(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    const end = this.#sent + chunk.length;
    const response = await this.#client.send({
      method: "PATCH",
      path: this.#place!,
      scope: pushScope(this.#repository),
      expect: [202],
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${this.#sent}-${end - 1}`,
      },
      body: chunk,
      tries: 1,
    });
    await discard(response);
    this.#sent = end;
    this.#options.onBytes?.(chunk.length);
    await this.#moved(response);
  }

  async #finish(chunk: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
    const { digest, size } = this.#blob;
    const url = await this.#client.url(this.#place!);
    url.searchParams.set("digest", digest);
    const headers: Record<string, string> = {
      "content-type": "application/octet-stream",
    };
    if (chunk && this.#sent > 0) {
      headers["content-range"] = `${this.#sent}-${size - 1}`;
    }
    const response = await this.#client.send({
      method: "PUT",
      path: url.href,
      scope: pushScope(this.#repository),
      expect: [201, 204],
      headers,
      body: chunk ?? new Uint8Array(0),
      tries: 1,
    });
    await discard(response);
    if (chunk) this.#options.onBytes?.(chunk.length);
  }

  /** Finds out where to go on, or that it must begin anew. */
  async #recover(): Promise<void> {
    try {
      if (this.#place !== undefined && await this.#ask(1)) return;
    } catch (error) {
      if (!(error instanceof InputError) && !(error instanceof PassingError)) {
        throw error;
      }
    }
    this.#place = undefined;
    this.#sent = 0;
  }

  /** Asks how much of the upload has come. */
  async #ask(tries?: number): Promise<boolean> {
    const response = await this.#client.send({
      method: "GET",
      path: this.#place!,
      scope: pushScope(this.#repository),
      expect: [204, 404, 400, 416],
      ...(tries !== undefined && { tries }),
    });
    await discard(response);
    const [, end] = /^(?:bytes=)?0-(\d{1,15})$/.exec(
      response.headers.get("range") ?? "",
    ) ?? [];
    // `0-0` is what registries say of nothing as well as of one byte.
    const sent = end === undefined || end === "0" ? 0 : Number(end) + 1;
    if (response.status !== 204 || sent > this.#blob.size) {
      this.#place = undefined;
      return false;
    }
    this.#sent = sent;
    await this.#moved(response);
    return true;
  }

  async #moved(response: Response): Promise<void> {
    const place = response.headers.get("location") ?? this.#place;
    if (place === undefined) {
      throw new InputError(
        `${this.#client.host} does not say where the upload goes: is it a registry?`,
      );
    }
    this.#place = (await this.#client.url(place)).href;
    this.#options.memory?.set(this.#key, this.#place);
  }
}

/** A source's bytes from a place on, in chunks for uploading. */
async function* chunksOf(
  source: Source,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(Math.min(UPLOAD_CHUNK, end - start));
  let filled = 0;
  for await (const piece of fromStream(source.slice(start, end).stream())) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < buffer.length) continue;
      start += filled;
      yield buffer;
      // A request may still hold the last one.
      buffer = new Uint8Array(Math.min(UPLOAD_CHUNK, end - start));
      filled = 0;
    }
  }
  if (start < end) {
    throw new InputError("A layer became shorter while it was read");
  }
}
