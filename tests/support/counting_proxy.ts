import { listen } from "./listen.ts";

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
  /** Resolves when the connections that are there have ended. */
  ended(): Promise<void>;
}

/**
 * Starts a {@linkcode CountingProxy}.
 *
 * @param host Host and port of the server.
 */
export function countingProxy(host: string): CountingProxy {
  const port = Number(host.split(":")[1]);
  let limit: { at: number; resolve: () => void } | undefined;
  let gate = Promise.withResolvers<void>();
  const connections = new Set<Promise<unknown>>();
  const proxy: CountingProxy = {
    host: "",
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
    async ended() {
      await Promise.all(connections);
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
  const listener = listen(async (client, { open, close }) => {
    const server = await Deno.connect({ port });
    open(server);
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        proxy.sent += chunk.length;
        controller.enqueue(chunk);
        if (!limit || proxy.sent < limit.at) return;
        limit.resolve();
        await gate.promise;
      },
    });
    const both = Promise.allSettled([
      client.readable.pipeThrough(counted).pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
    connections.add(both);
    await both;
    connections.delete(both);
    close(client);
    close(server);
  });
  proxy.host = `localhost:${listener.port}`;
  return proxy;
}
