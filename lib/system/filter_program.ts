import { FileError } from "../errors/file_error.ts";
import { fileError } from "./errors.ts";
import { type ChildProcessWithoutNullStreams, isDeno, spawn } from "./node.ts";
import { mayBeThere, pause, SOON } from "./programs.ts";

/** How much of a program's messages is kept. */
const MESSAGES = 4096;

/** A program that reads its standard input and writes what becomes of it. */
export interface Filter {
  child: ChildProcessWithoutNullStreams;
  /** Its exit code; `null` if it was ended or not started. */
  ended: Promise<number | null>;
  /** Whether it could not be started. */
  isMissing(): boolean;
  /** The error for that. */
  missing(cause: unknown): FileError;
  /** The beginning of what it has said on its standard error. */
  messages(): string;
}

/**
 * Says that a program is needed and not there.
 *
 * @param words What messages call the bytes, what needs the program, and what
 * else the user can do.
 */
export function lacksProgram(
  program: string,
  cause: unknown,
  { name, why, instead }: { name: string; why: string; instead: string },
): FileError {
  if (mayBeThere(cause)) {
    return fileError(`${name}: cannot start ${program}`, cause);
  }
  return new FileError(
    `${why}, which needs the program ${program}: install it${
      isDeno ? `, and under deno run allow it with --allow-run=${program}` : ""
    }, ${instead}`,
    { cause },
  );
}

/**
 * Starts a program; returns whether it is there at all.
 *
 * @param missing Makes the error if it is not.
 */
export async function startFilter(
  program: string,
  args: string[],
  missing: (cause: unknown) => FileError,
): Promise<Filter> {
  let started = true;
  let failure: unknown;
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(program, args, { stdio: "pipe" });
    child.on("error", (error) => {
      started = false;
      failure = error;
    });
  } catch (error) {
    throw missing(error);
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => resolve(code));
    child.on("error", () => resolve(null));
  });
  // As in outputOf().
  if (!child.stdin) {
    await Promise.race([ended, pause(SOON)]);
    throw missing(failure);
  }
  let messages = "";
  child.stderr.on("data", (chunk: Uint8Array) => {
    if (messages.length < MESSAGES) messages += new TextDecoder().decode(chunk);
  });
  return {
    child,
    ended,
    messages: () => messages,
    isMissing: () => !started,
    missing: (cause) => missing(failure ?? cause),
  };
}
