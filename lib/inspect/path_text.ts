import { binary, isUtf8 } from "../streams/bytes.ts";

/** A path: text, and its bytes in base 64 where they are no UTF-8. */
export interface PathText {
  path: string;
  pathBase64?: string;
}

/** A path for a report. */
export function pathText(path: Uint8Array): PathText {
  const text = new TextDecoder().decode(path);
  if (isUtf8(path)) return { path: text };
  return { path: text, pathBase64: btoa(binary(path)) };
}
