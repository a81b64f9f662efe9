/** Options of {@linkcode run}. */
export interface RunOptions {
  /** Environment variables to add. */
  env?: Record<string, string>;
}

/**
 * Runs a program to its end.
 *
 * @param program Name on PATH, or path, of the program.
 * @param args Its arguments.
 * @returns What it printed on standard output.
 * @throws {Error} If it cannot be started or fails; with what it said of that.
 */
export async function run(
  program: string,
  args: string[],
  options: RunOptions = {},
): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...(options.env && { env: options.env }),
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  if (!success) {
    throw new Error(
      `${program} ${args.join(" ")} failed with exit code ${code}:\n` +
        (text.decode(stderr).trim() || text.decode(stdout).trim()),
    );
  }
  return text.decode(stdout);
}

/** Whether a program is on PATH. */
export function isInstalled(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}
