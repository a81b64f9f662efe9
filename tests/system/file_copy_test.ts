// A file that two threads copy, with changes: the copy and its digest are right
// whatever happens to the other thread.

import assert from "node:assert/strict";
import { FileError } from "../../lib/errors/file_error.ts";
import { FileStretches } from "../../lib/streams/file_stretches.ts";
import type { Patchwork } from "../../lib/streams/patchwork.ts";
import { concat, equalBytes } from "../../lib/streams/bytes.ts";
import {
  CHUNK,
  copyOf,
  type FilePlace,
  type Making,
} from "../../lib/streams/source.ts";
import { FileCopy } from "../../lib/system/file_copy.ts";
import { FileSink } from "../../lib/system/file_sink.ts";
import { openFile } from "../../lib/system/file_source.ts";
import { fs } from "../../lib/system/node.ts";
import { piecesCode } from "../../lib/system/pieces_code.ts";
import { copyTarget, digestOf, written } from "../support/copy_target.ts";
import { temporary } from "../support/ciso.ts";

const COUNT = 12;
/** Bytes of which no two chunks are equal, the last one of which is short. */
const BYTES = new Uint8Array(COUNT * CHUNK - 1000).map((_, i) =>
  i * 7 + (i >> 18)
);
/** What is before and after the stretch in the input. */
const AROUND = 513;
const START = 4096;

const NEW = new Uint8Array(700).fill(255);
const SAME: Change = { pieces: copyOf({} as Patchwork).pieces };

/** Changes of each chunk, by what they do. */
const CHANGES: Record<string, Change> = {
  inPlace: {
    async *pieces(chunks) {
      for await (const chunk of chunks) {
        chunk.fill(9, 100, 200);
        yield [chunk];
      }
    },
  },
  longer: {
    async *pieces(chunks) {
      for await (const chunk of chunks) {
        yield [chunk.subarray(0, 1000), NEW, chunk.subarray(1000)];
      }
      yield [NEW];
    },
  },
  shorter: {
    async *pieces(chunks) {
      let isEmpty = false;
      for await (const chunk of chunks) {
        yield isEmpty ? [] : [chunk.subarray(0, 999), chunk.subarray(5001)];
        isEmpty = !isEmpty;
      }
    },
  },
  // Two parts of a chunk, and several chunks between them.
  split: {
    async *pieces(chunks) {
      for await (const chunk of chunks) {
        const middle = chunk.length / 2 + 1 | 0;
        yield [chunk.subarray(0, middle)];
        for (let i = 0; i < 3; i++) yield [new Uint8Array(CHUNK - 1).fill(i)];
        yield [chunk.subarray(middle + 2)];
      }
    },
  },
  smallStretches: {
    ...SAME,
    stretches: Array.from({ length: 6000 }, (_, i) => i * 301 + i % 2 * 17),
  },
  noBytes: {
    stretches: [],
    async *pieces(chunks) {
      yield* SAME.pieces(chunks);
      yield [NEW];
    },
  },
};

/** How the bytes are changed on the way. */
type Change = Pick<Making, "pieces"> & { stretches?: readonly number[] };

/** An input and a copy in the making. */
interface Setting extends Disposable {
  /** What the copy is to be. */
  expected: Uint8Array;
  sink: FileSink;
  place: FilePlace;
  input: string;
  copy: FileCopy;
  /** How often this thread hashed, read chunks and wrote parts. */
  hashes: number;
  reads: number;
  writes: number;
}

/** @param spoil Makes something wrong before the thread starts. */
async function setUp(
  folder: string,
  spoil: (sink: FileSink, place: FilePlace) => Partial<FilePlace> = () => ({}),
  change: Change = SAME,
): Promise<Setting> {
  const input = `${folder}/in`;
  const around = new Uint8Array(AROUND).fill(1);
  fs.writeFileSync(input, concat([around, BYTES, around]));
  const file = openFile(fs.openSync(input, "r"), input, input);
  const sink = new FileSink(`${folder}/out`, "out", 0o644);
  const stretch = { ...file.place!, start: AROUND, size: BYTES.length };
  const meant = { ...stretch, ...spoil(sink, stretch) };
  const { read, path, id } = meant;
  const place: FilePlace = {
    ...meant,
    code: piecesCode(path, id),
    read(buffer, position) {
      setting.reads++;
      return read(buffer, position);
    },
  };
  const expected = await changed(change);
  const setting = {
    expected,
    sink,
    place,
    input,
    hashes: 0,
    reads: 0,
    writes: 0,
  };
  let made = START;
  const { pieces, stretches } = change;
  const patchwork = new FileStretches(place, stretches);
  const copy = new FileCopy({ patchwork, pieces }, {
    ...copyTarget(sink, START, () => setting.hashes++),
    write: (bytes, position) => {
      assert(position + bytes.length <= made);
      setting.writes++;
      sink.write(bytes, position);
    },
    onMade: (end) => made = end,
  });
  return Object.assign(setting, {
    copy,
    [Symbol.dispose]() {
      copy.cancel();
      sink.remove();
      file.close();
    },
  });
}

/** What becomes of the bytes, in memory. */
async function changed({ stretches, pieces }: Change): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  const pairs = stretches ?? [0, BYTES.length];
  for (let i = 0; i < pairs.length; i += 2) {
    kept.push(BYTES.subarray(pairs[i], pairs[i + 1]));
  }
  const all = concat(kept);
  const chunks = async function* () {
    for (let at = 0; at < all.length; at += CHUNK) {
      yield all.subarray(at, at + CHUNK);
    }
  };
  const made: Uint8Array[] = [];
  for await (const list of pieces(chunks())) {
    for (const piece of list) made.push(piece.slice());
  }
  return concat(made);
}

/** Reads the copy to its end; gives what comes and its digest. */
async function read(
  { copy, expected }: Setting,
  onChunk: (at: number) => Promise<void> | void = () => {},
): Promise<Uint8Array> {
  const bytes = new Uint8Array(expected.length);
  let at = 0;
  for await (const chunk of copy.chunks()) {
    bytes.set(chunk, at);
    // Whoever gets it may change it.
    chunk.fill(0);
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
  const { expected } = setting;
  assert(equalBytes(bytes, expected));
  assert.equal(await setting.copy.hex(), digestOf(expected));
  assert(equalBytes(written(setting.sink).subarray(START), expected));
}

Deno.test("a copy is right when this thread is ahead, and when the other one is", async () => {
  await using work = await temporary();
  for (const wait of [0, 40]) {
    using setting = await setUp(work.path);
    await check(setting, await read(setting, () => later(wait)));
    assert.equal(setting.hashes, 0);
  }
});

Deno.test("the other thread reads and writes, too", async () => {
  await using work = await temporary();
  // However long it takes to start.
  for (let wait = 10;; wait *= 2) {
    using setting = await setUp(work.path);
    await check(setting, await read(setting, () => later(wait)));
    if (setting.writes < COUNT && setting.reads < COUNT) return;
    assert(wait < 5000);
  }
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
    using setting = await setUp(work.path, change);
    await check(setting, await read(setting));
    assert.equal(setting.hashes, hashes, change.name);
  }
});

Deno.test("a copy is right if the other thread ends at any time", async () => {
  await using work = await temporary();
  for (const change of [SAME, CHANGES.longer!, CHANGES.split!]) {
    for (const end of [1, 5]) {
      using setting = await setUp(work.path, undefined, change);
      let given = 0;
      const bytes = await read(setting, async () => {
        await later(5);
        if (++given === end) setting.copy.cancel();
      });
      await check(setting, bytes);
    }
  }
});

Deno.test("a copy with changes is right, with and without the other thread", async () => {
  await using work = await temporary();
  const noFile = () => ({ path: `${work.path}/none` });
  const noOutput = (sink: FileSink) => {
    fs.rmSync(sink.path);
    return {};
  };
  for (const change of Object.values(CHANGES)) {
    for (const wait of [0, 5]) {
      using setting = await setUp(work.path, undefined, change);
      await check(setting, await read(setting, () => later(wait)));
      assert.equal(setting.hashes, 0);
    }
    for (const spoil of [noFile, noOutput]) {
      using setting = await setUp(work.path, spoil, change);
      await check(setting, await read(setting));
    }
  }
});

Deno.test("what goes wrong while parts are made ends the copy", async () => {
  await using work = await temporary();
  const error = new Error("no room");
  using setting = await setUp(work.path);
  let isOver = false;
  const patchwork = new FileStretches(setting.place);
  using _ = { [Symbol.dispose]: () => assert(isOver) };
  const copy = new FileCopy({
    patchwork,
    async *pieces(chunks) {
      try {
        for await (const chunk of chunks) {
          yield [chunk];
          await later(20);
          throw error;
        }
      } finally {
        isOver = true;
      }
    },
  }, {
    path: setting.sink.path,
    id: "1:1",
    start: START,
    write() {},
    otherwise: () => "",
  });
  await assert.rejects(async () => {
    for await (const _ of copy.chunks());
  }, error);
  copy.cancel();
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
      using setting = await setUp(work.path);
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
