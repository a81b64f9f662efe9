import { InputError } from "../errors/input_error.ts";
import { forFetch, type PiecedInit } from "../streams/pieced_init.ts";
import { isDeno, process } from "./node.ts";
import { readText } from "./plain_open.ts";

/** The modules that this takes, loaded only when a registry is spoken to. */
async function modules() {
  const [http, https, tls, stream] = await Promise.all([
    import("node:http"),
    import("node:https"),
    import("node:tls"),
    import("node:stream"),
  ]);
  return { http, https, tls, stream };
}

type Modules = Awaited<ReturnType<typeof modules>>;

/** How {@linkcode nodeFetch} connects. */
export interface TransportOptions {
  /** Certificates, PEM, that are trusted besides the machine's own. */
  ca?: string | undefined;
  /** The proxy for a URL, where there is one. */
  proxy?: ((url: URL) => URL | undefined) | undefined;
}

/**
 * Sends a request as `fetch` does, on `node:http`: for what `fetch` cannot do
 * the same way in all runtimes, certificates of one's own and proxies.
 *
 * @param text The URL.
 * @param init Method, headers, body in bytes or in pieces, and a signal.
 * @param options How it connects.
 * @returns The answer; redirects are not followed.
 */
export async function nodeFetch(
  text: string,
  init: PiecedInit,
  options: TransportOptions,
): Promise<Response> {
  const node = await modules();
  const { http, https, tls, stream } = node;
  const url = new URL(text);
  const proxy = options.proxy?.(url);
  const secure = url.protocol === "https:";
  const ca = authorities(tls, options.ca);
  const headers = new Map(new Headers(init.headers).entries());
  headers.set("host", url.host);
  const body = init.body as Body;
  const { pieces } = init;
  if (body) {
    headers.set("content-length", String(byteLength(body)));
  }
  const through = proxy && secure
    ? await tunnel(node, proxy, url, init.signal)
    : undefined;
  return await new Promise<Response>((resolve, reject) => {
    const target = proxy && !secure ? proxy : url;
    const request = (target.protocol === "https:" ? https : http).request({
      host: target.hostname.replace(/^\[|\]$/g, ""),
      port: target.port || (target.protocol === "https:" ? 443 : 80),
      path: proxy && !secure ? url.href : url.pathname + url.search,
      method: init.method ?? "GET",
      headers: Object.fromEntries([
        ...headers,
        ...(proxy && !secure ? proxyHeaders(proxy) : []),
      ]),
      signal: init.signal ?? undefined,
      ...(ca && { ca }),
      ...(through && {
        createConnection: () =>
          tls.connect({
            socket: through,
            servername: url.hostname,
            ...(ca && { ca }),
          }),
      }),
    });
    request.on("error", (error) => {
      reject(proxy && !secure ? proxyFailure(proxy, error) : error);
    });
    request.on("response", (answer) => {
      const status = answer.statusCode ?? 502;
      const fields = new Headers();
      for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
        fields.append(answer.rawHeaders[i]!, answer.rawHeaders[i + 1]!);
      }
      const isEmpty = init.method === "HEAD" || status === 204 ||
        status === 304;
      if (isEmpty) answer.resume();
      // Who answers before the end wants no more.
      if (!request.writableEnded) answer.on("close", () => request.destroy());
      resolve(
        new Response(
          isEmpty
            ? null
            : stream.Readable.toWeb(answer) as unknown as ReadableStream<
              Uint8Array
            >,
          { status, headers: fields },
        ),
      );
    });
    if (pieces) send(pieces, request).catch((error) => request.destroy(error));
    else request.end(body ?? undefined);
  });
}

/** All that is trusted; `undefined` if the runtime knows. */
function authorities(
  tls: Modules["tls"],
  given: string | undefined,
): string[] | undefined {
  // Deno wants --allow-sys to tell its own, also where no other is given.
  if (isDeno) return given === undefined ? [] : [given];
  if (given === undefined) return undefined;
  if (tls.getCACertificates) {
    return [...tls.getCACertificates("default"), given];
  }
  const extra = process().env.NODE_EXTRA_CA_CERTS;
  return [...tls.rootCertificates, ...(extra ? [readText(extra)] : []), given];
}

/** Whether a server has the given certificate, by its origin. */
const known = new Map<string, Promise<boolean>>();

/**
 * Sends a request as {@linkcode nodeFetch} does. Deno trusts either the given
 * certificate or those of its own; a question shows which one a server needs.
 */
export async function trustingFetch(
  text: string,
  init: PiecedInit,
  options: TransportOptions,
): Promise<Response> {
  const { origin, protocol } = new URL(text);
  if (!isDeno || protocol !== "https:") {
    return await nodeFetch(text, init, options);
  }
  let isKnown = known.get(origin);
  if (!isKnown) {
    isKnown = nodeFetch(`${origin}/v2/`, {
      method: "HEAD",
      ...(init.signal && { signal: init.signal }),
    }, options).then(
      () => true,
      // What is wrong with a proxy is said so.
      (error) => error instanceof InputError,
    );
    known.set(origin, isKnown);
  }
  return await isKnown
    ? await nodeFetch(text, init, options)
    : await fetch(text, forFetch(init));
}

type Body = Uint8Array | string | null | undefined;

/**
 * Sends a body as it comes: the next piece is asked for when the system has the
 * last one.
 */
async function send(
  pieces: AsyncGenerator<Uint8Array>,
  request: import("node:http").ClientRequest,
): Promise<void> {
  let go = () => {};
  // A broken connection takes no more.
  request.on("close", () => go());
  for await (const piece of pieces) {
    if (request.destroyed) return;
    await new Promise<void>((resolve) => {
      go = resolve;
      request.write(piece, () => resolve());
    });
  }
  request.end();
}

/** A connection through a proxy: RFC 9110, section 9.3.6. */
function tunnel(
  { http, https }: Modules,
  proxy: URL,
  url: URL,
  signal: AbortSignal | null | undefined,
): Promise<import("node:net").Socket> {
  const place = `${url.hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === "https:" ? https : http).request({
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      method: "CONNECT",
      path: place,
      headers: { host: place, ...Object.fromEntries(proxyHeaders(proxy)) },
      signal: signal ?? undefined,
    });
    request.on("error", (error) => reject(proxyFailure(proxy, error)));
    request.on("connect", (answer, socket) => {
      if (answer.statusCode === 200) resolve(socket);
      else {
        socket.destroy();
        reject(
          new InputError(
            `The proxy ${proxy.host} answers ${answer.statusCode}${
              answer.statusCode === 407
                ? ", it does not take that user and password"
                : ""
            }: is the environment's HTTPS_PROXY right?`,
          ),
        );
      }
    });
    request.end();
  });
}

/** What the runtimes say where nobody answers, or a name is not known. */
const MISSING =
  /ECONNREFUSED|ConnectionRefused|ENOTFOUND|FailedToOpen|os error 111|dns error/;

/**
 * Names the proxy if it is not there.
 *
 * @param proxy The proxy.
 * @param error Why a request through it failed, in any runtime's words.
 */
export function proxyFailure(proxy: URL, error: unknown): unknown {
  const isMissing = [error, Object(error).cause].some((one) => {
    const { code = "", message = "" } = Object(one);
    return MISSING.test(`${code} ${message}`);
  });
  if (!isMissing) return error;
  return new InputError(
    `Nothing answers at the proxy ${proxy.host}: is the environment's ` +
      "HTTPS_PROXY or HTTP_PROXY right?",
    { cause: error },
  );
}

function proxyHeaders(proxy: URL): [string, string][] {
  if (proxy.username === "") return [];
  const [user, password] = [proxy.username, proxy.password].map(decoded);
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  const basic = btoa(String.fromCharCode(...bytes));
  return [["proxy-authorization", `Basic ${basic}`]];
}

/** What a URL writes with `%`; text with a stray one stays. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function byteLength(body: Uint8Array | string): number {
  return typeof body === "string"
    ? new TextEncoder().encode(body).length
    : body.length;
}
