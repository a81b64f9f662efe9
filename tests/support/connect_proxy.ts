import { listen } from "./listen.ts";

/** A proxy that hands connections on without looking into them. */
export interface ConnectProxy extends AsyncDisposable {
  /** Host and port. */
  host: string;
  /** What it was asked for: a place, and who asks. */
  asked: Set<string>;
}

/**
 * Starts a proxy that takes `CONNECT` (RFC 9110, section 9.3.6) for any host, and
 * leads to a server on this machine.
 *
 * @param server Host and port of that.
 * @param user Who may ask, `USER:PASSWORD`.
 */
export function connectProxy(server: string, user: string): ConnectProxy {
  const asked = new Set<string>();
  const listener = listen(async (client, { open, close }) => {
    const head = await readHead(client);
    const [, place] = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head) ?? [];
    const [, login] = /\r\nproxy-authorization: *(\S+ \S+)\r\n/i.exec(head) ??
      [];
    asked.add(`${place} ${login}`);
    const text = (line: string) =>
      client.write(new TextEncoder().encode(`HTTP/1.1 ${line}\r\n\r\n`));
    if (login !== `Basic ${btoa(user)}`) {
      await text("407 Proxy Authentication Required");
      return close(client);
    }
    const to = await Deno.connect({ port: Number(server.split(":")[1]) });
    open(to);
    await text("200 Connection established");
    await Promise.allSettled([
      client.readable.pipeTo(to.writable),
      to.readable.pipeTo(client.writable),
    ]);
    close(client);
    close(to);
  });
  return {
    host: `127.0.0.1:${listener.port}`,
    asked,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** Reads as far as the empty line; clients wait for the answer then. */
async function readHead(client: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1 << 14);
  let length = 0;
  for (;;) {
    const count = await client.read(buffer.subarray(length));
    if (count === null) return "";
    length += count;
    const head = new TextDecoder().decode(buffer.subarray(0, length));
    if (head.endsWith("\r\n\r\n")) return head;
  }
}
