import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown, shownWord } from "../errors/shown.ts";
import {
  DamagedLoginError,
  findLogin,
  type Login,
} from "../registry/auth_file.ts";
import type { Credentials } from "../registry/credentials.ts";
import type { Reference } from "../registry/reference.ts";
import { host } from "../system/host.ts";
import { ownIds } from "../system/own_ids.ts";
import { askHelper } from "./credential_helper.ts";
import { say } from "./say.ts";

/**
 * Finds the login for a registry where docker, podman, skopeo and crane look for
 * it: `$REGISTRY_AUTH_FILE` alone if it is set, else podman's `auth.json` below
 * `$XDG_RUNTIME_DIR` (or `/run/containers/UID`) and `~/.config`, else Docker's
 * `config.json`.
 *
 * A file that cannot be read, or a helper for all registries that fails, is said
 * and passed over, as docker does it: most images need no login.
 *
 * @param reference What is pushed or pulled.
 * @returns `undefined` if nobody has logged in.
 * @throws {InputError} If what is there for just this registry cannot be used, or
 * the file that the environment names.
 */
export async function registryLogin(
  reference: Reference,
): Promise<Credentials | undefined> {
  const given = host.env("REGISTRY_AUTH_FILE");
  for (const path of given ? [given] : usualFiles()) {
    const login = loginIn(path, reference, Boolean(given));
    if (!login) continue;
    if ("credentials" in login) return login.credentials;
    const program = `docker-credential-${login.helper}`;
    try {
      const credentials = await askHelper(program, login.server);
      if (credentials) return credentials;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const message = `${path} leaves logins to ${program}, ${error.message}`;
      const own = new InputError(message, { cause: error });
      if (login.isOwn) throw own;
      warn(own);
    }
  }
  return undefined;
}

/** What a file says of a registry. */
function loginIn(
  path: string,
  reference: Reference,
  isGiven: boolean,
): Login | undefined {
  const origin = isGiven ? " ($REGISTRY_AUTH_FILE names that file)" : "";
  try {
    const text = host.readTextIfThere(path);
    if (text !== undefined) return findLogin(text, reference);
  } catch (error) {
    const isFile = error instanceof FileError;
    if (!isFile && !(error instanceof InputError)) throw error;
    const what = isFile ? error.message : `${path}: ${error.message}`;
    const message = `${what}${origin}, or give --username`;
    const own = new InputError(message, { cause: error });
    if (isGiven || error instanceof DamagedLoginError) throw own;
    warn(own);
    return undefined;
  }
  if (!isGiven) return undefined;
  throw new InputError(
    `There is no ${shownWord(path)}, which $REGISTRY_AUTH_FILE names: log in ` +
      "with podman login, mend or unset it, or give --username",
  );
}

const warned = new Set<string>();

/** Says once what is wrong with the logins; the work goes on without them. */
function warn({ message }: Error): void {
  if (!warned.has(message)) say(`${message}; going on without that login`);
  warned.add(message);
}

const RUN = "/run/containers";

function usualFiles(): string[] {
  const runtime = host.env("XDG_RUNTIME_DIR");
  // Where podman keeps logins without a session, as under sudo.
  const shared = !runtime && host.exists(RUN)
    ? `${RUN}/${ownIds().uid}`
    : undefined;
  const home = host.env("HOME") ?? host.env("USERPROFILE");
  const config = host.env("XDG_CONFIG_HOME") ?? (home && `${home}/.config`);
  const docker = host.env("DOCKER_CONFIG") ?? (home && `${home}/.docker`);
  return [
    runtime && `${runtime}/containers/auth.json`,
    shared && `${shared}/auth.json`,
    config && `${config}/containers/auth.json`,
    docker && `${docker}/config.json`,
  ].filter((path): path is string => path !== undefined && path !== "");
}

/**
 * The user and password that options give.
 *
 * @param username `--username`; may be `USER:PASSWORD`, as for skopeo.
 * @param password The password, where one was given or typed.
 * @throws {InputError} If there is no password.
 */
export function givenLogin(
  username: string,
  password: string | undefined,
): Credentials {
  const colon = username.indexOf(":");
  if (colon >= 0) {
    throw new InputError(
      `--username ${
        shown(username.slice(0, colon))
      } has a password after it, which other users of this machine can see: ` +
        "give it by --password-stdin",
    );
  }
  if (password === undefined || password === "") {
    throw new InputError(
      "There is no password: give it by --password-stdin, or type it on a terminal",
    );
  }
  return { username, password };
}
