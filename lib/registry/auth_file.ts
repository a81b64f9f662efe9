import type { Credentials } from "./credentials.ts";
import { InputError } from "../errors/input_error.ts";
import type { Reference } from "./reference.ts";

/** What a file of logins says of a registry. */
export type Login =
  | { credentials: Credentials }
  /** The program `docker-credential-NAME` knows it under this name. */
  | { helper: string; server: string };

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
  for (const server of names) {
    const helper = helpers.get(server);
    if (isHelper(helper)) return { helper, server };
  }
  const auths = fieldsOf(file.get("auths"));
  const paths = repository.split("/")
    .map((_, i, parts) => `${registry}/${parts.slice(0, i + 1).join("/")}`)
    .reverse();
  for (const key of [...paths, ...names, ...sameHost(auths, registry)]) {
    const credentials = credentialsIn(fieldsOf(auths.get(key)));
    if (credentials) return { credentials };
  }
  const store = file.get("credsStore");
  return isHelper(store) ? { helper: store, server: names[0]! } : undefined;
}

/**
 * Reads what a credential helper prints.
 *
 * @param text Its standard output.
 * @returns `undefined` if it knows no user.
 */
export function readHelperAnswer(text: string): Credentials | undefined {
  let fields;
  try {
    fields = fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
  const username = fields.get("Username");
  const password = fields.get("Secret");
  if (typeof username !== "string" || typeof password !== "string") {
    return undefined;
  }
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

function credentialsIn(fields: Map<string, unknown>): Credentials | undefined {
  const token = fields.get("identitytoken");
  if (typeof token === "string" && token !== "") {
    return { identityToken: token };
  }
  const auth = fields.get("auth");
  if (typeof auth === "string" && auth !== "") {
    try {
      const bytes = Uint8Array.from(atob(auth), (char) => char.charCodeAt(0));
      const text = new TextDecoder().decode(bytes).replace(/\0+$/, "");
      const colon = text.indexOf(":");
      if (colon > 0) {
        return {
          username: text.slice(0, colon),
          password: text.slice(colon + 1),
        };
      }
    } catch {
      return undefined;
    }
  }
  const username = fields.get("username");
  const password = fields.get("password");
  return typeof username === "string" && typeof password === "string" &&
      username !== ""
    ? { username, password }
    : undefined;
}

/** A helper's name becomes part of a program's name, so it must be a word. */
function isHelper(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{1,64}$/.test(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError("It is no JSON: log in again");
  }
}

function fieldsOf(value: unknown): Map<string, unknown> {
  return new Map(Object.entries(Object(value)));
}
