/** Hands on connections to a server on this machine, and counts what goes there. */
export interface CountingProxy extends AsyncDisposable {
  /** Host and port. */
  host: string;
  /** Bytes that clients have sent so far. */
  sent: number;
  /**
   * Resolves when clients have sent that many bytes since now. Then nothing more
   * is handed on, so that what comes next comes in time, until
   * {@linkcode CountingProxy.goOn} is called.
   */
  reaches(bytes: number): Promise<void>;
  /** Hands everything on again. */
  goOn(): void;
}

/**
 * Starts a {@linkcode CountingProxy}.
 *
 * @param host Host and port of the server.
 */
export function countingProxy(host: string): CountingProxy {
  const port = Number(host.split(":")[1]);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let limit: { at: number; resolve: () => void } | undefined;
  let gate = Promise.withResolvers<void>();
  const open = new Set<Deno.Conn>();
  const proxy: CountingProxy = {
    host: `localhost:${(listener.addr as Deno.NetAddr).port}`,
    sent: 0,
    reaches: (bytes) =>
      new Promise((resolve) => {
        gate = Promise.withResolvers();
        limit = { at: proxy.sent + bytes, resolve };
      }),
    goOn() {
      limit = undefined;
      gate.resolve();
    },
    [Symbol.asyncDispose]() {
      listener.close();
      for (const one of open) close(one);
      return Promise.resolve();
    },
  };
  const close = (one: Deno.Conn) => {
    open.delete(one);
    try {
      one.close();
    } catch {
      // The other side has closed it.
    }
  };
  const serve = async (client: Deno.Conn) => {
    const server = await Deno.connect({ port });
    open.add(client).add(server);
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        proxy.sent += chunk.length;
        controller.enqueue(chunk);
        if (!limit || proxy.sent < limit.at) return;
        limit.resolve();
        await gate.promise;
      },
    });
    await Promise.allSettled([
      client.readable.pipeThrough(counted).pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
    close(client);
    close(server);
  };
  void (async () => {
    for await (const client of listener) void serve(client).catch(() => {});
  })();
  return proxy;
}
