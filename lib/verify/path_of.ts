import { InputError } from "../errors/input_error.ts";
import type { Entry } from "../tar/entry.ts";
import { components, normalizePath } from "../tar/path.ts";
import type { RuleName } from "./rules.ts";

/**
 * An entry's normalized path.
 *
 * @param tell Gets the rule that the path breaks, and how.
 * @returns `undefined` if it can have none.
 */
export function pathOf(
  entry: Entry,
  tell: (rule: RuleName, message: string) => void,
): Uint8Array | undefined {
  try {
    return normalizePath(entry.path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    for (const part of components(entry.path)) {
      if (part.length === 2 && part[0] === 0x2e && part[1] === 0x2e) {
        tell("path-climbs", 'it climbs out with ".."');
        return undefined;
      }
    }
    tell("path-length", "it is longer than Linux takes");
    return undefined;
  }
}
