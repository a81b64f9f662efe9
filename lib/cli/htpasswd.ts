import bcrypt from "bcryptjs";
import { InputError } from "../errors/input_error.ts";

/** Whether a user with that password is let in. */
export type Allow = (username: string, password: string) => Promise<boolean>;

/** Work that a hash may ask for, as a power of two: 16 takes seconds. */
const MAX_ROUNDS = 16;

/**
 * Reads a file of users and bcrypt hashes, as `htpasswd -B` writes it.
 *
 * @param text The file.
 * @returns What checks users. A password that was right is remembered, since a
 * client sends it with each request and bcrypt is slow by design.
 * @throws {InputError} If a line has another form; its hash is not shown.
 */
export function htpasswd(text: string): Allow {
  const users = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, user, hash, rounds] =
      /^([^:]+):(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})$/.exec(line) ?? [];
    if (user === undefined || hash === undefined) {
      throw new InputError(
        `line ${i + 1} is not USER:HASH with a bcrypt hash: make it with ` +
          "htpasswd -B",
      );
    }
    if (Number(rounds) > MAX_ROUNDS) {
      throw new InputError(
        `line ${
          i + 1
        } asks for 2^${rounds} rounds; at most 2^${MAX_ROUNDS} are done`,
      );
    }
    users.set(user, hash);
  }
  const right = new Map<string, string>();
  return async (username, password) => {
    const hash = users.get(username);
    if (hash === undefined) return false;
    if (right.get(username) === password) return true;
    const isRight = await bcrypt.compare(password, hash);
    if (isRight) right.set(username, password);
    return isRight;
  };
}
