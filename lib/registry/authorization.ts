import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { readBody } from "./body.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { basicHeader, type Credentials } from "./credentials.ts";
import { errorBody, reasonOf } from "./error_document.ts";
import { isLoopback } from "./reference.ts";
import { PASSING, PassingError, retryAfter } from "./retry.ts";
import { shownUrl } from "./shown_url.ts";

/** A token's answer is never longer, in bytes. */
const MAX_TOKEN = 1 << 20;
/** Seconds that a token holds where the server says nothing. */
const DEFAULT_LIFE = 60;
/** Seconds before its end from which on a token is not used any more. */
const MARGIN = 15;

/** What the authorization needs of its client. */
export interface AuthorizationOptions {
  credentials?: Credentials | undefined;
  /** Whether tokens may be fetched without TLS. */
  plainHttp?: boolean | undefined;
  /** Sends a request as it is: no retry, no redirect. */
  send: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970; `Date.now` unless given. */
  now?: (() => number) | undefined;
}

/**
 * Authorizes requests: by user and password, or by a token from the server that
 * the registry names. A token is used until shortly before it ends; then a new
 * one is fetched, so that long pushes go on.
 *
 * OCI has no rules for this; Docker's "Token Authentication Specification" has.
 */
export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #tokens = new Map<string, { header: string; ends: number }>();
  #challenge: Challenge | undefined;

  constructor(options: AuthorizationOptions) {
    this.#options = options;
  }

  /**
   * The header for a request, where something is known already.
   *
   * @param scope What the request does, such as `repository:me/app:pull`.
   */
  async header(scope: string): Promise<string | undefined> {
    const { credentials } = this.#options;
    if (!this.#challenge) return undefined;
    if (this.#challenge.scheme === "basic") return basicOf(credentials);
    const token = this.#tokens.get(scope);
    if (token && token.ends > this.#now()) return token.header;
    return await this.#fetchToken(this.#challenge, scope);
  }

  /**
   * Takes an answer with status 401.
   *
   * @param header Its header `WWW-Authenticate`.
   * @param scope What the request does.
   * @param isKnown Whether the request said already who sends it.
   * @returns Whether another try makes sense: there is something new to say.
   * @throws {InputError} If the registry asks in a way that ciso does not know.
   */
  async challenged(
    header: string | null,
    scope: string,
    isKnown: boolean,
  ): Promise<boolean> {
    const challenges = parseChallenges(header ?? "");
    const basic = challenges.find(({ scheme }) => scheme === "basic");
    const bearer = challenges.find(({ scheme, parameters }) =>
      scheme === "bearer" && (parameters.has("realm") || !basic)
    );
    if (bearer) {
      this.#challenge = bearer;
      this.#tokens.delete(scope);
      await this.#fetchToken(bearer, scope);
      return true;
    }
    if (basic) {
      this.#challenge = basic;
      return !isKnown && basicOf(this.#options.credentials) !== undefined;
    }
    if (challenges.length === 0) return false;
    throw new InputError(
      "The registry wants to know who asks in a way that ciso does not know: " +
        `${shown(challenges[0]!.scheme)}; it knows Basic and Bearer`,
    );
  }

  async #fetchToken(challenge: Challenge, scope: string): Promise<string> {
    const realm = this.#realm(challenge);
    const { credentials } = this.#options;
    const service = challenge.parameters.get("service");
    const headers = new Headers({ accept: "application/json" });
    const init: RequestInit = { headers, redirect: "manual" };
    const fields = new URLSearchParams();
    if (service !== undefined) fields.set("service", service);
    if (credentials && "identityToken" in credentials) {
      fields.set("scope", scope);
      fields.set("grant_type", "refresh_token");
      fields.set("client_id", "ciso");
      fields.set("refresh_token", credentials.identityToken);
      init.method = "POST";
      init.body = fields.toString();
      headers.set("content-type", "application/x-www-form-urlencoded");
    } else {
      // One field a scope: the server may give less than what is asked.
      for (const one of scope.split(" ")) fields.append("scope", one);
      for (const [key, value] of fields) realm.searchParams.append(key, value);
      const basic = basicOf(credentials);
      if (basic !== undefined) headers.set("authorization", basic);
    }
    const what = `The token of ${realm.host}`;
    const response = await this.#options.send(realm.href, init);
    if (!response.ok) {
      const said = reasonOf(await errorBody(response));
      throw refusal(realm.host, response, said, credentials !== undefined);
    }
    const body = await readBody(response, MAX_TOKEN, what);
    const { token, life } = tokenOf(body, what);
    const header = `Bearer ${token}`;
    const ends = this.#now() + Math.max(life - MARGIN, 1) * 1000;
    this.#tokens.set(scope, { header, ends });
    return header;
  }

  /** The server that gives tokens, if the password may be sent there. */
  #realm(challenge: Challenge): URL {
    const text = challenge.parameters.get("realm") ?? "";
    let realm: URL;
    try {
      realm = new URL(text);
    } catch {
      throw new InputError(
        `The registry names ${
          shownUrl(text)
        } as its token server, which is no URL: whoever runs it can mend that`,
      );
    }
    const isPlain = realm.protocol === "http:" &&
      (this.#options.plainHttp || isLoopback(realm.host));
    if (realm.protocol !== "https:" && !isPlain) {
      throw new InputError(
        `The registry's token server ${
          shownUrl(text)
        } is not reached by HTTPS: ${
          realm.protocol === "http:"
            ? "--plain-http allows that"
            : "whoever runs it can mend that"
        }`,
      );
    }
    // `fetch` takes no URL with a user; it would not be this client's anyway.
    realm.username = "";
    realm.password = "";
    return realm;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

function basicOf(credentials: Credentials | undefined): string | undefined {
  return credentials && "username" in credentials
    ? basicHeader(credentials.username, credentials.password)
    : undefined;
}

/** Why a token server gives no token. */
function refusal(
  host: string,
  response: Response,
  said: string,
  isUser: boolean,
): Error {
  const { status } = response;
  const reason = said && ` (${said})`;
  if (status === 401 || status === 403) {
    return new InputError(
      `${host} does not accept ${
        isUser ? "this user and password" : "requests without a user"
      }${reason}: log in with docker login or podman login, or give --username`,
    );
  }
  const what = `${host} gives no token: it answers ${status}${reason}`;
  if (!PASSING.has(status)) {
    return new InputError(`${what}: is the registry's token server right?`);
  }
  const wait = retryAfter(response.headers.get("retry-after"));
  return new PassingError(what, { ...(wait !== undefined && { wait }) });
}

/** Reads a token server's answer. */
function tokenOf(
  body: Uint8Array,
  what: string,
): { token: string; life: number } {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new InputError(`${what} is no JSON: is it a token server?`);
  }
  const fields = new Map(Object.entries(Object(document)));
  const token = fields.get("token") || fields.get("access_token");
  // What is no token of RFC 6750 breaks the header that it goes into.
  if (typeof token !== "string" || !/^[\w.~+/=-]{1,65536}$/.test(token)) {
    throw new InputError(
      `${what} is missing or malformed: is it a token server?`,
    );
  }
  const life = Number(fields.get("expires_in") ?? DEFAULT_LIFE);
  return { token, life: life > 0 ? life : DEFAULT_LIFE };
}
