import exceptions from "spdx-exceptions" with { type: "json" };
import current from "spdx-license-ids" with { type: "json" };
import deprecated from "spdx-license-ids/deprecated" with { type: "json" };

let ids: ReadonlyMap<string, string> | undefined;

/** The SPDX list's identifier that is the same but for upper and lower case. */
export function licenceId(name: string): string | undefined {
  ids ??= new Map(
    [...deprecated, ...current].map((id) => [id.toLowerCase(), id]),
  );
  return ids.get(name.toLowerCase());
}

/** Parentheses inside of one another at most. */
const MAX_DEPTH = 20;
const OWN = /^(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$/;

/**
 * Whether a text is an SPDX licence expression with identifiers of the SPDX list
 * (SPDX 2.3, annex D). spdx-expression-parse says the same, but neither Deno nor
 * esbuild can bundle how it loads the list.
 */
export function isSpdx(text: string): boolean {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const compound = (depth: number): boolean => {
    do {
      if (tokens[at] === "(") {
        at++;
        if (depth === MAX_DEPTH || !compound(depth + 1)) return false;
        if (tokens[at++] !== ")") return false;
      } else if (!simple()) return false;
    } while (isJoint(tokens[at]) && ++at);
    return true;
  };
  const simple = (): boolean => {
    const word = tokens[at++] ?? "";
    if (!isLicence(word)) return false;
    if (tokens[at] !== "WITH") return true;
    at++;
    return exceptions.includes(tokens[at++] ?? "");
  };
  return compound(0) && at === tokens.length;
}

function isJoint(token: string | undefined): boolean {
  return token === "AND" || token === "OR";
}

function isLicence(word: string): boolean {
  const id = word.replace(/\+$/, "");
  return licenceId(id) === id || OWN.test(word);
}
