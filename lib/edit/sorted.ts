import type { SeekableTar } from "../tar/seeking.ts";
import { checkSomeLeft } from "./edited_tar.ts";
import type { Edits, Tally } from "./edits.ts";
import type { EntryTable } from "./entry_table.ts";
import { SortedLayout } from "./sorted_layout.ts";
import { SortedSource } from "./sorted_source.ts";
import { type TableOptions, TableReader } from "./table_reader.ts";
import { TreeOrder } from "./tree_order.ts";

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
  const { edits = {} } = options;
  const order = new TreeOrder(table).list(
    options.isLayer ? undefined : (path) => addMissing(table, path, edits),
  );
  const firsts = firstNames(order, table);
  const { tally } = options;
  let moved = 0;
  for (let i = 0; i < order.length; i++) if (order[i] !== i) moved++;
  tally.entries += moved > 0 ? moved : isNew ? order.length : 0;
  tally.met = true;
  return new SortedSource(base, new SortedLayout(table, order, firsts));
}

/** Adds an entry for a missing directory, and gives its row. */
function addMissing(
  table: EntryTable,
  path: Uint8Array,
  { owner, time }: NonNullable<SortOptions["edits"]>,
): number {
  return table.add({
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
  });
}

/** For each row the row of its file's first name, by order. */
function firstNames(order: number[], table: EntryTable): Uint32Array {
  const firsts = new Uint32Array(table.length).map((_, row) => row);
  if (!table.hasLinks) return firsts;
  const byFile = new Uint32Array(table.length);
  for (const row of order) {
    const file = table.file(row);
    // Not all programs find hard links to symlinks and devices.
    if (table.kind(file) !== "file") continue;
    if (byFile[file] === 0) byFile[file] = row + 1;
    firsts[row] = byFile[file]! - 1;
  }
  return firsts;
}
