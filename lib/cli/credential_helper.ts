import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { readHelperAnswer } from "../registry/auth_file.ts";
import type { Credentials } from "../registry/credentials.ts";
import { reasonOf } from "../system/errors.ts";
import { collect, type Collected } from "../system/programs.ts";

/** Milliseconds that a helper has: it may ask for a password in a window. */
const TIME = 60_000;
/** What helpers say where nobody has logged in. */
const NO_LOGIN = /^(credentials not found|no credentials server URL)/;
/** Characters of what a helper says of its failure that a message shows. */
const SAID = 160;

/**
 * Asks a credential helper of Docker for the login of a registry.
 *
 * @param program Such as `docker-credential-pass`.
 * @param server The name that the registry has there.
 * @returns `undefined` if it has no login for the registry.
 * @throws {InputError} If it cannot be run or fails: a clause about the program,
 * with the remedy.
 */
export async function askHelper(
  program: string,
  server: string,
): Promise<Credentials | undefined> {
  let answer: Collected;
  try {
    answer = await collect(program, ["get"], lineOf(server), {
      milliseconds: TIME,
    });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new InputError(whyNotRun(program, error), { cause: error });
  }
  const stdout = new TextDecoder().decode(answer.stdout);
  const { code, stderr } = answer;
  if (code !== 0) {
    if (NO_LOGIN.test(stdout.trim())) return undefined;
    throw new InputError(
      `which fails with exit code ${code}${said(stderr, stdout)}: mend that, ` +
        "or give --username",
    );
  }
  const login = readHelperAnswer(stdout);
  // What it prints instead is not shown: the login may be in it.
  if (login === null) {
    throw new InputError(
      "which prints no login as credential helpers do: is it one?",
    );
  }
  return login;
}

async function* lineOf(server: string): AsyncGenerator<Uint8Array> {
  // As docker writes it: without a line's end.
  yield new TextEncoder().encode(server);
}

/** What a helper that cannot be run needs. */
function whyNotRun(program: string, error: FileError): string {
  const { cause, message } = error;
  if (/does not end|prints more/.test(message)) {
    return `which ${message.slice(program.length + 1)}: try it by hand, or ` +
      "give --username";
  }
  const reason = cause === undefined ? undefined : reasonOf(cause);
  return `which cannot be run${reason ? ` (${reason})` : ""}: install it, ` +
    `allow it under Deno (--allow-run=${program}), or give --username`;
}

/**
 * What a helper says of its failure, to be shown: docker's helpers say it on
 * standard output. A login that is in it, as JSON or by its secret, is left out.
 */
function said(stderr: string, stdout: string): string {
  const login = readHelperAnswer(stdout);
  const secret = !login
    ? ""
    : "password" in login
    ? login.password
    : login.identityToken;
  let text = [stderr, stdout].map((one) => one.trim())
    .find((one) => one !== "") ?? "";
  if (secret !== "") text = text.replaceAll(secret, "…");
  text = text.replace(/\{.*/s, "{…");
  return text === "" ? "" : ` (${shown(text, SAID)})`;
}
