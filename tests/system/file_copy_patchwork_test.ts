// A patchwork that two threads make: the copy and its digest are right whatever
// happens to the other thread.

import assert from "node:assert/strict";
import type { Patchwork } from "../../lib/streams/patchwork.ts";
import { CHUNK, copyOf } from "../../lib/streams/source.ts";
import { FileCopy } from "../../lib/system/file_copy.ts";
import { DEPTH } from "../../lib/system/copy_thread.ts";
import { FileSink } from "../../lib/system/file_sink.ts";
import { fs } from "../../lib/system/node.ts";
import { temporary } from "../support/ciso.ts";
import { copyTarget, digestOf, written } from "../support/copy_target.ts";

const COUNT = 20;
const START = 4096;
/** Bytes of which no two chunks are equal, the last one of which is short. */
const BYTES = new Uint8Array(COUNT * CHUNK - 1000).map((_, i) =>
  i * 7 + (i >> 18)
);

const DIGEST = digestOf(BYTES);

/** Where a chunk's piece is, of which the list has the chunk's number. */
const PIECE = 1000;

/** Reads a piece: both threads run it. */
function readPiece(chunk: Uint8Array, number: number, from: number): void {
  for (let i = from; i < chunk.length; i++) {
    chunk[i] = (i + number * 2 ** 18) * 7 + number;
  }
}

/**
 * A patchwork that needs no file.
 *
 * @param failing The chunk of which the other thread cannot read the piece.
 */
function patchwork(failing = -1): Patchwork {
  return {
    size: BYTES.length,
    listSize: 4,
    code: `const readPiece = ${readPiece};
      return (chunk, [number]) => {
        if (number === ${failing}) throw "it cannot be read";
        readPiece(chunk, number, ${PIECE});
      };`,
    layOut(chunk, start, list) {
      // What was there before must not stay.
      chunk.fill(0);
      chunk.set(BYTES.subarray(start, start + PIECE));
      list[0] = start / CHUNK;
    },
    read: (chunk, [number]) => readPiece(chunk, number!, PIECE),
  };
}

/** A copy in the making. */
interface Setting extends Disposable {
  sink: FileSink;
  copy: FileCopy;
  /** How often this thread hashed, read chunks and wrote parts. */
  hashes: number;
  reads: number;
  writes: number;
}

/** @param change Makes something wrong before the thread starts. */
function setUp(
  folder: string,
  work: Patchwork,
  change: (sink: FileSink) => { id?: string } = () => ({}),
): Setting {
  const sink = new FileSink(`${folder}/out`, "out", 0o644);
  const setting = { sink, hashes: 0, reads: 0, writes: 0 };
  const target = copyTarget(sink, START, () => setting.hashes++);
  const counted: Patchwork = {
    ...work,
    read(chunk, list) {
      setting.reads++;
      work.read(chunk, list);
    },
  };
  const copy = new FileCopy(copyOf(counted), {
    ...target,
    ...change(sink),
    write(bytes, position) {
      setting.writes++;
      target.write(bytes, position);
    },
  });
  return Object.assign(setting, {
    copy,
    [Symbol.dispose]() {
      copy.cancel();
      sink.remove();
    },
  });
}

const later = (ms: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Checks that bytes, copy and digest are right. */
async function check(
  { copy, sink }: Setting,
  onChunk: (at: number) => Promise<void> | void = () => {},
): Promise<void> {
  let at = 0;
  for await (const chunk of copy.chunks()) {
    assert.deepEqual(chunk, BYTES.subarray(at, at + chunk.length), `${at}`);
    // The copy has it already: whoever gets it may change it.
    chunk.fill(0);
    at += chunk.length;
    await onChunk(at);
  }
  assert.equal(at, BYTES.length);
  assert.equal(await copy.hex(), DIGEST);
  assert.deepEqual(written(sink).subarray(START), BYTES);
}

Deno.test("a patchwork is right when this thread is ahead, and when the other one is", async () => {
  await using work = await temporary();
  for (const wait of [0, 40]) {
    using setting = setUp(work.path, patchwork());
    await check(setting, () => later(wait));
    assert.equal(setting.hashes, 0);
  }
});

Deno.test("the other thread reads what is laid out, and writes", async () => {
  await using work = await temporary();
  // However long it takes to start.
  for (let wait = 10;; wait *= 2) {
    using setting = setUp(work.path, patchwork());
    await check(setting, () => later(wait));
    if (setting.writes < COUNT && setting.reads < COUNT) return;
    assert(wait < 5000);
  }
});

Deno.test("a patchwork is right without the other thread", async () => {
  await using work = await temporary();
  const otherFile = () => ({ id: "1:1" });
  const noFile = (sink: FileSink) => {
    fs.rmSync(sink.path);
    return {};
  };
  for (const change of [otherFile, noFile]) {
    using setting = setUp(work.path, patchwork(), change);
    await check(setting);
    assert.equal(setting.hashes, 1, change.name);
  }
  // If it cannot read pieces, it still hashes.
  using setting = setUp(work.path, { ...patchwork(), code: "no JavaScript" });
  await check(setting);
  assert.equal(setting.reads, COUNT);
  assert.equal(setting.hashes, 0);
});

Deno.test("a patchwork is right if the other thread fails or ends at any time", async () => {
  await using work = await temporary();
  for (const chunk of [0, 3, COUNT - 1]) {
    using setting = setUp(work.path, patchwork(chunk));
    // Either thread may read it.
    await check(setting, () => later(5));
  }
  for (const end of [1, 3, COUNT - 1]) {
    using setting = setUp(work.path, patchwork());
    await check(setting, async (at) => {
      await later(10);
      if (at === end * CHUNK) setting.copy.cancel();
    });
    // At the last chunk, the other thread may have hashed all.
    if (end < COUNT - DEPTH) assert.equal(setting.hashes, 1);
  }
});

Deno.test("a piece that this thread cannot read either ends a patchwork", async () => {
  await using work = await temporary();
  const { read, ...rest } = patchwork(COUNT - 2);
  using setting = setUp(work.path, {
    ...rest,
    read(chunk, list) {
      if (list[0] === COUNT - 2) throw new Error("it is gone");
      read(chunk, list);
    },
  });
  await assert.rejects(check(setting), /it is gone/);
});
