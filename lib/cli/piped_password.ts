import { InputError } from "../errors/input_error.ts";
import { host } from "../system/host.ts";

/**
 * The password that --password-stdin reads: a line, whose end does not count.
 *
 * @throws {InputError} If standard input has nothing at all.
 */
export function pipedPassword(): string {
  const text = host.readInput();
  // An empty password is a line as well; nothing comes of a program that failed.
  if (text === "") {
    throw new InputError(
      "--password-stdin: standard input is empty; pipe the password in",
    );
  }
  return text.replace(/\r?\n$/, "");
}
