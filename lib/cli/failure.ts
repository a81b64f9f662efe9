import { DescriptionError } from "../errors/description_error.ts";
import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { isRefusal } from "../errors/refusal.ts";
import { errorCode, fileError, reasonOf } from "../system/errors.ts";
import { host } from "../system/host.ts";
import { forbidden, isForbidden } from "../system/permissions.ts";
import { say, sayHint } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/** The exit codes of the program; docs/exit-codes.md explains them. */
export const EXIT = {
  done: 0,
  /** A file, an archive, an engine or the machine is at fault. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** ciso is at fault. */
  bug: 70,
  /** The reader of standard output has gone away. */
  pipe: 141,
} as const;

/** System calls that only look at a file, by names that few users know. */
const LOOKING = /^(lstat|stat|statx|access|readlink|realpath)$/;

/**
 * Calls a function about an option's or a variable's value. What it finds wrong
 * becomes a usage error that starts with the option's name.
 *
 * @param origin Where the value is from, such as `--tag`.
 */
export function named<T>(origin: string | undefined, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (isRefusal(error)) {
      const { message } = error;
      throw new UsageError(origin ? `${origin}: ${message}` : message, {
        cause: error,
      });
    }
    throw error;
  }
}

/**
 * An error that starts with the file's name, if it is about what the file
 * holds; else the error itself. A {@linkcode FileError} names its file already.
 *
 * @param name The file's name, or what else messages call it.
 */
export function ofFile(name: string, error: unknown): unknown {
  if (!isRefusal(error)) {
    return error;
  }
  const { entry, remedy } = error instanceof InputError ? error : {};
  return new InputError(`${name}: ${error.message}`, {
    ...(entry !== undefined && { entry }),
    ...(remedy !== undefined && { remedy }),
    cause: error,
  });
}

/** Calls a function about what a file holds, see {@linkcode ofFile}. */
export function inFile<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw ofFile(name, error);
  }
}

/**
 * Says on standard error why the program fails.
 *
 * @param error What was thrown.
 * @param help The command that shows help, such as `ciso load --help`.
 * @returns The exit code for it.
 */
export function fail(error: unknown, help: string): number {
  // The reader of standard output has enough, as `head` does.
  if (errorCode(error) === "EPIPE") return EXIT.pipe;
  const debug = isDebugging();
  const code = codeOf(error);
  if (code !== undefined) {
    const { message } = error as Error;
    // Of file names, not of ciso: only wrong usage has several lines.
    const line = error instanceof UsageError
      ? message
      : message.replaceAll("\n", "\\n");
    say(debug ? traceOf(error) : line);
    if (error instanceof UsageError) sayHint(`Try '${help}' for more.`);
    return code;
  }
  if (isForbidden(error)) {
    say(debug ? traceOf(error) : forbidden(error));
    return EXIT.failed;
  }
  // The system refuses something, and no caller has better words for it.
  const { syscall, path } = Object(error) as {
    syscall?: string;
    path?: string;
  };
  if (reasonOf(error) !== undefined) {
    const call = syscall ?? (path ? "use" : "go on");
    const verb = LOOKING.test(call) ? "look at" : call;
    const what = `Cannot ${verb}${path ? ` ${shown(path)}` : ""}`;
    say(debug ? traceOf(error) : fileError(what, error).message);
    return EXIT.failed;
  }
  const { name, message } = error instanceof Error
    ? error
    : new Error(String(error));
  say(
    debug
      ? traceOf(error)
      : `This is a bug in ciso: ${name}, ${
        shown(message)
      }. Please report it with this command line and what it prints with ` +
        "CISO_DEBUG=1 in the environment",
  );
  return EXIT.bug;
}

/** The exit code that an error's class has; none if it is of no such class. */
function codeOf(error: unknown): number | undefined {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof DescriptionError) return EXIT.usage;
  return error instanceof InputError || error instanceof FileError
    ? EXIT.failed
    : undefined;
}

/** An error's stack, with those of its causes. */
function traceOf(error: unknown): string {
  const lines: string[] = [];
  for (let at = error, i = 0; at !== undefined && i < 8; i++) {
    const stack = at instanceof Error ? at.stack ?? String(at) : String(at);
    lines.push(i > 0 ? `Caused by: ${stack}` : stack);
    at = at instanceof Error ? at.cause : undefined;
  }
  return lines.join("\n");
}

function isDebugging(): boolean {
  try {
    return host.env("CISO_DEBUG") !== undefined;
  } catch {
    // Deno without --allow-env; the error at hand is about just that.
    return false;
  }
}
