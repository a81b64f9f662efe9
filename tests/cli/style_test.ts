import assert from "node:assert/strict";
import { table } from "../../lib/cli/style.ts";

Deno.test("A table may have very many rows", () => {
  const rows = Array.from({ length: 300_000 }, (_, i) => [String(i), "x"]);
  const lines = table(
    [{ title: "N" }, { title: "X" }],
    rows,
    (_, text) => text,
  );
  assert.equal(lines.length, 300_001);
  assert.equal(lines[1], "  0       x");
});
