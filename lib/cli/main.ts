import { DescriptionError } from "../errors/description_error.ts";
import { errorCode } from "../system/errors.ts";
import { host } from "../system/host.ts";
import { cleanUp } from "../system/leftovers.ts";
import {
  BUILD_OPTIONS,
  CONVERT_OPTIONS,
  runBuild,
  runConvert,
} from "./build.ts";
import { runExport } from "./export.ts";
import { exportHelp, loadHelp } from "./export_help.ts";
import { EXPORT_OPTIONS, LOAD_OPTIONS } from "./export_options.ts";
import { buildHelp, convertHelp, VERSION } from "./help.ts";
import { runLoad } from "./load.ts";
import { UsageError } from "./usage_error.ts";

/** The commands by name; a line that starts with none of them is a build. */
const COMMANDS: Record<
  string,
  { run: (args: string[]) => Promise<void>; help: () => string }
> = {
  build: { run: runBuild, help: () => buildHelp(BUILD_OPTIONS) },
  convert: { run: runConvert, help: () => convertHelp(CONVERT_OPTIONS) },
  export: { run: runExport, help: () => exportHelp(EXPORT_OPTIONS) },
  load: { run: runLoad, help: () => loadHelp(LOAD_OPTIONS) },
};

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
  const named = args[0] !== undefined && Object.hasOwn(COMMANDS, args[0]);
  const command = COMMANDS[named ? args[0]! : "build"]!;
  try {
    if (options.includes("-h") || options.includes("--help")) {
      host.print(command.help(), 1);
    } else if (options.includes("-V") || options.includes("--version")) {
      host.print(`ciso ${VERSION}\n`, 1);
    } else await command.run(named ? args.slice(1) : args);
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
  host.print(`ciso: ${isDebugging() ? stack : message}\n`);
  if (error instanceof UsageError) {
    host.print("Try 'ciso --help' for more.\n");
    return 2;
  }
  return error instanceof DescriptionError ? 2 : 1;
}

function isDebugging(): boolean {
  try {
    return host.env("CISO_DEBUG") !== undefined;
  } catch {
    // Deno without --allow-env; the error to tell is about just that.
    return false;
  }
}
