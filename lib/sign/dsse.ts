import { concat, utf8 } from "../streams/bytes.ts";

/** The media type of an in-toto statement in an envelope. */
export const STATEMENT_TYPE = "application/vnd.in-toto+json";

/**
 * The bytes that are signed of a document: its type and itself, each with its
 * length before it, so that no signature fits a document of another type.
 *
 * @see {@link https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md}
 */
export function preAuthEncoding(
  type: string,
  payload: Uint8Array,
): Uint8Array {
  const { length } = utf8(type);
  return concat([
    utf8(`DSSEv1 ${length} ${type} ${payload.length} `),
    payload,
  ]);
}
