// A file that two threads copy: the copy and its digest are right whatever
// happens to the other thread.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { FileError } from "../../lib/errors/file_error.ts";
import { CHUNK, type FilePlace } from "../../lib/streams/source.ts";
import { PLACES } from "../../lib/system/copy_thread.ts";
import { FileCopy } from "../../lib/system/file_copy.ts";
import { FileSink } from "../../lib/system/file_sink.ts";
import { fileId, openFile } from "../../lib/system/file_source.ts";
import { fs } from "../../lib/system/node.ts";
import { temporary } from "../support/ciso.ts";

const COUNT = 12;
/** Bytes of which no two chunks are equal, the last one of which is short. */
const BYTES = new Uint8Array(COUNT * CHUNK - 1000).map((_, i) =>
  i * 7 + (i >> 18)
);
/** What is before and after the stretch in the input. */
const AROUND = 513;
const START = 4096;
const DIGEST = digestOf(BYTES);

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** An input and a copy in the making. */
interface Setting extends Disposable {
  sink: FileSink;
  place: FilePlace;
  input: string;
  copy: FileCopy;
  /** How often this thread hashed. */
  hashes: number;
}

/** @param change Makes something wrong before the thread starts. */
function setUp(
  folder: string,
  change: (sink: FileSink, place: FilePlace) => Partial<FilePlace> = () => ({}),
): Setting {
  const input = `${folder}/in`;
  const around = new Uint8Array(AROUND).fill(1);
  fs.writeFileSync(input, new Uint8Array([...around, ...BYTES, ...around]));
  const file = openFile(fs.openSync(input, "r"), input, input);
  const sink = new FileSink(`${folder}/out`, "out", 0o644);
  const id = fileId(fs.fstatSync(sink.fd, { bigint: true }));
  const { path } = sink;
  let place = { ...file.place!, start: AROUND, size: BYTES.length };
  place = { ...place, ...change(sink, place) };
  const setting = { sink, place, input, hashes: 0 };
  const copy = new FileCopy(place, {
    path,
    id,
    start: START,
    write: (bytes, position) => sink.write(bytes, position),
    otherwise: (end) => {
      setting.hashes++;
      return digestOf(written(sink).subarray(START, end));
    },
  });
  return Object.assign(setting, {
    copy,
    [Symbol.dispose]() {
      copy.cancel();
      sink.close();
      sink.remove();
      file.close();
    },
  });
}

function written({ fd }: FileSink): Uint8Array {
  const bytes = new Uint8Array(fs.fstatSync(fd).size);
  fs.readSync(fd, bytes, 0, bytes.length, 0);
  return bytes;
}

/** Reads the copy to its end; gives what comes and its digest. */
async function read(
  { copy }: Setting,
  onChunk: (at: number) => Promise<void> | void = () => {},
): Promise<Uint8Array> {
  const bytes = new Uint8Array(BYTES.length);
  let at = 0;
  for await (const chunk of copy.chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
    await onChunk(at);
  }
  assert.equal(at, bytes.length);
  return bytes;
}

const later = (ms: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Checks that bytes, copy and digest are right. */
async function check(setting: Setting, bytes: Uint8Array): Promise<void> {
  assert.deepEqual(bytes, BYTES);
  assert.equal(await setting.copy.hex(), DIGEST);
  assert.deepEqual(written(setting.sink).subarray(START), BYTES);
}

Deno.test("a copy is right when this thread is ahead, and when the other one is", async () => {
  await using work = await temporary();
  for (const wait of [0, 40]) {
    using setting = setUp(work.path);
    await check(setting, await read(setting, () => later(wait)));
    assert.equal(setting.hashes, 0);
  }
});

Deno.test("the other thread reads and writes as far as there is room", async () => {
  await using work = await temporary();
  using setting = setUp(work.path);
  const chunks = setting.copy.chunks();
  await chunks.next();
  // Nobody asks for more: the other thread goes on all the same.
  const end = (1 + PLACES) * CHUNK;
  while (written(setting.sink).length < START + end) await later(5);
  const there = written(setting.sink).subarray(START);
  assert.deepEqual(there, BYTES.subarray(0, end));
  for await (const _ of chunks);
  assert.equal(await setting.copy.hex(), DIGEST);
});

Deno.test("a copy is right without the other thread", async () => {
  await using work = await temporary();
  const otherFile = () => ({ id: "1:1" });
  const noFile = () => ({ path: `${work.path}/none` });
  const noOutput = (sink: FileSink) => {
    fs.rmSync(sink.path);
    return {};
  };
  // Of another input the thread still hashes what is written.
  for (
    const [change, hashes] of [[otherFile, 0], [noFile, 0], [
      noOutput,
      1,
    ]] as const
  ) {
    using setting = setUp(work.path, change);
    await check(setting, await read(setting));
    assert.equal(setting.hashes, hashes, change.name);
  }
});

Deno.test("a copy is right if the other thread ends at any time", async () => {
  await using work = await temporary();
  for (const end of [1, 3, COUNT - 1]) {
    using setting = setUp(work.path);
    const bytes = await read(setting, async (at) => {
      await later(10);
      if (at === end * CHUNK) setting.copy.cancel();
    });
    await check(setting, bytes);
    // At the last chunk, the other thread may have hashed all.
    if (end < COUNT - PLACES) assert.equal(setting.hashes, 1);
  }
});

Deno.test("an input that becomes shorter, longer or newer is noticed", async () => {
  await using work = await temporary();
  const changes: ((input: string) => void)[] = [
    (input) => fs.truncateSync(input, AROUND + 8 * CHUNK),
    (input) => fs.appendFileSync(input, "x"),
    (input) => fs.utimesSync(input, 1, 1),
  ];
  for (const change of changes) {
    // Before the other thread has read it all, and after.
    for (const wait of [0, 300]) {
      using setting = setUp(work.path);
      let isChanged = false;
      const reading = read(setting, async () => {
        if (isChanged) return;
        isChanged = true;
        await later(wait);
        change(setting.input);
      });
      await assert.rejects(reading, (error) => {
        assert(error instanceof FileError);
        assert.match(error.message, /in changed while it was read/);
        return true;
      });
    }
  }
});
