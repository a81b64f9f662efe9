import { InputError } from "../errors/input_error.ts";
import { sha256 } from "../streams/sha256.ts";
import { CHUNK, type HashBeside } from "../streams/source.ts";
import {
  arriving,
  discard,
  encodingError,
  encodingOf,
  Patience,
} from "./body.ts";
import type { RegistryClient } from "./client.ts";
import { networkError } from "./network_error.ts";
import {
  gaveUp,
  PassingError,
  pause,
  type RetryOptions,
  TRIES,
} from "./retry.ts";

/** The scope of a pull from a repository. */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

/** What is downloaded of a blob. */
export interface BlobRange {
  /** Such as `sha256:…`. */
  digest: string;
  /** Size of the whole blob in bytes. */
  size: number;
  /** First byte; 0 unless given. */
  start?: number;
  /** The byte after the last one; the blob's size unless given. */
  end?: number;
}

/** How a blob is downloaded. */
export interface DownloadOptions extends RetryOptions {
  /**
   * Whether each chunk is the reader's only until it asks for the next one: then
   * the next ones take the same memory.
   */
  isLent?: boolean;
  /**
   * Of a whole blob that is lent: what hashes it, besides. Then all of its bytes
   * come, and a wrong digest is an error after them.
   */
  hash?: Pick<HashBeside, "hex"> | undefined;
}

/**
 * Downloads a blob or a stretch of one. A broken connection goes on where it
 * stopped. A whole blob is checked against its digest while it comes: the last
 * bytes come only if it is right.
 *
 * OCI distribution-spec v1.1, "Pulling blobs".
 *
 * @param client The registry.
 * @param repository The repository there.
 * @param range What to download.
 * @param options How often it is tried; the tries begin anew when bytes come.
 * @throws {InputError} If it has other bytes, or more or fewer of them.
 */
export async function* downloadBlob(
  client: RegistryClient,
  repository: string,
  range: BlobRange,
  options: DownloadOptions = {},
): AsyncGenerator<Uint8Array> {
  const { digest, size, start = 0, end = size } = range;
  const isWhole = start === 0 && end === size;
  const hash = isWhole && !options.hash ? sha256() : undefined;
  const what = `Blob ${digest} of ${client.host}/${repository}`;
  const memory = options.isLent ? new LentMemory() : undefined;
  let at = start;
  let held: Uint8Array | undefined;
  for (let failures = 0; at < end;) {
    const before = at;
    try {
      const { body, length } = await open(client, repository, digest, {
        at,
        end,
        size,
      });
      for await (const chunk of memory?.read(body) ?? arriving(body)) {
        if (chunk.length === 0) continue;
        at += chunk.length;
        if (at > end) {
          throw wrongSize(what, "longer", size);
        }
        hash?.update(chunk);
        if (options.hash) yield chunk;
        else {
          if (held) yield held;
          held = chunk;
        }
      }
      if (at < end) {
        if (length === at - before) throw wrongSize(what, "shorter", size);
        throw new PassingError(`${what} broke off`);
      }
    } catch (error) {
      const failure = networkError(client.host, error);
      failures = at > before ? 1 : failures + 1;
      const { tries = TRIES } = options;
      if (!(failure instanceof PassingError)) throw failure;
      if (failures >= tries) throw gaveUp(failure, failures);
      await pause(failure, failures, { onWait: client.onWait, ...options });
    }
  }
  const hex = hash?.hex() ?? await options.hash?.hex();
  if (hex !== undefined && `sha256:${hex}` !== digest) {
    throw new InputError(
      `${what} is damaged, its bytes have another digest: push the image anew`,
    );
  }
  if (held) yield held;
}

/** Room for what Deno has received at most when it is asked: each piece costs. */
const LENT = 2 * CHUNK;

/** Memory for a chunk that is being read and one that somebody has. */
class LentMemory {
  readonly #buffers = [new ArrayBuffer(LENT), new ArrayBuffer(LENT)];
  #turn = 0;

  /** A body's chunks; each but the last two may be gone. */
  async *read(
    body: ReadableStream<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const reader = bytesReader(body);
    if (!reader) return yield* arriving(body);
    const patience = new Patience(reader);
    let isDone = false;
    try {
      for (;;) {
        const turn = this.#turn;
        const buffer = this.#buffers[turn]!;
        // A broken connection takes the memory with it.
        this.#buffers[turn] = new ArrayBuffer(0);
        const { value, done } = await patience.with(reader.read(
          new Uint8Array(
            buffer.byteLength === 0 ? new ArrayBuffer(LENT) : buffer,
          ),
        ));
        isDone = done;
        if (value) this.#buffers[turn] = value.buffer as ArrayBuffer;
        if (done) return;
        this.#turn = 1 - turn;
        yield value;
      }
    } finally {
      patience.end();
      if (!isDone) await reader.cancel().catch(() => {});
      reader.releaseLock();
    }
  }
}

/** A reader into given memory, of a body that can do that. */
function bytesReader(
  body: ReadableStream<Uint8Array>,
): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

function wrongSize(what: string, is: string, size: number): InputError {
  return new InputError(
    `${what} is ${is} than ${size} bytes, as its manifest says: push the image ` +
      "anew",
  );
}

/**
 * Asks for a stretch of a blob.
 *
 * @returns Its bytes, and how many there are of a whole blob, where the registry
 * says so.
 */
async function open(
  client: RegistryClient,
  repository: string,
  digest: string,
  { at, end, size }: { at: number; end: number; size: number },
): Promise<{ body: ReadableStream<Uint8Array>; length?: number }> {
  const isPart = at > 0 || end < size;
  const response = await client.send({
    method: "GET",
    path: `/v2/${repository}/blobs/${digest}`,
    scope: pullScope(repository),
    expect: isPart ? [200, 206] : [200],
    headers: {
      // What is compressed on the way has another length.
      "accept-encoding": "identity",
      ...(isPart && { range: `bytes=${at}-${end - 1}` }),
    },
    tries: 1,
  });
  const { body } = response;
  if (!body) throw new PassingError(`${client.host} sends no bytes`);
  const encoding = encodingOf(response);
  if (encoding !== undefined) {
    await discard(response);
    throw encodingError(`Blob ${digest} of ${client.host}`, encoding);
  }
  // A registry without ranges sends all.
  if (isPart && response.status === 200) return { body: cut(body, at, end) };
  const text = isPart ? "" : response.headers.get("content-length") ?? "";
  return { body, ...(/^\d{1,15}$/.test(text) && { length: Number(text) }) };
}

/** A stretch of a stream. */
function cut(
  stream: ReadableStream<Uint8Array>,
  start: number,
  end: number,
): ReadableStream<Uint8Array> {
  let at = 0;
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const from = Math.max(start - at, 0);
        const to = Math.min(end - at, chunk.length);
        if (from < to) controller.enqueue(chunk.subarray(from, to));
        at += chunk.length;
        if (at >= end) controller.terminate();
      },
    }),
  );
}
