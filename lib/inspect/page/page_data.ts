import type { InspectReport } from "../report.ts";

/** What the page gets: the report, all documents and the tree. */
export interface PageData {
  report: InspectReport;
  documents: { path: string; faces: string[]; text: string }[];
  tree: PageTree;
}

/**
 * The tree, a list for each property, in the order of paths: a directory comes
 * before what is in it. Number 0 is the root.
 */
export interface PageTree {
  names: string[];
  /** Numbers of the directories that they are in. */
  parents: number[];
  /** Bytes of files; 0 of all others. */
  sizes: number[];
  /** A letter each, as `ls -l` has it. */
  types: string;
  /** Layers, counted from 1. */
  layers: number[];
}
