import { InputError } from "../errors/input_error.ts";
import type { FileSource } from "../read/image_files.ts";
import type { Source } from "../streams/source.ts";
import { discard } from "./body.ts";
import type { RegistryClient } from "./client.ts";
import { CountedBody, type UploadBody } from "./counted_body.ts";
import { PassingError, type RetryOptions } from "./retry.ts";

/** A blob to upload. */
export interface UploadBlob {
  /** Such as `sha256:…`. */
  digest: string;
  /** Size in bytes. */
  size: number;
  /** Its bytes. */
  source: Source & Pick<FileSource, "lent">;
  /** What an unfinished upload is remembered by; the digest unless given. */
  key?: string | undefined;
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
  /**
   * Gets the number of bytes that go out; a negative one where they did not
   * arrive.
   */
  onBytes?: ((count: number) => void) | undefined;
  retry?: RetryOptions | undefined;
  /**
   * Stops uploads between two chunks, where a later run can go on with every
   * registry.
   */
  signal?: AbortSignal | undefined;
}

/** The scope of a push to a repository. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

/** What the memory calls an upload. */
function memoryKey(
  client: RegistryClient,
  repository: string,
  key: string,
): string {
  return `${client.host}/${repository}@${key}`;
}

/** Whether an earlier run has begun an upload that did not end. */
export function isBegun(
  client: RegistryClient,
  repository: string,
  key: string,
  { memory }: UploadOptions,
): boolean {
  return memory?.get(memoryKey(client, repository, key)) !== undefined;
}

/**
 * Where a registry takes the bytes of one blob.
 *
 * OCI distribution-spec v1.1, "Pushing blobs".
 */
export class UploadPlace {
  /** Bytes that the registry has. */
  sent = 0;
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #key: string;
  readonly #options: UploadOptions;
  /** Where the next chunk goes, as the registry named it. */
  #url: string | undefined;

  constructor(
    client: RegistryClient,
    repository: string,
    key: string,
    options: UploadOptions,
  ) {
    this.#client = client;
    this.#repository = repository;
    this.#key = memoryKey(client, repository, key);
    this.#options = options;
  }

  /** Whether the registry has named it. */
  get isOpen(): boolean {
    return this.#url !== undefined;
  }

  /** Begins an upload. */
  async open(tries?: number): Promise<void> {
    await this.#post("", "", tries);
  }

  /**
   * Takes a blob from another repository of the registry, or begins an upload.
   *
   * @returns Whether the registry has taken it from there, so that all is done.
   */
  async mount(digest: string, from: string): Promise<boolean> {
    const query = `?mount=${encodeURIComponent(digest)}&from=${
      encodeURIComponent(from)
    }`;
    return await this.#post(query, ` repository:${from}:pull`) === 201;
  }

  async #post(query: string, scope: string, tries?: number): Promise<number> {
    const response = await this.#client.send({
      method: "POST",
      path: `/v2/${this.#repository}/blobs/uploads/${query}`,
      scope: pushScope(this.#repository) + scope,
      expect: query === "" ? [202] : [201, 202],
      ...(tries !== undefined && { tries }),
    });
    await discard(response);
    if (response.status === 201) return 201;
    this.sent = 0;
    await this.#moved(response);
    return response.status;
  }

  /**
   * Goes on with an upload that an earlier run has begun.
   *
   * @param size Bytes of the blob.
   */
  async resume(size: number): Promise<boolean> {
    const url = this.#options.memory?.get(this.#key);
    if (url === undefined) return false;
    try {
      const { origin } = await this.#client.url("/");
      // This registry names no place elsewhere.
      if (new URL(url).origin !== origin) return false;
      this.#url = url;
      return await this.#ask(size);
    } catch (error) {
      if (!(error instanceof InputError) && !(error instanceof TypeError)) {
        throw error;
      }
      this.#url = undefined;
      return false;
    }
  }

  /** Sends the next bytes. */
  async send(body: UploadBody): Promise<void> {
    const response = await this.#next(this.#url!, "PATCH", body);
    await this.#moved(response);
  }

  /**
   * Ends the upload.
   *
   * @param digest What the registry must have then.
   * @param body The last bytes, if they have not been sent.
   */
  async finish(
    digest: string,
    body: UploadBody = new Uint8Array(0),
  ): Promise<void> {
    const url = await this.#client.url(this.#url!);
    url.searchParams.set("digest", digest);
    await this.#next(url.href, "PUT", body);
    this.forget();
  }

  /** Sends a request with the next bytes, and counts them. */
  async #next(
    path: string,
    method: "PATCH" | "PUT",
    body: UploadBody,
  ): Promise<Response> {
    const pieces = new CountedBody(body, this.#options.onBytes);
    const isWhole = body instanceof Uint8Array;
    const size = isWhole ? body.length : body.size;
    const headers = new Headers({ "content-type": "application/octet-stream" });
    // Without a size it is as docker push does it.
    if (size !== undefined) {
      headers.set("content-length", String(size));
      // What is all of a blob goes without.
      if (method === "PATCH" || (size > 0 && this.sent > 0)) {
        const end = this.sent + size;
        headers.set("content-range", `${this.sent}-${end - 1}`);
      }
    }
    try {
      const response = await this.#client.send({
        method,
        path,
        scope: pushScope(this.#repository),
        expect: method === "PATCH" ? [202] : [201, 204],
        headers: Object.fromEntries(headers),
        body: isWhole ? body : pieces.all(),
        tries: 1,
      });
      await discard(response);
      if (isWhole) pieces.add(body.length);
      this.sent += pieces.count;
      return response;
    } catch (error) {
      pieces.undo();
      // What could not be read says more than that the request broke off.
      throw pieces.failure ?? error;
    }
  }

  /** Lets no later run go on with it. */
  forget(): void {
    this.#options.memory?.set(this.#key, undefined);
  }

  /**
   * Finds out, after a failure, where to go on.
   *
   * @param size Bytes of the blob, or what it has at least.
   * @returns False if it must begin anew.
   */
  async recover(size: number): Promise<boolean> {
    try {
      if (this.isOpen && await this.#ask(size, 1)) return true;
    } catch (error) {
      if (!(error instanceof InputError) && !(error instanceof PassingError)) {
        throw error;
      }
    }
    this.#url = undefined;
    this.sent = 0;
    return false;
  }

  /** Asks how much of the upload has come. */
  async #ask(size: number, tries?: number): Promise<boolean> {
    const response = await this.#client.send({
      method: "GET",
      path: this.#url!,
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
    if (response.status !== 204 || sent > size) {
      this.#url = undefined;
      return false;
    }
    this.sent = sent;
    await this.#moved(response);
    return true;
  }

  async #moved(response: Response): Promise<void> {
    const place = response.headers.get("location") ?? this.#url;
    if (place === undefined) {
      throw new InputError(
        `${this.#client.host} does not say where the upload goes: is it a registry?`,
      );
    }
    this.#url = (await this.#client.url(place)).href;
    this.#options.memory?.set(this.#key, this.#url);
  }
}
