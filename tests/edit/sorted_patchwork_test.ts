// A sorted tar that two threads put together has the bytes that its stream has.

import assert from "node:assert/strict";
import fs from "node:fs";
import { sortedTar } from "../../lib/edit/sorted.ts";
import { PiecesOfFile } from "../../lib/streams/pieces_of_file.ts";
import { CHUNK, readAt } from "../../lib/streams/source.ts";
import { openFile } from "../../lib/system/file_source.ts";
import { temporary } from "../support/ciso.ts";
import { patchedBytes, patchedThere } from "../support/patchwork.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const LONG = "directory/".repeat(60);

/** Files of all sizes, in an order that is not theirs. */
const ENTRIES: TarEntry[] = [
  { name: "z/large", data: "z".repeat(3 * CHUNK + 5) },
  { name: "z/empty" },
  ...Array.from({ length: 700 }, (_, i) => ({
    name: `m/${(i * 389) % 700}`,
    data: `${i}`.repeat(i % 300),
  })),
  { name: "z/link", type: "1", link: "z/large" },
  ...Array.from({ length: 200 }, (_, i) => ({
    name: "x",
    longName: `${LONG}${(i * 77) % 200}`,
    data: "y".repeat(i * 13),
  })),
  { name: "a/other", type: "2", link: "b" },
  { name: "a/last", data: "no padding", pax: [["SCHILY.xattr.user.a", "b"]] },
];

Deno.test("both threads read what a sorted tar streams", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/in.tar`;
  // Some writers leave the last padding out.
  const tar = tarOf(ENTRIES).slice(0, -1024 - 512 + 10);
  fs.writeFileSync(path, tar);
  const input = openFile(fs.openSync(path, "r"), path, path);
  const sorted = await sortedTar(input, {
    tally: { edit: "sort", entries: 0 },
  });
  const expected = await readAt(sorted, 0, sorted.size);
  const work = sorted.patchwork!;
  for (const read of [patchedBytes, patchedThere]) {
    assert.deepEqual(read(work), expected);
  }
  // A file that ends early is found out by both.
  fs.truncateSync(path, tar.length / 2);
  assert.throws(() => patchedBytes(work), /changed/);
  assert.throws(
    () => patchedThere(work),
    (error) => error === "it is shorter",
  );
  input.close?.();
});

Deno.test("a list has room for each piece of a chunk", () => {
  const list = new Uint8Array(PiecesOfFile.listSize(2));
  const pieces = new PiecesOfFile(list);
  pieces.clear();
  pieces.add(2 ** 40, 0, 3);
  pieces.add(7, 3, 5);
  const seen: number[][] = [];
  pieces.readInto(new Uint8Array(8), {
    read(room, position) {
      seen.push([position, room.byteOffset, room.length]);
      return room.length;
    },
    check() {},
  });
  assert.deepEqual(seen, [[2 ** 40, 0, 3], [7, 3, 5]]);
});

Deno.test("a file that is not the one that was meant is not read", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/in.tar`;
  fs.writeFileSync(path, tarOf([{ name: "a", data: "1" }]));
  const input = openFile(fs.openSync(path, "r"), path, path);
  fs.renameSync(path, `${path}.old`);
  fs.writeFileSync(path, "another one");
  assert.throws(() => new Function("fs", input.place!.code)(fs));
  input.close?.();
});
