import assert from "node:assert/strict";
import { isStripped } from "../../lib/rootfs/stripped_name.ts";
import { ascii } from "../../lib/streams/bytes.ts";

Deno.test("isStripped() tells which names libarchive cuts", () => {
  for (const name of ["c:\\x", "C:/x", "c:", "\\x", "\\", "/c:x", "//\\x"]) {
    assert.ok(isStripped(ascii(name)), name);
  }
  for (
    const name of ["", "c", "./c:\\x", "a\\b", "cc:x", "1:x", "@:", "a/c:x"]
  ) {
    assert.ok(!isStripped(ascii(name)), name);
  }
});
