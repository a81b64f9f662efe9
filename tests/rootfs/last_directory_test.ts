import assert from "node:assert/strict";
import { LastDirectory } from "../../lib/rootfs/last_directory.ts";
import { treePath } from "../../lib/rootfs/tree_path.ts";
import { hasWhiteoutName } from "../../lib/rootfs/whiteouts.ts";
import { binary, utf8 } from "../../lib/streams/bytes.ts";
import { seededRandom } from "../support/random.ts";

/** A path in a large buffer, at an offset that may be no multiple of four. */
function placed(path: string, at: number): Uint8Array {
  const buffer = new Uint8Array(1 << 14);
  const bytes = utf8(path);
  buffer.set(bytes, at);
  return buffer.subarray(at, at + bytes.length);
}

/** What the directory of the first path makes of the second. */
function inDirectory(first: string, skipped: number, second: string, at = 0) {
  const last = new LastDirectory();
  last.keep(placed(first, at), first.lastIndexOf("/"), skipped);
  const path = last.pathOf(placed(second, at));
  return path && binary(path);
}

Deno.test("LastDirectory gives the path of an entry that is in it", () => {
  for (const at of [0, 1, 2, 3, 512]) {
    assert.equal(inDirectory("./usr/x", 2, "./usr/lib", at), "usr/lib");
    assert.equal(inDirectory("./usr/x", 2, "./usr/lib//", at), "usr/lib");
    assert.equal(inDirectory("usr/a/x", 0, "usr/a/b", at), "usr/a/b");
  }
});

Deno.test("LastDirectory knows nothing of what is elsewhere or means something", () => {
  for (
    const path of [
      ...["./usr", "./usr/", "./usr//x", "./usr/a/b", "./us/x", "./usrx"],
      ...["./usr/.", "./usr/..", "./usr/.wh.x", "usr/x", "./Usr/x", ""],
      `./usr/${"n".repeat(256)}`,
    ]
  ) assert.equal(inDirectory("./usr/x", 2, path), undefined, path);
  const last = new LastDirectory();
  assert.equal(last.pathOf(utf8("/x")), undefined);
  last.keep(utf8("a/x"), 1, 0);
  last.forget();
  assert.equal(last.pathOf(utf8("a/x")), undefined);
  // Too long to remember.
  assert.equal(last.keep(new Uint8Array(5000).fill(0x61), 4000, 0), false);
  assert.equal(last.pathOf(utf8("a/x")), undefined);
});

Deno.test("LastDirectory tells whether a directory is another one", () => {
  const last = new LastDirectory();
  assert.equal(last.keep(utf8("a/x"), 1, 0), true);
  assert.equal(last.keep(utf8("a/y"), 1, 0), false);
  assert.equal(last.keep(utf8("b/y"), 1, 0), true);
});

Deno.test("LastDirectory agrees with treePath()", () => {
  const random = seededRandom(3);
  const parts = ["a", "b", "..", ".", "", ".wh.a", "..a", "c".repeat(255)];
  const some = (count: number) =>
    Array.from({ length: count }, () => parts[random(parts.length)]).join("/");
  let found = 0;
  for (let i = 0; i < 20_000; i++) {
    const start = ["", "./", "/"][random(3)]!;
    const path = inDirectory(
      `${start}a/b/x`,
      start.length,
      `${start}a/b/${some(1 + random(2))}`,
    );
    if (path === undefined) continue;
    found++;
    const bytes = utf8(path);
    assert.equal(binary(treePath(utf8(start + path))), path);
    assert.ok(path.startsWith("a/b/") && !hasWhiteoutName(bytes));
  }
  assert.ok(found > 1000, `${found}`);
});
