import type { Entry } from "./entry.ts";

/** The header blocks of an entry. */
export interface TarHeader {
  part: "header";
  entry: Entry;
  /** Where they are in the buffer, in bytes. */
  start: number;
  end: number;
}

/**
 * A stretch of an entry's data with its padding. An entry has one or more of
 * them, at least an empty one; the last one is `done`.
 */
export interface TarData {
  part: "data";
  start: number;
  end: number;
  /** Where the data end and the padding starts. */
  dataEnd: number;
  done: boolean;
}

/** A stretch that belongs to no entry: zeros, a global header, or junk. */
export interface TarGap {
  part: "gap";
  start: number;
  end: number;
}

/** What `TarReader.next()` finds. */
export type TarItem = TarHeader | TarData | TarGap;
