import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { findLogin, readHelperAnswer } from "../registry/auth_file.ts";
import type { Credentials } from "../registry/credentials.ts";
import type { Reference } from "../registry/reference.ts";
import { host } from "../system/host.ts";
import { ownIds } from "../system/own_ids.ts";
import { answerOf } from "../system/programs.ts";

/**
 * Finds the login for a registry where docker, podman, skopeo and crane look for
 * it: `$REGISTRY_AUTH_FILE` alone if it is set, else podman's `auth.json` below
 * `$XDG_RUNTIME_DIR` (or `/run/containers/UID`) and `~/.config`, else Docker's
 * `config.json`.
 *
 * @param reference What is pushed or pulled.
 * @returns `undefined` if nobody has logged in.
 * @throws {InputError} If a file cannot be read, or a helper cannot be run.
 */
export function registryLogin(reference: Reference): Credentials | undefined {
  for (const path of authFiles()) {
    const text = host.readTextIfThere(path);
    if (text === undefined) continue;
    let login;
    try {
      login = findLogin(text, reference);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${path}: ${error.message}`, { cause: error });
    }
    if (!login) continue;
    if ("credentials" in login) return login.credentials;
    const program = `docker-credential-${login.helper}`;
    const answer = answerOf(program, ["get"], login.server);
    if (answer === undefined) {
      throw new InputError(
        `${path} leaves logins to ${program}, which cannot be run: install it, ` +
          `allow it under Deno (--allow-run=${program}), or give --username`,
      );
    }
    const { text: said, code } = answer;
    if (code !== 0 && !said.startsWith(NO_LOGIN)) {
      throw new InputError(
        `${path} leaves logins to ${program}, which fails with exit code ` +
          `${code} (${shown(said.trim())}): mend that, or give --username`,
      );
    }
    const credentials = readHelperAnswer(said);
    if (credentials) return credentials;
  }
  return undefined;
}

/** What helpers say where nobody has logged in. */
const NO_LOGIN = "credentials not found";
const RUN = "/run/containers";

function authFiles(): string[] {
  const given = host.env("REGISTRY_AUTH_FILE");
  if (given) return [given];
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
