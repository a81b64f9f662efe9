import type { HashBeside, Making, PackedFile, Source } from "./source.ts";

/** Hashes, beside what else is done, the bytes that a {@linkcode Sink} gets. */
export interface SinkHash extends HashBeside {
  /** Says up to where the sink has the bytes, as an offset in it. */
  advance(end: number): void;
}

/** Bytes that two threads bring into a {@linkcode Sink}. */
export interface SinkCopy extends HashBeside {
  /** The bytes, in order; each chunk is in the sink before it is given. */
  chunks(): AsyncGenerator<Uint8Array>;
}

/** A {@linkcode PackedFile} that another thread unpacks into a {@linkcode Sink}. */
export interface SinkUnpack extends SinkCopy {
  /** Gives up; nothing is written any more after that. */
  stop(): Promise<void>;
}

/** Where {@linkcode Sink.unpack} writes. */
export interface UnpackPlace {
  start: number;
  /** Bytes that may be written there, most likely. */
  room: number;
  /** Is called before more than that is written. */
  beforeMore(): Promise<void>;
}

/**
 * A place to write bytes at any position, in any order, and to read them again:
 * a file that is complete only in the end. A browser has none; there, archives
 * are streamed.
 */
export interface Sink {
  /** Writes all bytes, which stay the caller's. */
  write(bytes: Uint8Array, position: number): void;
  /** Lets signals and timers have their turn, if it is time to. */
  pause(): Promise<void> | undefined;
  /**
   * What is written from a position on, as a source. It outlives
   * {@linkcode Sink.renew}.
   *
   * @param size Gives how many bytes belong to it by now.
   */
  source(start: number, size: () => number): Source;
  /**
   * Starts to hash what is written from a position on, if there is a core for it
   * and so many bytes are worth it.
   *
   * @param isLate Whether it starts only when {@linkcode SinkHash.hex} is called.
   */
  hash(start: number, size: number, isLate?: boolean): SinkHash | undefined;
  /** As {@linkcode hash}, by one thread for all that is hashed so. */
  hashShared(start: number, size: number): SinkHash | undefined;
  /**
   * Writes what is made of files to a position, and hashes it, if there is a core
   * for it and they are large enough.
   *
   * @param onMade Is called before bytes up to an offset in the sink are written.
   */
  copy(
    making: Making,
    start: number,
    onMade?: (end: number) => void,
  ): SinkCopy | undefined;
  /** Unpacks a file to a place, if there is a core for it and it is large enough. */
  unpack(packed: PackedFile, place: UnpackPlace): SinkUnpack | undefined;
  /** Empties it; sources of what it held stay. */
  renew(): void;
  /** Ends it: nothing is written any more, and it has that size. */
  end(size: number): void;
}
