import assert from "node:assert/strict";
import { Holes } from "../../lib/rootfs/holes.ts";
import { readEntry } from "../../lib/tar/read_entry.ts";
import { entryOf } from "../support/tar_writer.ts";

/** An entry of a file of that size with nothing stored. */
function sparse(size: number) {
  const entry = readEntry(
    entryOf({
      name: "x",
      pax: [["GNU.sparse.size", `${size}`], ["GNU.sparse.map", ""]],
    }),
    0,
    [],
  );
  assert.ok(typeof entry === "object" && "kind" in entry);
  return entry;
}

Deno.test("Holes.count() takes holes up to its limit, all together", () => {
  const holes = new Holes(1200);
  holes.count(sparse(600));
  holes.count(sparse(600));
  assert.throws(() => holes.count(sparse(1)), {
    name: "InputError",
    message: /more than 1200 bytes.*--max-unpacked/,
  });
});

Deno.test("Holes.count() has a limit of 32 GiB unless another is given", () => {
  new Holes().count(sparse(2 ** 35));
  assert.throws(() => new Holes().count(sparse(2 ** 35 + 1)), /34359738368/);
});
