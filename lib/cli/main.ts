import { printText } from "./say.ts";
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
import { fail } from "./failure.ts";
import { runVerify } from "./verify.ts";
import { VERIFY_OPTIONS, verifyHelp } from "./verify_options.ts";

/** The commands by name; a line that starts with none of them is a build. */
const COMMANDS: Record<
  string,
  { run: (args: string[]) => Promise<number | void>; help: () => string }
> = {
  build: { run: runBuild, help: () => buildHelp(BUILD_OPTIONS) },
  convert: { run: runConvert, help: () => convertHelp(CONVERT_OPTIONS) },
  export: { run: runExport, help: () => exportHelp(EXPORT_OPTIONS) },
  load: { run: runLoad, help: () => loadHelp(LOAD_OPTIONS) },
  verify: { run: runVerify, help: () => verifyHelp(VERIFY_OPTIONS) },
};

/**
 * Runs the program.
 *
 * @param args The words behind the program's name.
 * @returns The exit code. What goes wrong is said on standard error.
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
      printText(command.help());
    } else if (options.includes("-V") || options.includes("--version")) {
      printText(`ciso ${VERSION}\n`);
    } else return await command.run(named ? args.slice(1) : args) ?? 0;
    return 0;
  } catch (error) {
    return fail(
      error,
      named && args[0] !== "build" ? `ciso ${args[0]} --help` : "ciso --help",
    );
  } finally {
    cleanUp();
  }
}
