/**
 * Bytes that are put together of what is at hand and of pieces of files, chunk
 * by chunk. Another thread can read the pieces.
 */
export interface Patchwork {
  /** Size in bytes of all. */
  readonly size: number;
  /** Bytes of memory that the list of a chunk's pieces takes at most. */
  readonly listSize: number;
  /**
   * What another thread runs to read pieces: JavaScript that returns a function
   * which does what {@linkcode Patchwork.read} does, or throws anything; its
   * `close`, if it has one, is called in the end. The variable `fs` is Node's file
   * system.
   */
  readonly code: string;
  /**
   * Puts what is at hand into a chunk, and lists the pieces.
   *
   * @param chunk Memory for the chunk, with anything in it.
   * @param start Offset of the chunk's first byte.
   * @param list Memory for the list.
   */
  layOut(chunk: Uint8Array, start: number, list: Uint8Array): void;
  /**
   * Reads the pieces that are listed into their chunk.
   *
   * @throws {FileError} If a file cannot be read, or is not what it was.
   */
  read(chunk: Uint8Array, list: Uint8Array): void;
  /**
   * Is called after the last chunk.
   *
   * @throws {FileError} If a file is not what it was.
   */
  check?(): void;
}
