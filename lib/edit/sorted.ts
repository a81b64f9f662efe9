import { NODE } from "../rootfs/path_index.ts";
import { equalBytes } from "../streams/bytes.ts";
import { ancestorLength, components } from "../tar/path.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { checkSomeLeft } from "./edited_tar.ts";
import type { Edits, Tally } from "./edits.ts";
import type { EntryTable } from "./entry_table.ts";
import { SortedSource } from "./sorted_source.ts";
import { type TableOptions, TableReader } from "./table_reader.ts";

/** How a tar is sorted. */
export interface SortOptions extends TableOptions {
  /** Whether it is a layer: then no missing directory gets an entry. */
  isLayer?: boolean;
  /** What new directories get. */
  edits?: Pick<Edits, "owner" | "time">;
  tally: Tally;
}

/**
 * Brings a tar to one form that depends on its tree alone: entries by path, the
 * first path of a file is the file and others are hard links, of all but files
 * each path is one of its own, headers are as ciso makes them of a directory, with
 * times in whole seconds and without names of owners, sparse files are whole, of
 * entries with one path the last one counts.
 *
 * @param base The tar, whose headers are read here; its data are read where they
 * are when the result is.
 * @returns The sorted tar.
 * @throws {InputError} If it is no tar.
 */
export async function sortedTar(
  base: SeekableTar,
  options: SortOptions,
): Promise<SortedSource> {
  const reader = new TableReader(options);
  await reader.read(base);
  const { table, isNew } = reader;
  if (!options.isLayer) checkSomeLeft(reader, options.change?.edits);
  const order = inOrder(table);
  if (!options.isLayer) addMissing(order, reader, options);
  const firsts = firstNames(order, table);
  const { tally } = options;
  const moved = order.filter((row, i) => row !== i).length;
  tally.entries += moved > 0 ? moved : isNew ? order.length : 0;
  tally.met = true;
  return new SortedSource(base, table, order, firsts);
}

const SLASH = 0x2f;

/** The rows by path; of those with one path, the last. */
function inOrder(table: EntryTable): number[] {
  const rows = new Uint32Array(table.length).map((_, row) => row);
  let isSorted = true;
  for (let row = 1; row < rows.length && isSorted; row++) {
    isSorted = table.compare(row - 1, row) < 0;
  }
  if (isSorted) return [...rows];
  rows.sort((a, b) => table.compare(a, b) || a - b);
  return [...rows].filter((row, i) =>
    i + 1 === rows.length || table.compare(row, rows[i + 1]!) !== 0
  );
}

/** Adds entries for missing directories, the root among them. */
function addMissing(
  order: number[],
  { table, index }: TableReader,
  { edits = {} }: SortOptions,
): void {
  const { owner, time } = edits;
  const given = order.splice(0);
  const add = (path: Uint8Array) => {
    if (index.find(path) >= 0) return;
    index.add(path, { node: NODE.other, offset: 0, link: 0 });
    order.push(table.add({
      path,
      facts: {
        type: "directory",
        mode: 0o755,
        uid: owner?.uid ?? 0,
        gid: owner?.gid ?? 0,
        size: 0,
        mtime: time && !time.clamp ? time.seconds : 0,
        nanoseconds: 0,
        link: path.subarray(0, 0),
        xattrs: new Map(),
      },
      records: [],
      start: 0,
      head: 0,
      isSparse: false,
      target: -1,
    }));
  };
  let parent: Uint8Array | undefined;
  for (const row of given) {
    const path = table.path(row);
    const above = path.subarray(0, Math.max(path.lastIndexOf(SLASH), 0));
    if (path.length === 0 || parent && equalBytes(above, parent)) {
      order.push(row);
      continue;
    }
    parent = above;
    add(path.subarray(0, 0));
    for (let levels = [...components(path)].length - 1; levels > 0; levels--) {
      add(path.slice(0, ancestorLength(path, levels)));
    }
    order.push(row);
  }
}

/** For each row the row of its file's first name, by order. */
function firstNames(order: number[], table: EntryTable): Uint32Array {
  const byFile = new Uint32Array(table.length);
  const firsts = new Uint32Array(table.length);
  for (const row of order) {
    const file = table.file(row);
    // Not all programs find hard links to symlinks and devices.
    if (table.kind(file) !== "file") {
      firsts[row] = row;
      continue;
    }
    if (byFile[file] === 0) byFile[file] = row + 1;
    firsts[row] = byFile[file]! - 1;
  }
  return firsts;
}
