import { InputError } from "../errors/input_error.ts";
import { binary } from "../streams/bytes.ts";
import { fromStream, type Source, wholeBlocks } from "../streams/source.ts";
import { FIELD, numberField } from "../tar/block.ts";
import { carry, TarCursor } from "../tar/cursor.ts";
import { normalizePath } from "../tar/path.ts";
import type { Entry } from "../tar/entry.ts";
import { Documents } from "./documents.ts";
import { passEntries } from "./pass.ts";

const DIRECTORY = /^(blobs|blobs\/sha256|rootfs|[0-9a-f]{64})$/;
const V1_FILE = /^(rootfs|[0-9a-f]{64})\/(VERSION|json|layer\.tar)$/;

/** Bytes from which on no entry is taken for one of the beginning. */
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
 * Reads the documents that stand in front of all others: in an archive that ciso
 * wrote, these are all. What has been read is kept, to be read again.
 *
 * @param chunks The archive.
 */
export async function readHead(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Head> {
  const blocks = wholeBlocks(chunks);
  const documents = new Documents();
  const cursor = new TarCursor();
  const kept: Uint8Array[] = [];
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  let first: string | undefined;
  /** Takes the data of a document, and how many bytes of it are to come. */
  let reading: ReturnType<Documents["look"]>;
  let awaited = 0;

  reading: for (;;) {
    const { value: block, done } = await blocks.next();
    if (done) {
      if (kept.length === 0) throw new InputError("The input is empty");
      documents.complete = true;
      break;
    }
    kept.push(block);
    // What is kept is not released, so the buffer may be the block itself.
    const buffer = carry(rest, block);
    cursor.feed(buffer, offset);
    for (;;) {
      const before = cursor.position - offset;
      const item = cursor.next();
      const start = item ? item.start : cursor.position - offset;
      const data = Math.min(awaited, start - before);
      if (data > 0) reading?.onData(buffer.subarray(before, before + data));
      awaited -= data;
      if (awaited === 0) {
        reading?.onEnd();
        reading = undefined;
      }
      if (!item) break;
      if (!("kind" in item)) continue;
      documents.mtime ??= timeOf(buffer, item);
      const path = binary(item.path.length > 0 ? normal(item) : item.path);
      reading = documents.look(path, item);
      if (
        offset > MAX_HEAD || (!reading && !belongs(path, item, documents))
      ) {
        first = path;
        break reading;
      }
      awaited = item.stored;
    }
    const end = cursor.position - offset;
    rest = buffer.slice(end);
    offset += end;
  }
  return { documents, first, blocks: again(kept, blocks) };
}

/**
 * Reads all documents of an archive, wherever they stand.
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

/** Whether an entry that is no document may stand among them. */
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
  try {
    return normalizePath(entry.path);
  } catch {
    // Told when the entry is to be passed on.
    return entry.path;
  }
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
