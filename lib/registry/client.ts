import { InputError } from "../errors/input_error.ts";
import { Authorization } from "./authorization.ts";
import { discard } from "./body.ts";
import type { Credentials } from "./credentials.ts";
import {
  type FetchOptions,
  patientFetch,
  type RequestBody,
} from "./patient_fetch.ts";
import { isLoopback, registryHost } from "./reference.ts";
import { refusal } from "./refusal.ts";
import { PassingError, retry, type RetryOptions } from "./retry.ts";
import { shownUrl } from "./shown_url.ts";

/** How a client speaks to a registry. */
export interface ClientOptions extends RetryOptions, FetchOptions {
  credentials?: Credentials | undefined;
  /** Speak HTTP without TLS; this machine itself is tried both ways. */
  plainHttp?: boolean | undefined;
  /** Gets a line for each request. There is no secret in it. */
  onRequest?: ((line: string) => void) | undefined;
}

/** One request. */
export interface RegistryRequest {
  method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT";
  /** Path below the registry, or a whole URL that the registry has named. */
  path: string;
  /** What the request does, such as `repository:me/app:pull`. */
  scope: string;
  /** The statuses that are answers; others become errors. */
  expect: readonly number[];
  headers?: Record<string, string>;
  body?: RequestBody;
  /** Tries in all, where a caller tries again by itself. */
  tries?: number;
}

/** Redirects that are followed one after another. */
const MAX_REDIRECTS = 5;

const REDIRECT = new Set([301, 302, 303, 307, 308]);

/**
 * A client for one registry, on `fetch` and web streams alone: it authorizes
 * itself, follows redirects without giving its credentials to other hosts, and
 * tries again what may pass.
 *
 * OCI distribution-spec v1.1.
 */
export class RegistryClient {
  /** Host and port, for messages. */
  readonly host: string;
  readonly #options: ClientOptions;
  readonly #authorization: Authorization;
  #base: Promise<URL> | undefined;
  /** Streams that have gone out. */
  readonly #begun = new WeakSet<object>();

  /**
   * Makes a client; nothing is sent yet.
   *
   * @param registry The registry, as in a reference.
   * @param options How the client speaks to it.
   */
  constructor(registry: string, options: ClientOptions = {}) {
    this.host = registryHost(registry);
    this.#options = options;
    this.#authorization = new Authorization({
      credentials: options.credentials,
      plainHttp: options.plainHttp,
      send: (url, init) => this.#fetch(url, init),
    });
  }

  /**
   * Sends a request, and again where that may help.
   *
   * @param request What is sent.
   * @returns The answer; a caller that does not read its body must discard it.
   * @throws {InputError} If the registry cannot be reached, or refuses.
   * @throws {PassingError} If the last try failed in a way that may pass.
   */
  async send(request: RegistryRequest): Promise<Response> {
    const { tries } = request;
    return await retry(async () => {
      let { response, place, isKnown } = await this.#authorized(request);
      // Who else asks for a login gets none.
      if (response.status === 401 && place === undefined) {
        const header = response.headers.get("www-authenticate");
        await discard(response);
        const { scope } = request;
        if (await this.#authorization.challenged(header, scope, isKnown)) {
          ({ response, place } = await this.#authorized(request));
        }
      }
      if (request.expect.includes(response.status)) return response;
      throw await refusal(this.host, request, response, place);
    }, { ...this.#options, ...(tries !== undefined && { tries }) });
  }

  /** What those who try again by themselves call before each wait. */
  get onWait(): RetryOptions["onWait"] {
    return this.#options.onWait;
  }

  /**
   * Tries something of several steps until it works, as {@linkcode send} tries
   * one request: its own requests have one try each.
   */
  async retrying<T>(attempt: () => Promise<T>): Promise<T> {
    return await retry(attempt, this.#options);
  }

  /**
   * The same registry's URL of a path, or the place that it has named.
   *
   * @throws {InputError} If that is none, or the connection there is not safe.
   */
  async url(path: string): Promise<URL> {
    this.#base ??= this.#findBase();
    let base: URL;
    try {
      base = await this.#base;
    } catch (error) {
      this.#base = undefined;
      throw error;
    }
    return this.#next(base, path, "names");
  }

  /**
   * Where the next page of a list is: RFC 8288, `rel="next"`.
   *
   * @param response The page.
   * @param path Where it came from.
   * @returns `undefined` after the last page.
   * @throws {InputError} If the next page is the same, or at another host.
   */
  async nextPage(
    response: Response,
    path: string,
  ): Promise<string | undefined> {
    const link = response.headers.get("link") ?? "";
    const [, next] = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(link) ?? [];
    if (next === undefined) return undefined;
    const here = await this.url(path);
    const url = new URL(next, here);
    if (url.origin !== here.origin || url.href === here.href) {
      throw new InputError(
        `${this.host} names ${shownUrl(next)} as the next page of a list`,
      );
    }
    return url.href;
  }

  /** Whether it is HTTPS or HTTP that the registry speaks. */
  async #findBase(): Promise<URL> {
    const { plainHttp } = this.#options;
    const plain = new URL(`http://${this.host}/`);
    const secure = new URL(`https://${this.host}/`);
    if (plainHttp) return plain;
    if (!isLoopback(this.host)) return secure;
    // Plain HTTP first: TLS takes a while to start. A server that wants TLS
    // answers 400, or nothing that is HTTP.
    const answer = await this.#fetch(`${plain}v2/`, {}).catch(() => undefined);
    await (answer && discard(answer));
    if (answer?.status === 200 || answer?.status === 401) return plain;
    try {
      await discard(await this.#fetch(`${secure}v2/`, {}));
      return secure;
    } catch (error) {
      if (!answer || answer.status === 400) throw error;
      return plain;
    }
  }

  /**
   * Sends with what is known of the authorization; follows redirects.
   *
   * @returns The answer, the other host that gave it, if it was one, and whether
   * the request said who sends it.
   */
  async #authorized(
    request: RegistryRequest,
  ): Promise<
    { response: Response; place: string | undefined; isKnown: boolean }
  > {
    const first = await this.url(request.path);
    const base = await this.url("/");
    let url = first;
    for (let i = 0; i <= MAX_REDIRECTS; i++) {
      const headers = new Headers(request.headers);
      // Where the registry sends its clients need not be the registry itself.
      const isOwn = url.origin === base.origin;
      if (isOwn) {
        const value = await this.#authorization.header(request.scope);
        if (value !== undefined) headers.set("authorization", value);
      }
      const { body } = request;
      const response = await this.#fetch(url.href, {
        method: request.method,
        headers,
      }, body && this.#once(body));
      this.#options.onRequest?.(
        `${request.method} ${url.origin}${url.pathname} ${response.status}`,
      );
      const location = response.headers.get("location");
      if (!REDIRECT.has(response.status) || location === null) {
        return {
          response,
          place: isOwn ? undefined : url.host,
          isKnown: headers.has("authorization"),
        };
      }
      await discard(response);
      url = this.#next(url, location, "redirects to");
    }
    throw new InputError(
      `${this.host} redirects without end: is its name right?`,
    );
  }

  /** What goes out; a stream goes out only once. */
  #once(body: RequestBody): typeof body {
    if (body instanceof Uint8Array) return body;
    if (this.#begun.has(body)) {
      throw new PassingError(`${this.host} wants the request once more`);
    }
    this.#begun.add(body);
    return body;
  }

  /** Where the registry leads, seen from a URL. */
  #next(url: URL, location: string, verb: string): URL {
    let next: URL;
    try {
      next = new URL(location, url);
    } catch {
      throw new InputError(
        `${this.host} ${verb} ${
          shownUrl(location)
        }, which is no URL: is it a registry?`,
      );
    }
    // A proxy before the registry speaks HTTPS, and the registry knows nothing
    // of it.
    if (next.protocol === "http:" && next.host === url.host) {
      next.protocol = url.protocol;
    }
    const isPlain = next.protocol === "http:" &&
      (url.protocol === "http:" || this.#options.plainHttp);
    if (next.protocol !== "https:" && !isPlain) {
      throw new InputError(
        `${this.host} ${verb} ${
          shownUrl(next.href)
        }, which is not HTTPS: whoever runs it can mend that`,
      );
    }
    // `fetch` takes no URL with a user.
    next.username = "";
    next.password = "";
    return next;
  }

  async #fetch(
    url: string,
    init: RequestInit,
    body?: RequestBody,
  ): Promise<Response> {
    return await patientFetch(url, init, body, this.#options);
  }
}
