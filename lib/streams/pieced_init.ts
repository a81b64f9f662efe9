import { toStream } from "./source.ts";

/** A request whose body comes piece by piece. */
export interface PiecedInit extends RequestInit {
  /** The body; each piece is the sender's only until it asks for the next one. */
  pieces?: AsyncGenerator<Uint8Array> | undefined;
}

/**
 * The same request as `fetch` takes it: it keeps pieces for a while, so it gets
 * copies of them.
 */
export function forFetch({ pieces, ...init }: PiecedInit): RequestInit {
  if (!pieces) return init;
  const body = toStream(copies(pieces)) as BodyInit;
  // Streams need that word, which TypeScript does not know.
  return { ...init, body, duplex: "half" } as RequestInit;
}

async function* copies(
  pieces: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield piece.slice();
}
