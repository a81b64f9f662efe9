import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { builtIn } from "./node.ts";

type Env = (name: string) => string | undefined;

/** A variable in either case; an empty one is one that is not set. */
function read(env: Env, name: string): string | undefined {
  return env(name.toLowerCase()) || env(name) || undefined;
}

/** Whether the environment says anything of proxies. */
export function hasProxies(env: Env): boolean {
  return ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].some((name) =>
    read(env, name) !== undefined
  );
}

/**
 * The proxy that the environment names for a URL: `HTTPS_PROXY`, `HTTP_PROXY`,
 * `ALL_PROXY`, in either case, and the hosts of `NO_PROXY` that need none.
 *
 * @param url What is asked for.
 * @param env Reads a variable.
 * @throws {InputError} If it is no URL, or of a kind that ciso does not know.
 */
export function proxyOf(url: URL, env: Env): URL | undefined {
  const secure = url.protocol === "https:";
  if (isNear(url, read(env, "NO_PROXY") ?? "")) return undefined;
  const name = [secure ? "HTTPS_PROXY" : "HTTP_PROXY", "ALL_PROXY"]
    .find((name) => read(env, name) !== undefined);
  return name === undefined ? undefined : proxyUrl(name, read(env, name)!);
}

/**
 * Whether the list of `NO_PROXY` has a URL's host: by its name or that of a domain
 * above it, by its address or a network such as `10.0.0.0/8`, or by `*`; a port
 * may follow a name or an address.
 */
function isNear(url: URL, list: string): boolean {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return list.toLowerCase().split(/[\s,]+/).some((entry) => {
    if (entry === "") return false;
    if (entry === "*") return true;
    const [, network, bits] = /^([0-9a-f.:]+)\/(\d+)$/.exec(entry) ?? [];
    if (network !== undefined) return isIn(host, network, Number(bits));
    const [, v6, ofV6 = port] = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry) ?? [];
    if (v6 !== undefined) return ofV6 === port && isIn(host, v6, 128);
    if (/:.*:/.test(entry)) return isIn(host, entry, 128);
    const [name = "", ofName = port] = entry.replace(/^\*?\./, "").split(":");
    return ofName === port && (host === name || host.endsWith(`.${name}`));
  });
}

/** Whether an address is in a network; false if either is none. */
function isIn(address: string, network: string, bits: number): boolean {
  const { BlockList, isIP } = builtIn("net");
  const version = isIP(network);
  if (version === 0 || isIP(address) !== version) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  if (bits > (version === 4 ? 32 : 128)) return false;
  const addresses = new BlockList();
  addresses.addSubnet(network, bits, family);
  return addresses.check(address, family);
}

/** Messages do not show it: a password may be in it. */
function proxyUrl(name: string, text: string): URL {
  let proxy: URL;
  try {
    proxy = new URL(/^\w+:\/\//.test(text) ? text : `http://${text}`);
  } catch {
    throw new InputError(
      `${name} is no URL: write it as http://HOST:PORT, or unset it`,
    );
  }
  if (proxy.protocol === "http:" || proxy.protocol === "https:") return proxy;
  throw new InputError(
    `${name} names a proxy that speaks ${
      shown(proxy.protocol.slice(0, -1))
    }: ciso takes http:// and https://`,
  );
}
