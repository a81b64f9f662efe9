import assert from "node:assert/strict";
import { hasOddTime } from "../../lib/rootfs/odd_time.ts";
import { ascii } from "../../lib/streams/bytes.ts";
import { readEntry } from "../../lib/tar/read_entry.ts";
import { entryOf, type TarEntry } from "../support/tar_writer.ts";

function isOdd(from: Omit<TarEntry, "name">, global?: string): boolean {
  const bytes = entryOf({ name: "x", ...from });
  const entry = readEntry(bytes, 0, []);
  assert.ok(typeof entry === "object" && "kind" in entry);
  const globals = new Map(global ? [["mtime", ascii(global)] as const] : []);
  return hasOddTime({ bytes, entry, globals });
}

Deno.test("hasOddTime() tells which times Docker does not keep", () => {
  assert.equal(isOdd({ mtime: 0 }), false);
  assert.equal(isOdd({ mtime: 9_223_372_036 }), false);
  assert.equal(isOdd({ mtime: -1 }), true);
  assert.equal(isOdd({ mtime: 9_223_372_037 }), true);
});

Deno.test("hasOddTime() goes by PAX records, the entry's own before global ones", () => {
  assert.equal(isOdd({ pax: [["mtime", "-0.5"]] }), true);
  assert.equal(isOdd({ mtime: -1, pax: [["mtime", "1.5"]] }), false);
  assert.equal(isOdd({}, "99999999999"), true);
  assert.equal(isOdd({ pax: [["mtime", "9223372036.5"]] }), true);
  assert.equal(isOdd({ pax: [["mtime", "9223372035.9"]] }), false);
  assert.equal(isOdd({ pax: [["mtime", "5"]] }, "-5"), false);
  assert.equal(isOdd({ mtime: -7, pax: [["mtime", ""]] }, "5"), true);
});
