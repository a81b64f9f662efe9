/** A stretch of the archive that is streamed. */
export interface Stretch {
  /** That of the last one, or of parts, may be unknown before it is written. */
  size: number | undefined;
  /** Where it has been written already, as an offset in a sink. */
  written?: number | undefined;
  /** Its bytes; each call makes them anew. */
  chunks: () => AsyncGenerator<Uint8Array>;
}
