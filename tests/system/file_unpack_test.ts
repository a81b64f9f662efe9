// A gzip file that another thread unpacks into a file: what is written and its
// digest are right, or the error is that of this thread, whatever happens.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { FileError } from "../../lib/errors/file_error.ts";
import {
  CHUNK,
  fromStream,
  type PackedFile,
} from "../../lib/streams/source.ts";
import { unpack } from "../../lib/system/decompress.ts";
import { FileSink } from "../../lib/system/file_sink.ts";
import { fileId } from "../../lib/system/file_id.ts";
import { openFile } from "../../lib/system/file_source.ts";
import { FileUnpack } from "../../lib/system/file_unpack.ts";
import { fs } from "../../lib/system/node.ts";
import { temporary } from "../support/ciso.ts";

/** Bytes that are not a multiple of a chunk, some of which gzip makes smaller. */
const BYTES = new Uint8Array(5 * CHUNK + 1000);
BYTES.set(randomBytes(3 * CHUNK), CHUNK);
const PACKED = new Uint8Array(gzipSync(BYTES));
const START = 4096;
/** What is after the file's place and must stay. */
const AFTER = new Uint8Array(1000).fill(7);

const digestOf = (bytes: Uint8Array) =>
  createHash("sha256").update(bytes).digest("hex");

/** A packed file, and one that it is unpacked into. */
interface Setting extends Disposable {
  sink: FileSink;
  unpack: FileUnpack;
  /** What happened in this thread, in order. */
  done: string[];
}

function setUp(
  folder: string,
  { bytes = PACKED, room = BYTES.length, change = () => ({}) }: {
    bytes?: Uint8Array;
    room?: number;
    /** Makes something wrong before the thread starts. */
    change?: (sink: FileSink, path: string) => Partial<PackedFile["place"]>;
  } = {},
): Setting {
  const path = `${folder}/in.gz`;
  fs.writeFileSync(path, bytes);
  const file = openFile(fs.openSync(path, "r"), path, path);
  const sink = new FileSink(`${folder}/out`, "out", 0o644);
  sink.write(AFTER, START + room);
  const id = fileId(fs.fstatSync(sink.fd, { bigint: true }));
  const done: string[] = [];
  const place = { ...file.place!, ...change(sink, path) };
  const limits = { maxUnpacked: 1e9, maxWindow: 1e9 };
  const unpacking = new FileUnpack({
    place,
    digest: digestOf(PACKED),
    limit: limits.maxUnpacked,
    chunks() {
      done.push("unpacked here");
      return unpack(fromStream(file.stream()), "gzip", "in.gz", limits);
    },
  }, {
    path: sink.path,
    id,
    start: START,
    room,
    write: (bytes, position) => sink.write(bytes, position),
    read: (buffer, position) =>
      void fs.readSync(sink.fd, buffer, 0, buffer.length, position),
    otherwise: (end) => digestOf(written(sink).subarray(START, end)),
    beforeMore() {
      done.push("asked");
      return Promise.resolve();
    },
  });
  return {
    sink,
    unpack: unpacking,
    done,
    [Symbol.dispose]() {
      unpacking.cancel();
      sink.remove();
      file.close();
    },
  };
}

function written({ fd }: FileSink): Uint8Array {
  const bytes = new Uint8Array(fs.fstatSync(fd).size);
  fs.readSync(fd, bytes, 0, bytes.length, 0);
  return bytes;
}

/** Reads all; gives it. */
async function read({ unpack }: Setting): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const bytes of unpack.chunks()) all.push(bytes.slice());
  return new Uint8Array(await new Blob(all as BlobPart[]).arrayBuffer());
}

/** Checks that what came, what was written and its digest are right. */
async function check(setting: Setting, bytes: Uint8Array): Promise<void> {
  assert.deepEqual(bytes, BYTES);
  assert.equal(await setting.unpack.hex(), digestOf(BYTES));
  const there = written(setting.sink);
  assert.deepEqual(there.subarray(START, START + BYTES.length), BYTES);
}

Deno.test("another thread unpacks a file", async () => {
  await using work = await temporary();
  using setting = setUp(work.path);
  await check(setting, await read(setting));
  assert.deepEqual(setting.done, []);
  const after = written(setting.sink).subarray(START + BYTES.length);
  assert.deepEqual(after, AFTER);
});

Deno.test("what the other thread cannot do is done here", async () => {
  await using work = await temporary();
  const half = BYTES.length / 2;
  const members = [BYTES.subarray(0, half), BYTES.subarray(half)];
  const cases: Record<string, Parameters<typeof setUp>[1]> = {
    // Its digest is another one, too.
    "several members and zeros": {
      bytes: new Uint8Array([
        ...members.flatMap((bytes) => [...gzipSync(bytes)]),
        ...new Uint8Array(512),
      ]),
    },
    "too little room": { room: 2 * CHUNK },
    "no room": { room: 0 },
    "another file": { change: () => ({ id: "1:1" }) },
    "no file": { change: () => ({ path: `${work.path}/none` }) },
    "no output": {
      change(sink) {
        fs.rmSync(sink.path);
        return {};
      },
    },
    "a shorter stretch": { change: (_, path) => ({ path, size: 1000 }) },
  };
  for (const [what, change] of Object.entries(cases)) {
    using setting = setUp(work.path, change);
    await check(setting, await read(setting));
    assert.deepEqual(setting.done, ["asked", "unpacked here"], what);
  }
});

Deno.test("errors are those of this thread", async () => {
  await using work = await temporary();
  const damaged = PACKED.slice();
  damaged[PACKED.length >> 1]! ^= 1;
  const cases: [Uint8Array, RegExp][] = [
    [damaged, /^in\.gz: the gzip data are damaged/],
    [PACKED.subarray(0, -9), /^in\.gz: the gzip data are damaged/],
    [
      new Uint8Array([...PACKED, 0, 1]),
      /^in\.gz: something else follows the gzip data/,
    ],
  ];
  for (const [bytes, message] of cases) {
    using setting = setUp(work.path, { bytes });
    await assert.rejects(read(setting), (error) => {
      assert(error instanceof FileError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("nothing is written after a stop", async () => {
  await using work = await temporary();
  for (const wait of [0, 20]) {
    using setting = setUp(work.path);
    await new Promise((resolve) => setTimeout(resolve, wait));
    await setting.unpack.stop();
    const before = written(setting.sink);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(written(setting.sink), before);
    // What reads it all the same gets all of it.
    await check(setting, await read(setting));
  }
});

Deno.test("an input that changes is noticed", async () => {
  await using work = await temporary();
  using setting = setUp(work.path);
  const chunks = setting.unpack.chunks();
  await chunks.next();
  fs.appendFileSync(`${work.path}/in.gz`, "x");
  await assert.rejects(async () => {
    for await (const _ of chunks);
  }, /in\.gz changed while it was read/);
});
