import type { Owner } from "../edit/edits.ts";
import { shown } from "../errors/shown.ts";
import { MAX_ID } from "../tar/pax.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Reads an owner.
 *
 * @param option The option that it is of, with its dashes.
 * @param text `UID:GID`.
 * @throws {UsageError} If it is something else.
 */
export function parseOwner(option: string, text: string): Owner {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(text)?.map(Number) ?? [];
  if (uid === undefined || gid === undefined || Math.max(uid, gid) > MAX_ID) {
    throw new UsageError(
      `${option} ${shown(text)} is not UID:GID, two numbers such as 0:0, of ` +
        `${MAX_ID} at most`,
    );
  }
  return { uid, gid };
}
