import { parseJson } from "../formats/json_text.ts";

/** Objects whose keys the user chooses: their case counts. */
const MAPS = new Set([
  ...["labels", "annotations", "userlabels", "properties", "templates"],
  ...["exposedports", "volumes", "sysctl", "unified"],
]);

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

/**
 * Finds a key that an object has twice, or twice but for case: Go's reader,
 * which most engines use, takes the last one whatever the case, others do not.
 *
 * @param text A JSON document without errors.
 * @param isMap Whether the document's own keys are the user's, and those of the
 * objects in it.
 * @returns The key as the document has it the second time.
 */
export function repeatedKey(text: string, isMap = false): string | undefined {
  /** The keys of each object around the place; nothing for an array. */
  const open: { keys?: Set<string>; isMap: boolean }[] = [];
  let key: string | undefined;
  let before = "";
  for (const [token] of text.matchAll(TOKEN)) {
    const top = open.at(-1);
    if (token === "{" || token === "[") {
      const map = MAPS.has(key?.toLowerCase() ?? "") ||
        (isMap && open.length < 2);
      open.push({
        ...(token === "{" && { keys: new Set<string>() }),
        isMap: map,
      });
      key = undefined;
    } else if (token === "}" || token === "]") open.pop();
    else if (token[0] === '"') {
      if (top?.keys && (before === "{" || before === ",")) {
        const name = parseJson("A key", token) as string;
        const same = top.isMap ? name : name.toLowerCase();
        if (top.keys.has(same)) return name;
        top.keys.add(same);
        key = name;
      }
    }
    before = token;
  }
  return undefined;
}
