import { cleanUp, errorCode, host } from "../runtime.ts";
import { BUILD_OPTIONS, runBuild } from "./build.ts";
import { helpText, VERSION } from "./help.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs the program.
 *
 * @param args The words behind the program's name.
 * @returns The exit code. Errors have been told on standard error.
 */
export async function main(args: string[]): Promise<number> {
  host.onSignal((code) => {
    cleanUp();
    host.exit(code);
  });
  const dashes = args.indexOf("--");
  const options = dashes < 0 ? args : args.slice(0, dashes);
  if (options.includes("-h") || options.includes("--help")) {
    host.print(helpText(BUILD_OPTIONS), 1);
    return 0;
  }
  if (options.includes("-V") || options.includes("--version")) {
    host.print(`ciso ${VERSION}\n`, 1);
    return 0;
  }
  try {
    await runBuild(args[0] === "build" ? args.slice(1) : args);
    return 0;
  } catch (error) {
    return tell(error);
  } finally {
    cleanUp();
  }
}

/** Tells an error on standard error; gives the exit code for it. */
function tell(error: unknown): number {
  // Whoever reads standard output has enough, as `head` does.
  if (errorCode(error) === "EPIPE") return 141;
  const { message, stack } = error instanceof Error
    ? error
    : new Error(String(error));
  host.print(`ciso: ${host.env("CISO_DEBUG") ? stack : message}\n`);
  if (error instanceof UsageError) {
    host.print("Try 'ciso --help' for more.\n");
    return 2;
  }
  return error instanceof TypeError ? 2 : 1;
}
