import { host } from "../system/host.ts";
import { toPkcs8 } from "../system/private_key.ts";
import { askSecret } from "../system/ask_secret.ts";
import { type PrivateKey, readPrivateKey } from "../sign/key_pair.ts";
import { ofFile } from "./failure.ts";
import { pipedPassword } from "./piped_password.ts";
import { InputError } from "../errors/input_error.ts";
import { PASSWORD_VARIABLE } from "./signature_options.ts";

/**
 * The password of a private key: what --password-stdin gives, else the
 * environment, else what is typed.
 *
 * @param isPiped Whether standard input has it.
 * @param questions What is asked on a terminal; all answers must be the same.
 * @throws {InputError} If there is none, or the answers differ.
 */
export async function keyPassword(
  isPiped: boolean,
  questions: readonly string[],
): Promise<string> {
  if (isPiped) return pipedPassword();
  const given = host.envIfSet(PASSWORD_VARIABLE);
  if (given !== undefined) return given;
  const answers = [];
  for (const question of questions) {
    const answer = await askSecret(question);
    if (answer === undefined) {
      throw new InputError(
        `There is no password for the private key: set ${PASSWORD_VARIABLE}, give it by ` +
          "--password-stdin, or type it on a terminal",
      );
    }
    answers.push(answer);
  }
  if (new Set(answers).size > 1) {
    throw new InputError("The two passwords are not the same: try again");
  }
  return answers[0]!;
}

/**
 * The private key of a file.
 *
 * @param isPiped Whether standard input has the password.
 * @throws {InputError} If it is no such key, or the password is wrong.
 */
export async function privateKey(
  path: string,
  isPiped: boolean,
): Promise<PrivateKey> {
  const text = host.readText(path);
  try {
    return await readPrivateKey(text, {
      password: () => keyPassword(isPiped, [`Password of ${path}: `]),
      toPkcs8,
    });
  } catch (error) {
    throw ofFile(path, error);
  }
}
