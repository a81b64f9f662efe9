import { DatabaseError } from "./database_error.ts";

/** A value of a row. */
type Value = number | string | Uint8Array | null;

const MAGIC = "SQLite format 3\0";
/** Pages from the root of a tree to a leaf at most; real trees have 4. */
const MAX_DEPTH = 20;

/**
 * Reads the rows of tables of an SQLite database, and can do nothing else: it
 * runs no SQL, follows no index, and looks at no byte outside of the file.
 * Databases come from images that an enemy may have made, so SQLite itself, which
 * is written in C and missing in Node 20 and in browsers, is not asked.
 *
 * https://www.sqlite.org/fileformat2.html, "B-tree Pages" and "Record Format".
 */
export class SqliteFile {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #pageSize: number;
  /** Bytes of a page that hold something. */
  readonly #usable: number;
  /** Bytes of rows that may still be read: cells can share pages on purpose. */
  #left: number;

  /** @throws {DatabaseError} If it is no SQLite database in UTF-8. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    if (bytes.length < 100 || text(bytes.subarray(0, 16)) !== MAGIC) {
      throw new DatabaseError("it is no SQLite database");
    }
    const size = this.#view.getUint16(16);
    this.#pageSize = size === 1 ? 65536 : size;
    this.#usable = this.#pageSize - bytes[20]!;
    if ((size & (size - 1)) !== 0 || this.#usable < 480) {
      throw new DatabaseError("it has pages of an impossible size");
    }
    if (this.#view.getUint32(56) > 1) {
      throw new DatabaseError("its text is not UTF-8");
    }
    this.#left = 2 * bytes.length;
  }

  /**
   * The rows of a table.
   *
   * @throws {DatabaseError} If there is no such table, or the database is damaged.
   */
  *rows(table: string): Generator<Value[]> {
    for (const [type, name, , root] of this.#tree(1)) {
      if (type !== "table" || name !== table) continue;
      if (typeof root !== "number") break;
      yield* this.#tree(root);
      return;
    }
    throw new DatabaseError(`it has no table ${table}`);
  }

  /** The rows of the tree whose root is that page, in order. */
  *#tree(root: number): Generator<Value[]> {
    const seen = new Set<number>();
    const stack: { page: number; depth: number }[] = [{ page: root, depth: 0 }];
    for (let item; (item = stack.pop());) {
      const { page, depth } = item;
      if (seen.has(page) || depth > MAX_DEPTH) throw damaged();
      seen.add(page);
      const start = this.#start(page);
      const header = page === 1 ? start + 100 : start;
      const kind = this.#bytes[header]!;
      const cells = this.#view.getUint16(header + 3);
      if (kind !== 0x05 && kind !== 0x0d) throw damaged();
      const pointers = header + (kind === 0x05 ? 12 : 8);
      if (pointers + 2 * cells > start + this.#pageSize) throw damaged();
      const at = (i: number) => {
        const cell = this.#view.getUint16(pointers + 2 * i);
        if (cell + 4 > this.#usable) throw damaged();
        return start + cell;
      };
      if (kind === 0x0d) {
        for (let i = 0; i < cells; i++) {
          yield this.#row(at(i), start + this.#usable);
        }
        continue;
      }
      // The last of the stack is the first to be read.
      stack.push({ page: this.#view.getUint32(header + 8), depth: depth + 1 });
      for (let i = cells - 1; i >= 0; i--) {
        stack.push({ page: this.#view.getUint32(at(i)), depth: depth + 1 });
      }
    }
  }

  #start(page: number): number {
    const start = (page - 1) * this.#pageSize;
    if (page < 1 || start + this.#pageSize > this.#bytes.length) {
      throw damaged();
    }
    return start;
  }

  /** A cell of a leaf: size, row number, then the record. */
  #row(at: number, end: number): Value[] {
    const [size, second] = this.#varint(at);
    const [, start] = this.#varint(second);
    this.#left -= size;
    if (this.#left < 0) throw damaged();
    return record(this.#payload(size, start, end));
  }

  /** A record's bytes, of which long ones go on in overflow pages. */
  #payload(size: number, start: number, end: number): Uint8Array {
    const usable = this.#usable;
    const most = usable - 35;
    const least = Math.floor((usable - 12) * 32 / 255) - 23;
    let local = size;
    if (size > most) {
      const rest = least + (size - least) % (usable - 4);
      local = rest <= most ? rest : least;
    }
    if (start + local + (local < size ? 4 : 0) > end) throw damaged();
    if (local === size) return this.#bytes.subarray(start, start + size);
    const payload = new Uint8Array(size);
    payload.set(this.#bytes.subarray(start, start + local));
    let page = this.#view.getUint32(start + local);
    for (let filled = local; filled < size;) {
      const from = this.#start(page);
      const piece = Math.min(usable - 4, size - filled);
      payload.set(this.#bytes.subarray(from + 4, from + 4 + piece), filled);
      filled += piece;
      page = this.#view.getUint32(from);
    }
    return payload;
  }

  #varint(at: number): [value: number, end: number] {
    return varint(this.#bytes, at);
  }
}

/** A number of 1 to 9 bytes, and where it ends. */
function varint(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw damaged();
    if (i === 8) return [value * 256 + byte, at + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw damaged();
}

function record(bytes: Uint8Array): Value[] {
  const [headerSize, first] = varint(bytes, 0);
  if (headerSize > bytes.length) throw damaged();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: Value[] = [];
  let at = headerSize;
  for (let i = first; i < headerSize;) {
    const [type, next] = varint(bytes, i);
    i = next;
    const size = type >= 12 ? Math.floor((type - 12) / 2) : SIZES[type] ?? 0;
    if (at + size > bytes.length) throw damaged();
    if (type >= 12) {
      const data = bytes.subarray(at, at + size);
      values.push(type % 2 === 1 ? text(data) : data);
    } else if (type === 8 || type === 9) values.push(type - 8);
    else if (type === 7) values.push(view.getFloat64(at));
    else values.push(type === 0 ? null : integer(bytes, at, size));
    at += size;
  }
  return values;
}

/** Bytes of a value by its serial type. */
const SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function integer(bytes: Uint8Array, at: number, size: number): number {
  let value = bytes[at]! << 24 >> 24;
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function damaged(): DatabaseError {
  return new DatabaseError("the database is damaged");
}
