import type { RuleName } from "./rules.ts";
import { sameJson, shownJson } from "./same_json.ts";
import type { Json } from "./shape.ts";

/** Notes that a face breaks a rule; the entry is the path of its document. */
export type TellFace = (rule: RuleName, entry: string, message: string) => void;

/**
 * Compares fields of two objects.
 *
 * @param where The document, and where in it the objects are.
 */
export function compareFields(
  tell: TellFace,
  { entry, place }: { entry: string; place: string },
  [wanted, found]: readonly [wanted: object, found: object],
  keys: readonly string[],
): void {
  for (const key of keys) {
    const one = (wanted as Json)[key];
    const two = (found as Json)[key];
    if (sameJson(one ?? undefined, two ?? undefined)) continue;
    const path = place === "" ? key : `${place}.${key}`;
    tell(
      "faces-config",
      entry,
      `${path} is ${shownJson(two)}, where the image config asks for ${
        shownJson(one)
      }`,
    );
  }
}
