// Pieces of files, read by this thread's function and by the one that another
// thread makes of its text.

import assert from "node:assert/strict";
import { denoStamp } from "../../lib/directory/file_facts.ts";
import {
  CHECK,
  type Piece,
  PieceList,
} from "../../lib/directory/piece_list.ts";
import {
  pieceReader,
  READ_PIECES,
  type ReadPieces,
} from "../../lib/directory/piece_reader.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { fs } from "../../lib/system/node.ts";
import { temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";

/** What has failed. */
class Failure extends Error {
  readonly path: string;
  constructor(path: Uint8Array, override readonly cause?: unknown) {
    super("it cannot be read");
    this.path = new TextDecoder().decode(path);
  }
}

const here = pieceReader((path, error) => {
  throw new Failure(path, error);
});
const there: ReadPieces = new Function("fs", READ_PIECES)(fs);

/** A chunk after its pieces have been read. */
function read(reader: ReadPieces, pieces: Piece[], size = 16): string {
  const list = new Uint8Array(new SharedArrayBuffer(4096));
  const written = new PieceList(list);
  for (const piece of pieces) written.add(piece);
  const chunk = new Uint8Array(new SharedArrayBuffer(size)).fill(0x2e);
  reader(chunk, list);
  return new TextDecoder().decode(chunk.slice());
}

/** A piece of a file as it is now. */
function pieceOf(path: string, part: Partial<Piece> = {}): Piece {
  const stamp = denoStamp(Deno.lstatSync(path));
  const { before, after } = CHECK;
  const rest = { at: 0, length: 0, position: 0, checks: before | after };
  return { ...rest, stamp, path: utf8(path), ...part };
}

Deno.test("pieces of files go where they belong", async () => {
  await using folder = await temporary();
  const [a, b] = [`${folder.path}/a`, `${folder.path}/é\n"\\`];
  await Deno.writeTextFile(a, "0123456789");
  await Deno.writeTextFile(b, "abc");
  await Deno.symlink("nowhere", `${folder.path}/link`);
  const { look, after, before, guarded } = CHECK;
  for (const reader of [here, there]) {
    assert.equal(read(reader, []), ".".repeat(16));
    const text = read(reader, [
      pieceOf(folder.path, { checks: look }),
      pieceOf(`${folder.path}/link`, { checks: look }),
      pieceOf(a, { at: 1, length: 10, checks: after | guarded }),
      pieceOf(b, { at: 12, length: 2, position: 1, checks: before }),
      pieceOf(a, { at: 15, length: 1, position: 9, checks: after }),
    ]);
    assert.equal(text, ".0123456789.bc.9");
  }
});

Deno.test("a piece of a file that is not what it was is refused", async () => {
  await using folder = await temporary();
  const file = `${folder.path}/f`;
  const { look, before, after, guarded } = CHECK;
  /** What happens to the file, and the error's code. */
  const changes: [change: () => Promise<unknown>, code?: string][] = [
    [() => Deno.writeTextFile(file, "other")],
    [() => Deno.truncate(file, 3)],
    [() => Deno.writeTextFile(file, "more", { append: true })],
    [() => Deno.chmod(file, 0o640)],
    [() => Deno.remove(file), "ENOENT"],
    [async () => {
      await Deno.remove(file);
      await Deno.symlink(`${folder.path}/g`, file);
    }, "ELOOP"],
    [async () => {
      await Deno.remove(file);
      await run("mkfifo", [file]);
    }],
    [async () => {
      await Deno.remove(file);
      await Deno.mkdir(file);
    }],
  ];
  for (const [i, [change, code]] of changes.entries()) {
    for (const checks of [look, before, after, after | guarded]) {
      await Deno.remove(file, { recursive: true }).catch(() => {});
      await Deno.writeTextFile(`${folder.path}/g`, "text!");
      await Deno.writeTextFile(file, "text!");
      // So that times differ, however coarse the file system's clock is.
      await Deno.utime(file, 1, 1);
      const piece = pieceOf(file, {
        checks,
        length: checks === look ? 0 : 5,
      });
      await change();
      assert.throws(() => read(there, [piece]), `case ${i}`);
      assert.throws(() => read(here, [piece]), (error) => {
        assert(error instanceof Failure, `case ${i}: ${error}`);
        assert.equal(error.path, file);
        const cause = error.cause as { code?: string } | undefined;
        if (code && checks !== look) assert.equal(cause?.code, code);
        return true;
      });
    }
  }
});

Deno.test("no file stays open, read or not", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using folder = await temporary();
  const file = `${folder.path}/f`;
  await Deno.writeTextFile(file, "text");
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const open = count();
  for (const reader of [here, there]) {
    read(reader, [pieceOf(file, { length: 4 })]);
    for (const checks of [CHECK.before, CHECK.after]) {
      const piece = pieceOf(file, { length: 4, checks, stamp: 1 });
      assert.throws(() => read(reader, [piece]));
    }
    assert.throws(() => read(reader, [pieceOf(file, { length: 5 })]));
  }
  assert.equal(count(), open);
});
