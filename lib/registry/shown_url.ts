import { shown } from "../errors/shown.ts";

/**
 * A URL, or a path, as a message may show it: without a user and a password, and
 * without its query, which may be a key to what it leads to.
 *
 * @param text What a registry named.
 *
 * @example
 * ```ts
 * import { shownUrl } from "./shown_url.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(shownUrl("https://me:x@a.example/b?key=5"), '"https://a.example/b"');
 * ```
 */
export function shownUrl(text: string): string {
  return shown(text.replace(/[?#].*/s, "").replace(/\/\/[^/]*@/, "//"));
}
