import { basename, dirname, join } from "./node.ts";

/**
 * A path beside another one, for a file that gets that one when it is complete:
 * hidden, and no longer than file names may be.
 */
export function temporaryName(path: string): string {
  const id = crypto.randomUUID().slice(0, 8);
  return join(dirname(path), `.${basename(path).slice(0, 200)}.${id}`);
}
