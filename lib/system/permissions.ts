import { shown } from "../errors/shown.ts";

/** What Deno says where its permissions lack something. */
const REQUIRES =
  /^Requires (\w+) access(?: to "?(.*?)"?)?, run again with the (--allow-[a-z]+) flag/s;

/** What an access of that kind is, in words. */
const ACTS = new Map<string, (what: string | undefined) => string>([
  ["read", (what) => `let ciso read ${what ?? "files"}`],
  ["write", (what) => `let ciso write ${what ?? "files"}`],
  [
    "env",
    (what) => `let ciso read the environment${what ? ` variable ${what}` : ""}`,
  ],
  ["net", (what) => `let ciso reach ${what ?? "the network"}`],
  ["run", (what) => `let ciso run ${what ?? "programs"}`],
  ["all", (what) => `let ciso use ${what ?? "it"}`],
]);

/** Whether Deno's permissions are why something fails. */
export function isForbidden(error: unknown): error is Error {
  return error instanceof Error && error.name === "NotCapable";
}

/**
 * What Deno's permissions lack, as a plain sentence without a full stop: it names
 * what is not allowed, and the permission that allows it.
 *
 * @param error An error for which {@linkcode isForbidden} holds.
 */
export function forbidden({ message }: Error): string {
  const [, kind = "", what, flag] = REQUIRES.exec(message) ?? [];
  const act = ACTS.get(kind);
  if (act) {
    const name = what === undefined ? undefined : shown(what);
    const allowed = kind === "run" && name ? `${flag}=${name}` : flag;
    const instead = kind === "all" ? ", or use a pipe to or from ciso" : "";
    return `Deno does not ${act(name)}; run it with ${allowed}${instead}`;
  }
  // What a symlink leads to may be anywhere.
  if (/symlink/.test(message)) {
    return "Deno makes symlinks only if it may read and write all files; run it " +
      "with --allow-read --allow-write, without paths";
  }
  return "Deno does not allow it; run it with --allow-read --allow-write " +
    "--allow-env";
}

/**
 * Whether a program cannot be run because Deno does not let ciso read the
 * environment, which a program gets.
 */
export function lacksEnvironment(error: unknown): error is Error {
  return isForbidden(error) && REQUIRES.exec(error.message)?.[1] === "env";
}
