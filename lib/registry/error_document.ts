import { shown } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import { readBody } from "./body.ts";

/** Bytes of an error's document that are read. */
const MAX_ERROR = 1 << 16;

/** The body of an answer that is an error; empty if it cannot be read. */
export async function errorBody(response: Response): Promise<Uint8Array> {
  return await readBody(response, MAX_ERROR, "The error").catch(() =>
    new Uint8Array(0)
  );
}

/**
 * What a registry's error document says: OCI distribution-spec, "Error Codes".
 *
 * @param body The document.
 * @returns Its first error, to be shown; nothing if it says none.
 */
export function reasonOf(body: Uint8Array): string {
  try {
    const { errors } = Object(
      parseJson("The error", new TextDecoder().decode(body)),
    );
    const [{ code, message }] = errors;
    return [code, message].filter((text) => typeof text === "string")
      .map((text) => shown(text)).join(" ");
  } catch {
    return "";
  }
}
