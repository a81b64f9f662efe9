/** What is open by now; all of it is closed in the end. */
interface Connections {
  /** Adds a connection to another server. */
  open(one: Deno.Conn): void;
  close(one: Deno.Conn): void;
}

/**
 * Takes connections on a free port of this machine.
 *
 * @param serve Gets each of them.
 */
export function listen(
  serve: (client: Deno.Conn, connections: Connections) => Promise<void>,
): { port: number; close(): Promise<void> } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const all = new Set<Deno.Conn>();
  const open = (one: Deno.Conn) => void all.add(one);
  const close = (one: Deno.Conn) => {
    all.delete(one);
    try {
      one.close();
    } catch {
      // The other side has closed it.
    }
  };
  void (async () => {
    for await (const client of listener) {
      open(client);
      void serve(client, { open, close }).catch(() => {});
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    close() {
      listener.close();
      for (const one of all) close(one);
      return Promise.resolve();
    },
  };
}
