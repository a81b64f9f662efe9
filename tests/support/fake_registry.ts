import { createHash } from "node:crypto";

/** What a request gets: an answer, or nothing to be answered by the rest. */
export type Trick = (
  request: Request,
  count: number,
) => Response | undefined | Promise<Response | undefined>;

/** The digest of bytes, such as `sha256:…`. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/**
 * A registry that keeps its blobs in memory, and plays tricks on its clients. It
 * exists because no real registry breaks connections on demand; what works with
 * real ones is tested with real ones.
 */
export class FakeRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Uint8Array>();
  readonly manifests = new Map<
    string,
    { type: string; bytes: Uint8Array<ArrayBuffer> }
  >();
  /** `METHOD /path` of all requests, in order. */
  readonly requests: string[] = [];
  /** The headers of all requests. */
  readonly headers: Headers[] = [];
  /** Bytes of all bodies that came, as far as they came. */
  received = 0;
  readonly #uploads = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param tls Certificate and key, PEM, if it speaks HTTPS. */
  constructor(
    trick: Trick = () => undefined,
    tls?: { cert: string; key: string },
  ) {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {}, ...tls },
      async (request) => {
        const { pathname } = new URL(request.url);
        this.requests.push(`${request.method} ${pathname}`);
        this.headers.push(request.headers);
        const answer = await trick(request, this.requests.length);
        if (answer) return answer;
        try {
          return await this.#answer(request);
        } catch (error) {
          // A client that was killed in the middle of its request.
          if (!(error instanceof Deno.errors.BadResource)) throw error;
          return new Response(null, { status: 400 });
        }
      },
    );
  }

  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  /** Adds a blob; gives its digest. */
  add(bytes: Uint8Array): string {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const [, name, kind, last] =
      /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(
        url.pathname,
      ) ?? [];
    const body = new Uint8Array(await request.arrayBuffer());
    this.received += body.length;
    // Nobody has pushed an image yet.
    if (url.pathname.endsWith("/tags/list") && this.manifests.size === 0) {
      return new Response(null, { status: 404 });
    }
    if (name === undefined) return new Response("{}");
    if (kind === "manifests") {
      if (request.method === "PUT") {
        const type = request.headers.get("content-type")!;
        const digest = digestOf(body);
        for (const key of [last!, digest]) {
          this.manifests.set(key, { type, bytes: body });
        }
        return new Response(null, {
          status: 201,
          headers: { "docker-content-digest": digest },
        });
      }
      const found = this.manifests.get(last!);
      return found
        ? new Response(found.bytes, { headers: { "content-type": found.type } })
        : new Response(null, { status: 404 });
    }
    if (kind === "blobs") {
      const blob = this.blobs.get(last!);
      if (!blob) return new Response(null, { status: 404 });
      const [, from, to] =
        /bytes=(\d+)-(\d+)/.exec(request.headers.get("range") ?? "") ?? [];
      return from === undefined
        ? new Response(blob.slice())
        : new Response(blob.slice(Number(from), Number(to) + 1), {
          status: 206,
        });
    }
    return this.#upload(request.method, url, last!, body);
  }

  #upload(
    method: string,
    url: URL,
    id: string,
    body: Uint8Array<ArrayBuffer>,
  ): Response {
    const place = (id: string) => `${url.pathname.replace(/[^/]*$/, "")}${id}`;
    if (method === "POST") {
      const id = crypto.randomUUID();
      this.#uploads.set(id, new Uint8Array(0));
      return new Response(null, {
        status: 202,
        headers: { location: place(id) },
      });
    }
    const before = this.#uploads.get(id);
    if (!before) return new Response(null, { status: 404 });
    const all = new Uint8Array(before.length + body.length);
    all.set(before);
    all.set(body, before.length);
    this.#uploads.set(id, all);
    if (method === "PUT") {
      const digest = url.searchParams.get("digest")!;
      if (digestOf(all) !== digest) {
        return Response.json({
          errors: [{ code: "DIGEST_INVALID", message: "other digest" }],
        }, { status: 400 });
      }
      this.blobs.set(digest, all);
      return new Response(null, { status: 201 });
    }
    return new Response(null, {
      status: method === "GET" ? 204 : 202,
      headers: {
        location: place(id),
        range: `0-${Math.max(all.length - 1, 0)}`,
      },
    });
  }
}

/** A body that breaks off after some bytes. */
export function broken(bytes: Uint8Array, length = bytes.length): Response {
  let sent = false;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (!sent) controller.enqueue(bytes.slice());
        else {
          // The bytes before are on their way then.
          await new Promise((resolve) => setTimeout(resolve, 20));
          controller.error(new Error("broken on purpose"));
        }
        sent = true;
      },
    }),
    { headers: { "content-length": String(length) } },
  );
}
