import { RegistryClient } from "../registry/client.ts";
import type { Credentials } from "../registry/credentials.ts";
import { isLoopback, type Reference } from "../registry/reference.ts";
import { host } from "../system/host.ts";
import { askSecret } from "../system/ask_secret.ts";
import { nodeFetch, proxyOf } from "../system/transport.ts";
import type { Parsed } from "./options.ts";
import { givenLogin, registryLogin } from "./registry_login.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/**
 * A client for a registry, as the command line asks for it.
 *
 * @param parsed The command line.
 * @param reference What is pushed or pulled.
 * @throws {UsageError} If options do not fit together.
 */
export async function registryClient(
  parsed: Parsed,
  reference: Reference,
): Promise<RegistryClient> {
  const certificates = parsed.value("ca-cert");
  const ca = certificates === undefined
    ? undefined
    : host.readText(certificates);
  const proxy = (url: URL) =>
    isLoopback(url.host) ? undefined : proxyOf(url, host.env);
  // Of a stream Node's fetch lets hundreds of megabytes pile up, and Bun's waits
  // for ever if the answer comes before the end. Deno's and Bun's look at the
  // proxy variables themselves.
  const isOwn = (url: URL, init: RequestInit) =>
    ca !== undefined ||
    (proxy(url)
      ? host.isNode
      : init.body instanceof ReadableStream && !host.isDeno);
  return new RegistryClient(reference.registry, {
    credentials: await credentials(parsed, reference),
    plainHttp: parsed.on("plain-http"),
    fetch: (url, init) =>
      isOwn(new URL(url), init)
        ? nodeFetch(url, init, { ca, proxy })
        : fetch(url, init),
    ...(parsed.on("verbose") && {
      onRequest: (line: string) => say(line),
    }),
  });
}

async function credentials(
  parsed: Parsed,
  reference: Reference,
): Promise<Credentials | undefined> {
  const username = parsed.value("username");
  const isPiped = parsed.on("password-stdin");
  if (username === undefined) {
    if (isPiped) throw new UsageError("--password-stdin needs --username");
    return registryLogin(reference);
  }
  const password = isPiped
    ? host.readInput().replace(/\r?\n$/, "")
    : await askSecret(`Password of ${username} at ${reference.registry}: `);
  return givenLogin(username, password);
}
