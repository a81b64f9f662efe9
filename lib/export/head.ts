import { InputError } from "../errors/input_error.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { binary } from "../streams/bytes.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { FIELD, numberField } from "../tar/block.ts";
import { normalizePath } from "../tar/path.ts";
import type { Entry } from "../tar/entry.ts";
import { TarReader } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { Documents } from "./documents.ts";
import { passEntries } from "./pass.ts";

const DIRECTORY = /^(blobs|blobs\/sha256|rootfs|[0-9a-f]{64})$/;
const V1_FILE = /^(rootfs|[0-9a-f]{64})\/(VERSION|json|layer\.tar)$/;

/** The beginning has no more bytes than this. */
const MAX_HEAD = 1 << 25;

/** The beginning of an archive. */
export interface Head {
  documents: Documents;
  /** Path of the first entry that is no document, if there is one. */
  first: string | undefined;
  /** The whole archive once more, from its beginning on. */
  blocks: AsyncGenerator<Uint8Array>;
}

/**
 * Reads the documents that come before all others: in an archive that ciso
 * wrote, these are all. The bytes read can be read again.
 *
 * @param chunks The archive.
 */
export async function readHead(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Head> {
  const blocks = wholeBlocks(chunks);
  const kept: Uint8Array[] = [];
  // These blocks are read again, so the reader must not release them; its loop
  // ends early, so it must not close what comes after them.
  const tar = new TarReader(keep(blocks, kept), false);
  const head = new HeadReader(tar);
  const buffers = tar.buffers();
  while (head.first === undefined) {
    if ((await buffers.next()).done) {
      if (kept.length === 0) {
        throw new InputError("The input is empty; make or fetch it again");
      }
      head.documents.complete = true;
      break;
    }
    head.read();
  }
  const { documents, first } = head;
  return { documents, first, blocks: again(kept, blocks) };
}

/** Takes an archive's documents until the first entry that is no document. */
class HeadReader {
  readonly documents = new Documents();
  /** Path of that entry, once it has come. */
  first: string | undefined;
  readonly #tar: TarReader;
  /** Takes the data of a document. */
  #reading: ReturnType<Documents["look"]>;

  constructor(tar: TarReader) {
    this.#tar = tar;
  }

  /** Reads the items of the current buffer, as far as they are wanted. */
  read(): void {
    const tar = this.#tar;
    for (let item; this.first === undefined && (item = tar.next());) {
      if (item.part === "header") this.#begin(item.entry);
      if (item.part !== "data" || !this.#reading) continue;
      const { start, dataEnd, done } = item;
      if (dataEnd > start) {
        this.#reading.onData(tar.bytes.subarray(start, dataEnd));
      }
      if (done) this.#reading.onEnd();
    }
  }

  #begin(entry: Entry): void {
    const { documents } = this;
    const { bytes, offset } = this.#tar;
    documents.mtime ??= timeOf(bytes, entry);
    const path = binary(entry.path.length > 0 ? normal(entry) : entry.path);
    this.#reading = documents.look(path, entry);
    if (
      offset > MAX_HEAD ||
      (!this.#reading && !belongs(path, entry, documents))
    ) this.first = path;
  }
}

async function* keep(
  blocks: AsyncGenerator<Uint8Array>,
  kept: Uint8Array[],
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { value, done } = await blocks.next();
    if (done) return;
    kept.push(value);
    yield value;
  }
}

/**
 * Reads all documents of an archive, wherever they are.
 *
 * @param source The archive; read once.
 */
export async function readDocuments(source: Source): Promise<Documents> {
  const documents = new Documents();
  const blocks = wholeBlocks(fromStream(source.stream()));
  const passing = passEntries(blocks, {
    entry({ path, entry, bytes }) {
      documents.mtime ??= timeOf(bytes, entry);
      const text = documents.look(binary(path), entry, true);
      return text && { header: new Uint8Array(0), data: "none", ...text };
    },
    end: () => [],
  });
  while (!(await passing.next()).done);
  documents.complete = true;
  return documents;
}

/** Whether an entry that is no document may be among them. */
function belongs(path: string, entry: Entry, documents: Documents): boolean {
  if (entry.kind === "directory") return path === "" || DIRECTORY.test(path);
  const [, place, name] = V1_FILE.exec(path) ?? [];
  if (!place || (name === "layer.tar" && entry.kind !== "symlink")) {
    return false;
  }
  // Without `repositories` it may be the rootfs's own file of that name.
  return place !== "rootfs" || documents.v1 !== undefined;
}

function normal(entry: Entry): Uint8Array {
  // What is wrong with it is thrown when the entry is passed on.
  return unlessRefused(() => normalizePath(entry.path)) ?? entry.path;
}

function timeOf(bytes: Uint8Array, entry: Entry): number {
  return Math.max(numberField(bytes, FIELD.mtime, entry.header) ?? 0, 0);
}

async function* again(
  kept: Uint8Array[],
  blocks: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let block; (block = kept.shift());) yield block;
  yield* blocks;
}
