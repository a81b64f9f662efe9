import type { Credentials } from "./credentials.ts";
import { InputError } from "../errors/input_error.ts";
import { shown, shownWord } from "../errors/shown.ts";
import type { Reference } from "./reference.ts";

/** What a file of logins says of a registry. */
export type Login =
  | { credentials: Credentials }
  /**
   * The program `docker-credential-NAME` knows it under this name. `isOwn` is
   * false of one that has all logins, perhaps none for this registry.
   */
  | { helper: string; server: string; isOwn: boolean };

/** A file of logins has one for this registry, and it cannot be used. */
export class DamagedLoginError extends InputError {}

/** The name that `docker login` gives Docker Hub. */
const HUB_KEY = "https://index.docker.io/v1/";

/**
 * Looks a registry up in a file of logins, as docker and podman write it:
 * `auths`, `credHelpers` and `credsStore`. An entry for a repository or a
 * directory of repositories wins over one for the whole registry.
 *
 * @param text The file.
 * @param reference What is pushed or pulled.
 * @returns `undefined` if it says nothing of this registry.
 * @throws {DamagedLoginError} If what it says of this registry cannot be read.
 * @throws {InputError} If it is no JSON object. What is in it is not shown.
 */
export function findLogin(
  text: string,
  { registry, repository }: Reference,
): Login | undefined {
  const file = fieldsOf(parse(text));
  const names = registry === "docker.io"
    ? [HUB_KEY, "docker.io", "index.docker.io", "registry-1.docker.io"]
    : [registry, `https://${registry}`, `http://${registry}`];
  const helpers = fieldsOf(file.get("credHelpers"));
  const server = names.find((name) => helpers.has(name));
  const own = server === undefined ? undefined : helpers.get(server);
  // An empty one says that the file itself has the login.
  if (server !== undefined && own !== "") {
    const helper = helperName(own);
    if (helper === undefined) {
      throw new DamagedLoginError(noHelper("credHelpers", own));
    }
    return { helper, server, isOwn: true };
  }
  const auths = fieldsOf(file.get("auths"));
  const paths = repository.split("/")
    .map((_, i, parts) => `${registry}/${parts.slice(0, i + 1).join("/")}`)
    .reverse();
  for (const key of [...paths, ...names, ...sameHost(auths, registry)]) {
    const credentials = credentialsIn(fieldsOf(auths.get(key)), key);
    if (credentials) return { credentials };
  }
  const store = file.get("credsStore") ?? "";
  if (store === "" || own === "") return undefined;
  const helper = helperName(store);
  if (helper === undefined) throw new InputError(noHelper("credsStore", store));
  return { helper, server: names[0]!, isOwn: false };
}

/**
 * Reads what a credential helper prints.
 *
 * @param text Its standard output.
 * @returns `undefined` if it knows no user, `null` if that is no answer of a
 * credential helper.
 */
export function readHelperAnswer(text: string): Credentials | undefined | null {
  let fields;
  try {
    fields = fieldsOf(JSON.parse(text));
  } catch {
    return null;
  }
  const username = fields.get("Username");
  const password = fields.get("Secret");
  if (typeof username !== "string" || typeof password !== "string") {
    return null;
  }
  if (username === "") return undefined;
  return username === "<token>"
    ? { identityToken: password }
    : { username, password };
}

/** Keys with a scheme and a path that mean the same host. */
function sameHost(auths: Map<string, unknown>, registry: string): string[] {
  return [...auths.keys()].filter((key) =>
    /^https?:\/\//.test(key) &&
    key.replace(/^https?:\/\//, "").replace(/\/.*$/s, "") === registry
  );
}

/** The login of an entry; an empty one is left where a helper has it. */
function credentialsIn(
  fields: Map<string, unknown>,
  key: string,
): Credentials | undefined {
  const token = fields.get("identitytoken");
  if (typeof token === "string" && token !== "") {
    return { identityToken: token };
  }
  const auth = fields.get("auth") ?? "";
  const decoded = auth === "" ? undefined : userOf(auth);
  if (decoded) return decoded;
  const username = fields.get("username");
  const password = fields.get("password");
  if (
    typeof username === "string" && typeof password === "string" &&
    username !== ""
  ) return { username, password };
  if (auth === "") return undefined;
  throw new DamagedLoginError(
    `Its login for ${shownWord(key)} is damaged: "auth" is not USER:PASSWORD ` +
      "in base64; log in again with docker login or podman login",
  );
}

/** What `auth` says; `undefined` if it is not USER:PASSWORD in base64. */
function userOf(auth: unknown): Credentials | undefined {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(String(auth)), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
  const text = new TextDecoder().decode(bytes).replace(/\0+$/, "");
  const colon = text.indexOf(":");
  return colon > 0
    ? { username: text.slice(0, colon), password: text.slice(colon + 1) }
    : undefined;
}

/**
 * A helper's name becomes part of a program's name, so it must be a word, such as
 * `desktop.exe`.
 */
function helperName(value: unknown): string | undefined {
  const isName = typeof value === "string" && /^[\w.-]{1,64}$/.test(value);
  return isName ? value : undefined;
}

function noHelper(field: string, value: unknown): string {
  return `Its ${field} names no credential helper, but ${
    shown(value)
  }: write ` +
    "what comes after docker-credential- in the program's name";
}

function parse(text: string): unknown {
  const json = text.replace(/^\ufeff/, "").trim();
  if (json === "") return undefined;
  try {
    return JSON.parse(json);
  } catch {
    throw new InputError(
      "It is no JSON: mend it, or remove it and log in again",
    );
  }
}

function fieldsOf(value: unknown): Map<string, unknown> {
  return new Map(Object.entries(Object(value)));
}
