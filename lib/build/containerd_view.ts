import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { BLOCK } from "../tar/block.ts";
import { TarReader } from "../tar/reader.ts";
import { MAX_SKIP, SKIP_HEADER, skipHeader } from "../tar/skip_header.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import type { Archive } from "./archive.ts";

/** Compresses with zstd. */
export type Zstd = (
  chunks: AsyncGenerator<Uint8Array>,
) => AsyncGenerator<Uint8Array>;

/**
 * Gives an archive a second view: decoders of zstd, which containerd and Docker run
 * first, skip the tar and find another one with their face alone.
 *
 * @param archive What readers of tar see.
 * @param view What decoders of zstd see.
 * @param most Bytes that one header can skip.
 * @throws {InputError} If a file is longer than that.
 */
export async function* withView(
  archive: Archive,
  view: Archive,
  zstd: Zstd,
  most = MAX_SKIP,
): AsyncGenerator<Uint8Array> {
  const starts = archive.size + SKIP_HEADER <= most
    ? [0]
    : await startsOf(archive.chunks(), most);
  const ends = [...starts.slice(1), archive.size];
  const headers = starts.map((start, i) => ({
    start,
    bytes: skipHeader(ends[i]! - start + SKIP_HEADER),
  }));
  yield* inserted(archive.chunks(), headers);
  yield* zstd(view.chunks());
}

/** A tar with headers before some of its entries. */
async function* inserted(
  chunks: AsyncGenerator<Uint8Array>,
  headers: { start: number; bytes: Uint8Array }[],
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let next = 0;
  for await (const chunk of chunks) {
    let from = 0;
    while (next < headers.length && headers[next]!.start < at + chunk.length) {
      const { start, bytes } = headers[next++]!;
      if (start - at > from) yield chunk.slice(from, start - at);
      from = start - at;
      yield bytes;
    }
    at += chunk.length;
    yield from === 0 ? chunk : chunk.slice(from);
  }
}

/**
 * Finds the entries before which a header goes: each one skips as many entries as
 * it can. Only those with a single header block will do, as nearly all have.
 */
async function startsOf(
  chunks: AsyncGenerator<Uint8Array>,
  most: number,
): Promise<number[]> {
  const room = most - SKIP_HEADER;
  const starts = [0];
  let last = 0;
  let name = new Uint8Array(0);
  const reach = (end: number) => {
    if (end - starts.at(-1)! <= room) return;
    if (last === starts.at(-1) || end - last > room) {
      throw new InputError(
        `${shown(name)} is too long for the face containerd, which takes no ` +
          "file above 4 GiB: leave it out of --faces",
      );
    }
    starts.push(last);
  };
  const tar = new TarReader(wholeBlocks(chunks));
  let end = 0;
  for await (const _ of tar.buffers()) {
    for (let item; (item = tar.next());) {
      if (item.part === "header") {
        const at = tar.offset + item.start;
        reach(at);
        if (item.end - item.start === BLOCK) last = at;
        name = item.entry.path.slice();
        reach(tar.offset + item.end + item.entry.stored);
      }
      end = tar.offset + item.end;
    }
  }
  reach(end);
  return starts;
}
