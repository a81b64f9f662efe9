import { InputError } from "../errors/input_error.ts";
import { fileError } from "./errors.ts";
import { readTlsFiles, type TlsFiles } from "./tls_files.ts";
import { fromStream } from "../streams/source.ts";

/** Where and how a server listens. */
export interface ServerOptions {
  hostname: string;
  /** 0 takes any port that is free. */
  port: number;
  /** Files with certificate and key, PEM, for HTTPS. */
  tls?: TlsFiles | undefined;
  /** Milliseconds without progress after which a client is let go. */
  patience?: number;
  /** Gets the answers that broke off. */
  onError?: (error: unknown) => void;
}

/** A server that listens. */
export interface Server {
  /** Such as `http://127.0.0.1:5000`. */
  readonly url: string;
  /** Takes no more requests; resolves when those that run have ended. */
  close(): Promise<void>;
}

/** Milliseconds that a client may take nothing. */
const PATIENCE = 120_000;
/** Bytes of a request's headers at most. */
const MAX_HEADERS = 1 << 14;

/**
 * Serves HTTP by a handler of web requests, on `node:http`, which Deno, Bun and
 * Node have. A body is read only as fast as its client takes it.
 *
 * @param handle Answers a request. Its errors become status 500.
 * @param options Where it listens.
 * @throws {Error} If it cannot listen there, or a file cannot be read.
 */
export async function serve(
  handle: (request: Request) => Promise<Response>,
  options: ServerOptions,
): Promise<Server> {
  const { hostname, port, tls, patience = PATIENCE } = options;
  const http = await import("node:http");
  const https = await import("node:https");
  type Incoming = InstanceType<typeof http.IncomingMessage>;
  type Outgoing = InstanceType<typeof http.ServerResponse>;
  const scheme = tls ? "https" : "http";

  const answer = async (incoming: Incoming, outgoing: Outgoing) => {
    outgoing.on("error", () => {});
    let ready: Ready;
    try {
      const response = await handle(requestOf(incoming, scheme));
      ready = await begun(response, incoming.method === "HEAD");
    } catch (error) {
      options.onError?.(error);
      const headers = { "content-length": "0" };
      ready = { response: new Response(null, { status: 500, headers }) };
    }
    // What a client sends with a request that has no body is passed over.
    incoming.resume();
    try {
      await send(ready, outgoing, patience);
    } catch (error) {
      options.onError?.(error);
      // A client must not take a broken answer for the whole.
      outgoing.destroy();
    }
  };
  const listener = (incoming: Incoming, outgoing: Outgoing) =>
    void answer(incoming, outgoing);
  const server = tls
    ? https.createServer({
      ...readTlsFiles(tls),
      maxHeaderSize: MAX_HEADERS,
    }, listener)
    : http.createServer({ maxHeaderSize: MAX_HEADERS }, listener);
  await new Promise<void>((resolve, reject) => {
    server.on(
      "error",
      (error: Error) =>
        reject(fileError(`Cannot listen on ${hostname}:${port}`, error)),
    );
    // Without permission, Deno throws where nobody gets it.
    server.listen(port, hostname, resolve);
  });
  const address = server.address();
  const actual = address && typeof address === "object" ? address.port : port;
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    url: `${scheme}://${name}:${actual}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Clients that wait for another request hold it open.
        server.closeIdleConnections?.();
      }),
  };
}

function requestOf(
  incoming: {
    method?: string | undefined;
    url?: string | undefined;
    headers: NodeJS.Dict<string | string[]>;
  },
  scheme: string,
): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  // The path alone is the client's; its host is nothing to rely on.
  const path = (incoming.url ?? "/").replace(/^\w+:\/\/[^/]*/, "");
  const url = new URL(`${scheme}://localhost`);
  const mark = path.indexOf("?");
  url.pathname = mark < 0 ? path : path.slice(0, mark);
  url.search = mark < 0 ? "" : path.slice(mark);
  const method = incoming.method ?? "GET";
  return new Request(url, { method, headers });
}

/** An answer whose body has given its first bytes. */
interface Ready {
  response: Response;
  first?: Uint8Array | undefined;
  rest?: AsyncGenerator<Uint8Array>;
}

/**
 * Reads the first bytes of a body, before the head goes out: what fails at once
 * is status 500 then. (Bun would end a broken answer like a good one of no bytes.)
 */
async function begun(response: Response, headOnly: boolean): Promise<Ready> {
  if (!response.body || headOnly) {
    await response.body?.cancel();
    return { response };
  }
  const rest = fromStream(response.body);
  const { value: first } = await rest.next();
  return { response, first: first ?? undefined, rest };
}

async function send(
  { response, first, rest }: Ready,
  outgoing: {
    writeHead(status: number, headers: Record<string, string>): unknown;
    write(chunk: Uint8Array): boolean;
    end(done?: () => void): unknown;
    once(event: string, listener: () => void): unknown;
    off(event: string, listener: () => void): unknown;
    destroyed: boolean;
  },
  patience: number,
): Promise<void> {
  outgoing.writeHead(
    response.status,
    Object.fromEntries(response.headers.entries()),
  );
  if (first && !outgoing.write(first)) await drained(outgoing, patience);
  for await (const chunk of rest ?? []) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing, patience);
  }
  outgoing.end();
}

/** Waits until the client has taken what was written, or has gone. */
async function drained(
  outgoing: {
    once(event: string, listener: () => void): unknown;
    off(event: string, listener: () => void): unknown;
    destroyed: boolean;
  },
  patience: number,
): Promise<void> {
  if (outgoing.destroyed) return;
  await new Promise<void>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      outgoing.off("drain", end);
      outgoing.off("close", end);
      resolve();
    };
    const timer = setTimeout(() => {
      end();
      reject(new InputError("A client takes nothing"));
    }, patience);
    outgoing.once("drain", end);
    outgoing.once("close", end);
  });
}
