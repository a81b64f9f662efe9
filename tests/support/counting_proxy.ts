/** Hands on connections to a server on this machine, and counts what goes there. */
export interface CountingProxy extends AsyncDisposable {
  /** Host and port. */
  host: string;
  /** Bytes that clients have sent so far. */
  sent: number;
  /** Resolves when clients have sent that many bytes since now. */
  reaches(bytes: number): Promise<void>;
}

/**
 * Starts a {@linkcode CountingProxy}.
 *
 * @param host Host and port of the server.
 */
export function countingProxy(host: string): CountingProxy {
  const port = Number(host.split(":")[1]);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const waiting: { at: number; resolve: () => void }[] = [];
  const open = new Set<Deno.Conn>();
  const proxy: CountingProxy = {
    host: `localhost:${(listener.addr as Deno.NetAddr).port}`,
    sent: 0,
    reaches: (bytes) =>
      new Promise((resolve) =>
        waiting.push({ at: proxy.sent + bytes, resolve })
      ),
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
      transform(chunk, controller) {
        proxy.sent += chunk.length;
        controller.enqueue(chunk);
        for (const { at, resolve } of waiting) {
          if (proxy.sent >= at) resolve();
        }
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
