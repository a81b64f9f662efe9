import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { RegistryClient } from "../registry/client.ts";
import type { Credentials } from "../registry/credentials.ts";
import { isLoopback, type Reference } from "../registry/reference.ts";
import { forFetch, type PiecedInit } from "../streams/pieced_init.ts";
import { host } from "../system/host.ts";
import { askSecret } from "../system/ask_secret.ts";
import { hasProxies, proxyOf } from "../system/proxies.ts";
import { nodeFetch, proxyFailure, trustingFetch } from "../system/transport.ts";
import { pipedPassword } from "./piped_password.ts";
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
  const ca = certificate(parsed.value("ca-cert"));
  const proxy = (url: URL) =>
    isLoopback(url.host) ? undefined : proxyOf(url, host.env);
  const proxied = hasProxies(host.env);
  const send = async (url: string, init: PiecedInit): Promise<Response> => {
    if (ca !== undefined) return await trustingFetch(url, init, { ca, proxy });
    // Of pieces Node's fetch lets hundreds of megabytes pile up, Bun's waits for
    // ever if the answer comes before the end, and Deno's takes memory for each.
    // Deno's asks a proxy for this machine too.
    const isOwn = proxied || init.pieces !== undefined;
    // For HTTPS Deno has its certificates only there.
    const isElsewhere = host.isDeno && url.startsWith("https:") &&
      !(proxied && isLoopback(new URL(url).host));
    if (isOwn && !isElsewhere) return await nodeFetch(url, init, { proxy });
    // What is wrong with the proxy's name, Deno says in no clear words.
    const between = proxied ? proxy(new URL(url)) : undefined;
    return await fetch(url, forFetch(init)).catch((error) => {
      throw between ? proxyFailure(between, error) : error;
    });
  };
  return new RegistryClient(reference.registry, {
    credentials: await credentials(parsed, reference),
    plainHttp: parsed.on("plain-http"),
    fetch: send,
    onWait: parsed.on("quiet") ? undefined : tellWait,
    ...(parsed.on("verbose") && {
      onRequest: (line: string) => say(line),
    }),
  });
}

/** Milliseconds from which on somebody wonders what ciso waits for. */
const LONG = 3000;

function tellWait({ message }: Error, milliseconds: number): void {
  if (milliseconds < LONG) return;
  const seconds = Math.round(milliseconds / 1000);
  say(`${message}; trying again in ${seconds} s`);
}

/** The certificate of --ca-cert. */
function certificate(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const text = host.readText(path);
  if (/^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/m.test(text)) {
    return text;
  }
  throw new InputError(
    `--ca-cert ${shownWord(path)} has no certificate in PEM: a line ` +
      "-----BEGIN CERTIFICATE----- begins one",
  );
}

async function credentials(
  parsed: Parsed,
  reference: Reference,
): Promise<Credentials | undefined> {
  const username = parsed.value("username");
  const isPiped = parsed.on("password-stdin");
  if (username === undefined) {
    if (isPiped) throw new UsageError("--password-stdin needs --username");
    return await registryLogin(reference);
  }
  const password = isPiped
    ? pipedPassword()
    : await askSecret(`Password of ${username} at ${reference.registry}: `);
  return givenLogin(username, password);
}
