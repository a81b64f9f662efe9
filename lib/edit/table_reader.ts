import { fileHeader } from "../directory/file_header.ts";
import { inputChanged } from "../errors/input_changed.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { Holes } from "../rootfs/holes.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { equalBytes } from "../streams/bytes.ts";
import { padded } from "../tar/block.ts";
import { entryFacts, type ReadEntry } from "../tar/entry_facts.ts";
import { closing } from "../tar/header.ts";
import { type Globals, NO_RECORDS, type PaxRecord } from "../tar/pax.ts";
import { readEntry } from "../tar/read_entry.ts";
import { headerReader, type SeekableTar } from "../tar/seeking.ts";
import type { EditedPieces, EditedTar, Edits } from "./edits.ts";
import { Editor } from "./editor.ts";
import { EntryTable } from "./entry_table.ts";
import { Fates } from "./fates.ts";
import type { Inherited } from "./inherited.ts";
import type { LookAhead } from "./look_ahead.ts";

/** How entries are read. */
export interface TableOptions {
  /** Leaves out what comes after the archive's end, as engines do. */
  stopsAtEnd?: boolean;
  /** Only entries below this directory count, and as if it were the root. */
  below?: string | undefined;
  maxUnpacked?: number | undefined;
  /** Edits that change headers, and what they are part of. */
  change?: { edits: Edits; part: EditedTar; ahead: LookAhead } | undefined;
  /** Gets how many more bytes have been read. */
  onRead?: ((bytes: number) => void) | undefined;
}

/** PAX records that no header block can say, and that engines read. */
const KEPT = /^(SCHILY\.(xattr|acl)|RHT\.security)\./;

const INDEXED = { node: NODE.other, offset: 0, link: 0 } as const;

/** Where an entry's header blocks and data are in the base. */
interface Place {
  start: number;
  head: number;
  isSparse: boolean;
}

/** Reads the entries of a tar into a table, edited if that is asked for. */
export class TableReader implements EditedPieces {
  readonly table = new EntryTable();
  /** Whether a header or the end will be another one. */
  isNew = false;
  /** How many entries edits leave in and out. */
  kept = 0;
  leftOut = 0;
  readonly #options: TableOptions;
  readonly #fates: Fates;
  /** The rows by path, as far as a hard link has asked for them. */
  readonly #index = new PathIndex();
  #read: ReadEntry | undefined;
  #place: Place = { start: 0, head: 0, isSparse: false };

  constructor(options: TableOptions) {
    this.#options = options;
    const { below } = options;
    this.#fates = new Fates({}, below === undefined ? {} : { below });
  }

  /**
   * Reads a tar's headers.
   *
   * @throws {InputError} If it is no tar.
   */
  async read(base: SeekableTar): Promise<void> {
    const { stopsAtEnd, maxUnpacked, onRead, change } = this.#options;
    const holes = new Holes(maxUnpacked);
    const editor = change && new Editor(base, change.edits, change.part, {
      names: await change.ahead.names(),
    });
    const tar = headerReader(base);
    let end = 0;
    let seen = 0;
    for await (const bytes of tar.buffers()) {
      onRead?.(tar.offset - seen);
      seen = tar.offset;
      for (let item; (item = tar.next());) {
        if (item.part !== "header") continue;
        if (tar.shape.concatenated && stopsAtEnd) continue;
        const { entry } = item;
        if (entry.kind === "label") {
          this.isNew = true;
          continue;
        }
        holes.count(entry);
        const start = tar.offset + item.start;
        const head = entry.end - entry.start;
        end = start + head + padded(entry.stored);
        this.#read = { bytes, entry, globals: tar.globals };
        this.#place = { start, head, isSparse: entry.sparse !== undefined };
        if (!editor) {
          this.keep(entry.start, entry.end);
          continue;
        }
        const link = editor.header(this.#read, start, this);
        if (link) this.#inherit(await link);
        // Nobody takes the data here.
        editor.dataSize(entry);
      }
    }
    editor?.end();
    if (editor) ({ kept: this.kept, leftOut: this.leftOut } = editor);
    this.isNew ||= tar.size !== end + closing().length;
  }

  keep(start: number, end: number): void {
    const read = this.#read!;
    // A header that was changed in its place may have another path now.
    const isMoved = this.#options.change?.edits.strip;
    this.#take(isMoved ? readHeader(read.bytes, start) : read, start, end);
  }

  add(bytes: Uint8Array): void {
    this.#take(readHeader(bytes, 0), 0, bytes.length);
  }

  #inherit({ header, file }: Inherited): void {
    if (file) {
      const { place, entry } = file;
      const isSparse = entry.sparse !== undefined;
      this.#place = { start: place, head: entry.end, isSparse };
    }
    this.add(header);
  }

  #take(read: ReadEntry, start: number, end: number): void {
    const row = this.#addRow(read);
    if (row === undefined) this.isNew = true;
    if (this.isNew || row === undefined) return;
    const { table } = this;
    const file = table.file(row);
    const first = table.kind(file) === "file" ? file : row;
    const header = fileHeader(table.record(row, first));
    this.isNew = !equalBytes(header, read.bytes.subarray(start, end));
  }

  /** Adds an entry; a hard link to itself has no meaning. */
  #addRow(read: ReadEntry): number | undefined {
    const { entry } = read;
    const path = named(entry.path, () => this.#fates.treePath(entry.path));
    if (!path) return undefined;
    if (entry.path.length === 0) throw new InputError("An entry has no name");
    const facts = entryFacts(read)!;
    let target = -1;
    if (entry.kind === "hardlink") {
      const wanted = named(entry.path, () => this.#fates.treePath(entry.link));
      if (!wanted || equalBytes(wanted, path)) return undefined;
      facts.link = wanted;
      target = this.#find(wanted);
    }
    const { start, head, isSparse } = this.#place;
    return this.table.add({
      path,
      facts,
      records: keptRecords(read.globals, entry.records),
      start,
      head,
      isSparse: isSparse && entry.kind === "file",
      target,
    });
  }

  /** The last row with a path, or -1. */
  #find(path: Uint8Array): number {
    const { table } = this;
    for (let row = this.#index.length; row < table.length; row++) {
      this.#index.add(table.path(row), INDEXED);
    }
    return this.#index.find(path);
  }
}

/** Reads header blocks that were written here. */
function readHeader(bytes: Uint8Array, at: number): ReadEntry {
  const entry = readEntry(bytes, at, []);
  if (typeof entry === "string" || !("kind" in entry)) throw inputChanged();
  return { bytes, entry, globals: NO_RECORDS };
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
