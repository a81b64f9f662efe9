import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import { BLOCK, FIELD, numberField, textField } from "../../lib/tar/block.ts";
import { readEntry } from "../../lib/tar/read_entry.ts";
import { closing, newHeader, padding } from "../../lib/tar/header.ts";

function read(bytes: Uint8Array) {
  const entry = readEntry(bytes, 0, []);
  assert.ok(typeof entry === "object" && "kind" in entry);
  const mode = numberField(bytes, FIELD.mode, entry.header);
  return { ...entry, mode, path: binary(entry.path), link: binary(entry.link) };
}

Deno.test("newHeader() makes files, directories and symlinks", () => {
  const file = read(newHeader({ path: "manifest", type: "file", size: 700 }));
  assert.deepEqual(
    [file.kind, file.path, file.size, file.mode],
    ["file", "manifest", 700, 0o644],
  );
  const folder = read(newHeader({ path: "blobs/", type: "directory" }));
  assert.deepEqual(
    [folder.kind, folder.path, folder.mode],
    ["directory", "blobs/", 0o755],
  );
  const link = read(newHeader({ path: "l", type: "symlink", link: "../x" }));
  assert.deepEqual(
    [link.kind, link.link, link.mode],
    ["symlink", "../x", 0o777],
  );
});

Deno.test("newHeader() gives all to root, and the time that is asked for", () => {
  const block = newHeader({ path: "x", type: "file", mtime: 5, mode: 0o600 });
  assert.equal(numberField(block, FIELD.uid), 0);
  assert.equal(numberField(block, FIELD.gid), 0);
  assert.equal(numberField(block, FIELD.mtime), 5);
  assert.equal(numberField(block, FIELD.mode), 0o600);
  assert.equal(binary(textField(block, FIELD.uname)), "root");
});

Deno.test("newHeader() puts a PAX header in front of a long path", () => {
  const longest = "p".repeat(100);
  assert.equal(newHeader({ path: longest, type: "file" }).length, BLOCK);
  const path = ascii("\xc3\xa9".repeat(60));
  const entry = read(newHeader({ path, type: "directory" }));
  assert.equal(entry.path, binary(path));
  assert.equal(entry.header, 2 * BLOCK);
});

Deno.test("padding() brings data to whole blocks", () => {
  assert.deepEqual([0, 1, 512, 513].map((size) => padding(size).length), [
    0,
    511,
    0,
    511,
  ]);
});

Deno.test("closing() gives two blocks of zeros", () => {
  assert.deepEqual(closing(), new Uint8Array(1024));
});
