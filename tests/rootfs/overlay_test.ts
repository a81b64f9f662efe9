import assert from "node:assert/strict";
import {
  isOverlayAttribute,
  isOverlayWhiteout,
  overlayMarks,
} from "../../lib/rootfs/overlay.ts";
import type { StoredEntry } from "../../lib/rootfs/stored_entries.ts";
import { NO_RECORDS } from "../../lib/tar/pax.ts";
import { readEntry } from "../../lib/tar/read_entry.ts";
import { entryOf, type TarEntry } from "../support/tar_writer.ts";

function stored(from: TarEntry): StoredEntry {
  const bytes = entryOf(from);
  const entry = readEntry(bytes, 0, []);
  assert.ok(typeof entry === "object" && "kind" in entry);
  return { bytes, entry, globals: NO_RECORDS };
}

Deno.test("isOverlayAttribute() knows them by both writers", () => {
  for (
    const key of [
      "SCHILY.xattr.trusted.overlay.opaque",
      "SCHILY.xattr.user.overlay.origin",
      "LIBARCHIVE.xattr.trusted.overlay.redirect",
      "LIBARCHIVE.xattr.trusted%2Eoverlay.opaque",
    ]
  ) assert.ok(isOverlayAttribute(key), key);
  for (
    const key of [
      "SCHILY.xattr.user.overlayfs",
      "SCHILY.xattr.trusted.other",
      "LIBARCHIVE.xattr.user.%",
      "trusted.overlay.opaque",
      "path",
    ]
  ) assert.ok(!isOverlayAttribute(key), key);
});

Deno.test("isOverlayWhiteout() is a character device 0:0", () => {
  const is = (type: string, device: [number, number]) =>
    isOverlayWhiteout(stored({ name: "x", type, device }));
  assert.equal(is("3", [0, 0]), true);
  assert.equal(is("3", [1, 0]), false);
  assert.equal(is("3", [0, 3]), false);
  assert.equal(is("4", [0, 0]), false);
  assert.equal(is("0", [0, 0]), false);
});

Deno.test("overlayMarks() tells what an opaque directory says", () => {
  const marks = (key: string, value: string) =>
    overlayMarks(stored({ name: "d", type: "5", pax: [[key, value]] }));
  const opaque = { opaque: true, redirect: false, metacopy: false };
  assert.deepEqual(marks("SCHILY.xattr.trusted.overlay.opaque", "y"), opaque);
  assert.deepEqual(marks("SCHILY.xattr.user.overlay.opaque", "y"), opaque);
  assert.deepEqual(
    marks("LIBARCHIVE.xattr.trusted.overlay.opaque", "eQ"),
    opaque,
  );
  const nothing = { opaque: false, redirect: false, metacopy: false };
  assert.deepEqual(marks("SCHILY.xattr.trusted.overlay.opaque", "n"), nothing);
  assert.deepEqual(marks("SCHILY.xattr.trusted.overlay.impure", "y"), nothing);
  assert.deepEqual(marks("SCHILY.xattr.trusted.overlay.redirect", "/a"), {
    ...nothing,
    redirect: true,
  });
  assert.deepEqual(marks("SCHILY.xattr.trusted.overlay.metacopy", ""), {
    ...nothing,
    metacopy: true,
  });
  assert.equal(marks("SCHILY.xattr.user.x", "y"), undefined);
  assert.equal(overlayMarks(stored({ name: "x" })), undefined);
});
