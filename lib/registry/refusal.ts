import { InputError } from "../errors/input_error.ts";
import { errorBody, reasonOf } from "./error_document.ts";
import { PASSING, PassingError, retryAfter } from "./retry.ts";
import { shownUrl } from "./shown_url.ts";

/** What servers in Go, and nginx, say to HTTP where they want TLS. */
const NEEDS_TLS = /HTTP request (was sent )?to (an )?HTTPS (server|port)/;

/**
 * The error that an answer is.
 *
 * @param host The registry.
 * @param request What it answers.
 * @param response The answer; its body is read.
 * @param place The other host that gave it, if it was one.
 */
export async function refusal(
  host: string,
  request: { method: string; path: string },
  response: Response,
  place: string | undefined,
): Promise<Error> {
  const { status } = response;
  const body = await errorBody(response);
  const said = reasonOf(body);
  const who = place === undefined ? host : `${place}, where ${host} leads,`;
  const what = `${who} answers ${status} to ${request.method} ${
    shownUrl(request.path)
  }${said && `: ${said}`}`;
  if (PASSING.has(status)) {
    const wait = retryAfter(response.headers.get("retry-after"));
    return new PassingError(what, { ...(wait !== undefined && { wait }) });
  }
  if ((status === 401 || status === 403) && place === undefined) {
    return new InputError(
      `${host} does not allow that${said && ` (${said})`}: log in with ` +
        "docker login or podman login, or give --username",
    );
  }
  if (status === 407) {
    return new InputError(
      `The proxy before ${host} does not take that user and password: ` +
        "are the environment's HTTPS_PROXY and HTTP_PROXY right?",
    );
  }
  if (status === 400 && NEEDS_TLS.test(new TextDecoder().decode(body))) {
    return new InputError(`${who} speaks HTTPS: leave out --plain-http`);
  }
  const [, blob] = /\/blobs\/(sha256:\w+)$/.exec(request.path) ?? [];
  if (status === 404 && request.method === "GET" && blob !== undefined) {
    return new InputError(
      `${who} lacks the blob ${blob}, which the image's manifest lists: push ` +
        "the image anew",
    );
  }
  return new InputError(
    status === 413
      ? `${what}: it takes no request of that size; whoever runs it can ` +
        "raise the limit, often that of a proxy before it"
      : `${what}: is it a registry, and is the reference right?`,
  );
}
