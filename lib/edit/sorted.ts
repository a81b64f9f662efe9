import { fileHeader } from "../directory/file_header.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { Holes } from "../rootfs/holes.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { equalBytes } from "../streams/bytes.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { padded } from "../tar/block.ts";
import { entryFacts, type ReadEntry } from "../tar/entry_facts.ts";
import { closing } from "../tar/header.ts";
import { ancestorLength, components } from "../tar/path.ts";
import type { Globals, PaxRecord } from "../tar/pax.ts";
import { TarReader } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import type { Edits, Tally } from "./edits.ts";
import { Fates } from "./fates.ts";
import { EntryTable } from "./entry_table.ts";
import { SortedSource } from "./sorted_source.ts";

/** How a tar is sorted. */
export interface SortOptions {
  /** Whether it is a layer: then no missing directory gets an entry. */
  isLayer?: boolean;
  /** Leaves out what comes after the archive's end, as engines do. */
  stopsAtEnd?: boolean;
  /** Only entries below this directory count, and as if it were the root. */
  below?: string | undefined;
  maxUnpacked?: number | undefined;
  /** What new directories get. */
  edits?: Pick<Edits, "owner" | "time">;
  tally: Tally;
  /** Gets how many more bytes have been read. */
  onRead?: ((bytes: number) => void) | undefined;
}

/** PAX records that no header block can say, and that engines read. */
const KEPT = /^(SCHILY\.(xattr|acl)|RHT\.security)\./;

/**
 * Brings a tar to one form that depends on its tree alone: entries by path, the
 * first path of a file is the file and others are hard links, of all but files
 * each path is one of its own, headers are as ciso makes them of a directory, with
 * times in whole seconds and without names of owners, sparse files are whole, of
 * entries with one path the last one counts.
 *
 * @param base The tar, which is read once here; its data are read where they
 * are when the result is.
 * @returns The sorted tar.
 * @throws {InputError} If it is no tar.
 */
export async function sortedTar(
  base: Source,
  options: SortOptions,
): Promise<SortedSource> {
  const table = new EntryTable();
  const index = new PathIndex();
  const isNew = await readTable(base, { table, index }, options);
  const order = inOrder(table);
  if (!options.isLayer) addMissing(order, { table, index }, options);
  const firsts = firstNames(order, table);
  const { tally } = options;
  const moved = order.filter((row, i) => row !== i).length;
  tally.entries += moved > 0 ? moved : isNew ? order.length : 0;
  tally.met = true;
  return new SortedSource(base, table, order, firsts);
}

const SLASH = 0x2f;

/** What is known of the entries. */
interface Found {
  table: EntryTable;
  /** Their rows by path. */
  index: PathIndex;
}

/** Reads all entries; returns whether a header or the end will be another. */
async function readTable(
  base: Source,
  found: Found,
  { stopsAtEnd, maxUnpacked, onRead, below }: SortOptions,
): Promise<boolean> {
  const { table } = found;
  const fates = new Fates({}, { ...(below !== undefined && { below }) });
  const holes = new Holes(maxUnpacked);
  const tar = new TarReader(wholeBlocks(fromStream(base.stream())));
  let isNew = false;
  let end = 0;
  for await (const bytes of tar.buffers()) {
    onRead?.(bytes.length);
    for (let item; (item = tar.next());) {
      if (item.part !== "header") continue;
      if (tar.shape.concatenated && stopsAtEnd) continue;
      const { entry } = item;
      if (entry.kind === "label") {
        isNew = true;
        continue;
      }
      holes.count(entry);
      const start = tar.offset + item.start;
      end = start + entry.end - entry.start + padded(entry.stored);
      const read = { bytes, entry, globals: tar.globals };
      const row = addEntry(read, start, found, fates);
      if (row === undefined) isNew = true;
      if (isNew || row === undefined) continue;
      const header = fileHeader(table.record(row, firstOf(row, table)));
      isNew = !equalBytes(header, bytes.subarray(entry.start, entry.end));
    }
  }
  return isNew || tar.size !== end + closing().length;
}

/** The row that a row's header names, so far. */
function firstOf(row: number, table: EntryTable): number {
  const file = table.file(row);
  return table.kind(file) === "file" ? file : row;
}

/** Adds an entry; a hard link to itself has no meaning. */
function addEntry(
  read: ReadEntry,
  start: number,
  { table, index }: Found,
  fates: Fates,
): number | undefined {
  const { entry } = read;
  const path = named(entry.path, () => fates.treePath(entry.path));
  if (!path) return undefined;
  if (entry.path.length === 0) throw new InputError("An entry has no name");
  const facts = entryFacts(read)!;
  let target = -1;
  if (entry.kind === "hardlink") {
    const wanted = named(entry.path, () => fates.treePath(entry.link));
    if (!wanted || equalBytes(wanted, path)) return undefined;
    facts.link = wanted;
    target = index.find(wanted);
  }
  const head = entry.end - entry.start;
  const row = table.add({
    path,
    facts,
    records: keptRecords(read.globals, entry.records),
    start,
    head,
    isSparse: entry.sparse !== undefined,
    target,
  });
  index.add(path, { node: NODE.other, offset: 0, link: 0 });
  return row;
}

/** Calls a function about an entry; errors name it. */
function named<T>(path: Uint8Array, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const entry = shown(path);
    throw new InputError(`Entry ${entry}: ${error.message}`, { entry });
  }
}

function keptRecords(
  globals: Globals,
  own: readonly PaxRecord[],
): readonly PaxRecord[] {
  if (globals.size + own.length === 0) return [];
  const records = new Map<string, Uint8Array>(globals);
  for (const [key, value] of own) records.set(key, value);
  return [...records].filter(([key]) => KEPT.test(key))
    .map(([key, value]): PaxRecord => [key, value.slice()])
    .sort(([a], [b]) => a < b ? -1 : 1);
}

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
  { table, index }: Found,
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
