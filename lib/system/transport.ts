import { InputError } from "../errors/input_error.ts";
import { fromStream } from "../streams/source.ts";
import { isDeno } from "./node.ts";

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
 * @param init Method, headers, body in bytes or as a stream, and a signal.
 * @param options How it connects.
 * @returns The answer; redirects are not followed.
 */
export async function nodeFetch(
  text: string,
  init: RequestInit,
  options: TransportOptions,
): Promise<Response> {
  const node = await modules();
  const { http, https, tls, stream } = node;
  const url = new URL(text);
  const proxy = options.proxy?.(url);
  const secure = url.protocol === "https:";
  const ca = options.ca === undefined
    ? undefined
    // Deno wants --allow-sys to list those that it trusts.
    : isDeno
    ? [options.ca]
    : [...tls.rootCertificates, options.ca];
  const headers = new Map(new Headers(init.headers).entries());
  headers.set("host", url.host);
  const body = init.body as Body;
  if (body && !(body instanceof ReadableStream)) {
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
    request.on("error", reject);
    request.on("response", (answer) => {
      const status = answer.statusCode ?? 502;
      const fields = new Headers();
      for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
        fields.append(answer.rawHeaders[i]!, answer.rawHeaders[i + 1]!);
      }
      const isEmpty = init.method === "HEAD" || status === 204 ||
        status === 304;
      if (isEmpty) answer.resume();
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
    if (body instanceof ReadableStream) {
      send(body, request).catch((error) => request.destroy(error));
    } else request.end(body ?? undefined);
  });
}

type Body = Uint8Array | string | ReadableStream<Uint8Array> | null | undefined;

/** Sends a body as it comes, no quicker than the connection takes it. */
async function send(
  body: ReadableStream<Uint8Array>,
  request: import("node:http").ClientRequest,
): Promise<void> {
  for await (const piece of fromStream(body)) {
    // A broken connection drains no more.
    if (request.destroyed) return;
    if (request.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        request.off("drain", go).off("close", go);
        resolve();
      };
      request.on("drain", go).on("close", go);
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
    request.on("error", reject);
    request.on("connect", (answer, socket) => {
      if (answer.statusCode === 200) resolve(socket);
      else {
        socket.destroy();
        reject(
          new InputError(
            `The proxy ${proxy.host} answers ${answer.statusCode}`,
          ),
        );
      }
    });
    request.end();
  });
}

function proxyHeaders(proxy: URL): [string, string][] {
  if (proxy.username === "") return [];
  const user = decodeURIComponent(proxy.username);
  const password = decodeURIComponent(proxy.password);
  const basic = btoa(`${user}:${password}`);
  return [["proxy-authorization", `Basic ${basic}`]];
}

function byteLength(body: Uint8Array | string): number {
  return typeof body === "string"
    ? new TextEncoder().encode(body).length
    : body.length;
}

/**
 * The proxy that the environment names for a URL: `HTTPS_PROXY`, `HTTP_PROXY`,
 * `ALL_PROXY`, in either case, and the hosts of `NO_PROXY` that need none.
 *
 * @param url What is asked for.
 * @param env Reads a variable.
 */
export function proxyOf(
  url: URL,
  env: (name: string) => string | undefined,
): URL | undefined {
  const read = (name: string) => env(name.toLowerCase()) ?? env(name);
  const none = (read("NO_PROXY") ?? "").split(",").map((host) => host.trim());
  const isNear = none.some((entry) => {
    if (entry === "") return false;
    if (entry === "*") return true;
    const [name, port] = entry.replace(/^\*?\./, "").split(":");
    return (port === undefined || port === url.port) &&
      (url.hostname === name || url.hostname.endsWith(`.${name}`));
  });
  if (isNear) return undefined;
  const text = read(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY") ??
    read("ALL_PROXY");
  if (text === undefined) return undefined;
  return new URL(/^\w+:\/\//.test(text) ? text : `http://${text}`);
}
