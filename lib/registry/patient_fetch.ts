import { forFetch, type PiecedInit } from "../streams/pieced_init.ts";
import { PATIENCE } from "./body.ts";
import { networkError } from "./network_error.ts";
import { PassingError } from "./retry.ts";

/**
 * Bytes, or what gives them piece by piece, once; then headers say how many there
 * are. Each piece may be gone when the next one is asked for.
 */
export type RequestBody =
  | Uint8Array<ArrayBuffer>
  | AsyncGenerator<Uint8Array>;

/** How requests are sent. */
export interface FetchOptions {
  /** Sends requests; the runtime's `fetch` unless given. */
  fetch?: ((url: string, init: PiecedInit) => Promise<Response>) | undefined;
  /** Milliseconds without an answer after which a request has failed. */
  patience?: number;
}

const webFetch = (url: string, init: PiecedInit) => fetch(url, forFetch(init));

/**
 * Sends one request, and follows no redirect.
 *
 * @param url Where it goes.
 * @param init The request without its body.
 * @param body The body.
 * @param options What sends it, and how long it may take.
 * @throws {PassingError} If no answer comes for so long, or the connection breaks.
 */
export async function patientFetch(
  url: string,
  init: RequestInit,
  body: RequestBody | undefined,
  { fetch: send = webFetch, patience = PATIENCE }: FetchOptions,
): Promise<Response> {
  const controller = new AbortController();
  let last = performance.now();
  const check = () => {
    const left = last + patience - performance.now();
    if (left > 0) timer = setTimeout(check, left);
    else {
      controller.abort(
        new PassingError(`${new URL(url).host} does not answer`),
      );
    }
  };
  let timer = setTimeout(check, patience);
  // Each piece shows that it goes on.
  async function* pieces(body: AsyncGenerator<Uint8Array>) {
    for await (const piece of body) {
      last = performance.now();
      yield piece;
    }
    last = performance.now();
  }
  try {
    return await send(url, {
      ...init,
      ...(body instanceof Uint8Array
        ? { body }
        : body && { pieces: pieces(body) }),
      redirect: "manual",
      signal: controller.signal,
    });
  } catch (error) {
    throw networkError(
      new URL(url).host,
      controller.signal.aborted ? controller.signal.reason : error,
    );
  } finally {
    clearTimeout(timer);
  }
}
