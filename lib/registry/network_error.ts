import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { PassingError } from "./retry.ts";

/** Codes of Node, Deno and Bun for what another try does not change. */
const LASTING = /ECONNREFUSED|ConnectionRefused|ENOTFOUND|FailedToOpenSocket/;
/** What the runtimes say where TLS gets an answer that is none. */
const NO_TLS =
  /InvalidContentType|WRONG_VERSION_NUMBER|Does the server speak TLS/;
const CERTIFICATE = /certificate|CERT_|UnknownIssuer|self.signed|NotValidFor/i;

/**
 * Makes an error for people of what `fetch` throws. The runtimes have no class
 * and no code in common, so it looks at their texts.
 *
 * @param host The host that was asked.
 * @param cause What was thrown.
 * @returns A {@linkcode PassingError} where another try may help.
 */
export function networkError(host: string, cause: unknown): Error {
  if (cause instanceof InputError || cause instanceof PassingError) {
    return cause;
  }
  const parts = causes(cause);
  const text = parts.map(({ name, message, code }) =>
    `${name} ${code} ${message}`
  )
    .join(" ");
  if (/NotCapable|PermissionDenied|net access/.test(text)) {
    return new InputError(
      `Deno does not let ciso reach ${host}: run it with --allow-net`,
      { cause },
    );
  }
  // fetch() of a browser, and so Deno's and Node's, leaves ports to others.
  if (/bad port|port \d+ (is|are) blocked/i.test(text)) {
    return new InputError(
      `The runtime speaks to no registry at ${host}: its port is kept for ` +
        "another protocol; let the registry listen on another one, or run " +
        "ciso under Bun",
      { cause },
    );
  }
  if (NO_TLS.test(text)) {
    return new InputError(
      `${host} does not speak HTTPS: is its port right? --plain-http speaks ` +
        "HTTP with it",
      { cause },
    );
  }
  if (CERTIFICATE.test(text)) {
    return new InputError(
      `The certificate of ${host} is not trusted: give --ca-cert FILE with ` +
        "the certificate that signed it",
      { cause },
    );
  }
  const reason = shown(parts.at(-1)?.message ?? "");
  if (/proxy auth|proxy server/i.test(text)) {
    return new InputError(
      `The proxy before ${host} lets nothing through (${reason}): is the ` +
        "environment's HTTPS_PROXY or HTTP_PROXY right?",
      { cause },
    );
  }
  if (/ECONNREFUSED|ConnectionRefused|os error 111/.test(text)) {
    return new InputError(
      `Nothing answers at ${host}: is the registry running, and is its port right?`,
      { cause },
    );
  }
  if (LASTING.test(text) || /dns error/i.test(text)) {
    return new InputError(
      `Cannot reach ${host}: ${reason}; is its name right?`,
      { cause },
    );
  }
  return new PassingError(`The connection to ${host} broke: ${reason}`, {
    cause,
  });
}

/** An error and its causes, outermost first. */
function causes(
  error: unknown,
): { name: string; message: string; code: string }[] {
  const found = [];
  for (let i = 0; i < 5 && error instanceof Error; i++) {
    const code = "code" in error ? String(error.code) : "";
    found.push({ name: error.name, message: error.message, code });
    error = error.cause;
  }
  return found;
}
