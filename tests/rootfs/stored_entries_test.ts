import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import { NODE, PathIndex } from "../../lib/rootfs/path_index.ts";
import { StoredEntries } from "../../lib/rootfs/stored_entries.ts";
import { BLOCK } from "../../lib/tar/block.ts";
import { tarOf } from "../support/tar_writer.ts";

/** A tar of two files, the second one's name in a PAX header. */
const TAR = tarOf([
  { name: "a", data: "make container" },
  { name: "short", pax: [["path", "b".repeat(3000)]], data: "not war" },
]) as Uint8Array<ArrayBuffer>;

function stored(tar = TAR) {
  const index = new PathIndex();
  const entries = new StoredEntries(new Blob([tar]), index);
  const add = (name: string, offset: number) =>
    index.add(ascii(name), { node: NODE.file, offset, link: 0 });
  return { entries, add };
}

Deno.test("StoredEntries.read() gives an entry's header blocks, however many", async () => {
  const { entries, add } = stored();
  const first = add("a", 0);
  const second = add("b", 2);
  const { entry, bytes } = await entries.read(second);
  assert.equal(binary(entry.path), "b".repeat(3000));
  assert.equal(entry.start, 0);
  assert.equal(entry.size, 7);
  assert.equal(binary(bytes.subarray(entry.end, entry.end + 7)), "not war");
  assert.equal(binary((await entries.read(first)).entry.path), "a");
});

Deno.test("StoredEntries.readFile() gives the start of a file's contents", async () => {
  const { entries, add } = stored();
  const first = add("a", 0);
  const second = add("b", 2);
  const text = async (slot: number, limit: number) =>
    binary(await entries.readFile(slot, limit));
  assert.equal(await text(first, 4), "make");
  assert.equal(await text(second, 100), "not war");
  assert.equal(await text(second, 0), "");
});

Deno.test("StoredEntries.read() gives the global records that held for the entry", async () => {
  const { entries, add } = stored();
  const first = add("a", 0);
  entries.noteGlobals(new Map([["uid", ascii("5")]]));
  const second = add("b", 2);
  assert.equal((await entries.read(first)).globals.size, 0);
  const { globals } = await entries.read(second);
  assert.equal(binary(globals.get("uid")!), "5");
});

Deno.test("StoredEntries.noteGlobals() refuses endless changes", () => {
  const { entries } = stored();
  assert.throws(
    () => {
      for (let i = 0; i < 5000; i++) {
        entries.noteGlobals(new Map([["uid", ascii(`${i}`)]]));
      }
    },
    { name: "InputError", message: /change more than 1024 times/ },
  );
});

Deno.test("StoredEntries.read() fails when the source has no entry there any more", async () => {
  const { entries, add } = stored(
    TAR.slice(0, BLOCK + 100) as Uint8Array<ArrayBuffer>,
  );
  const slot = add("b", 2);
  await assert.rejects(entries.read(slot), /The input changed/);
});
