/** The project's root directory. */
export const ROOT = `${import.meta.dirname}/../..`;

/** The permissions that ciso needs under Deno. */
export const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env"];

/** The command that runs ciso from its sources, without anything to ask. */
export const SOURCES = [
  Deno.execPath(),
  "run",
  "--no-prompt",
  ...PERMISSIONS,
  `${ROOT}/main.ts`,
];

/** A compiled program that the tests are to run in place of the sources. */
const PROGRAM = Deno.env.get("CISO_PROGRAM");

/** The command that runs the ciso to test. */
export const CISO = PROGRAM ? [PROGRAM] : SOURCES;

/** {@linkcode CISO} with more permissions; a compiled program has its own. */
export function allowing(...permissions: string[]): string[] {
  return PROGRAM
    ? CISO
    : [...CISO.slice(0, -1), ...permissions, ...CISO.slice(-1)];
}

/** How {@linkcode ciso} and {@linkcode shell} run a program. */
export interface CisoOptions {
  /** The command that runs ciso; from its sources under Deno unless given. */
  command?: string[] | undefined;
  /** Environment variables besides PATH, HOME and the like. */
  env?: Record<string, string> | undefined;
  /** Standard input: the path of a file, or bytes that come through a pipe. */
  stdin?: string | Uint8Array | undefined;
  /** Directory to run in. */
  cwd?: string | undefined;
}

/** What a program came to. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs ciso to its end. */
export function ciso(
  args: string[],
  options: CisoOptions = {},
): Promise<Result> {
  return shell('"$@"', args, options);
}

/**
 * Runs a line of bash to its end, in which `"$@"` is ciso with its arguments. A
 * pipeline's exit code is that of its first part that fails.
 */
export async function shell(
  line: string,
  args: string[],
  { command = CISO, env = {}, stdin = "/dev/null", cwd }: CisoOptions = {},
): Promise<Result> {
  const file = typeof stdin === "string" ? stdin : undefined;
  const child = new Deno.Command("bash", {
    args: [
      ...["-o", "pipefail", "-c"],
      file === undefined ? line : `exec <"$STDIN"\n${line}`,
      ...["bash", ...command, ...args],
    ],
    ...(cwd !== undefined && { cwd }),
    clearEnv: true,
    env: { ...environment(), ...env, ...(file ? { STDIN: file } : {}) },
    stdin: file === undefined ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  if (typeof stdin !== "string") {
    // A program that refuses its input early does not read it to the end.
    await new Blob([stdin as Uint8Array<ArrayBuffer>]).stream()
      .pipeTo(child.stdin).catch(() => {});
  }
  const { code, stdout, stderr } = await output;
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** What programs need to be found and to run, and none of the tester's own settings. */
function environment(): Record<string, string> {
  const kept: Record<string, string> = { NO_COLOR: "1", LC_ALL: "C.UTF-8" };
  // Where Deno has its packages, also for a test that gives another HOME.
  kept.DENO_DIR = `${Deno.env.get("HOME")}/.cache/deno`;
  for (const name of ["PATH", "HOME", "TMPDIR", "DENO_DIR"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** A directory that is gone at the end of the scope. */
export async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "isoc-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
