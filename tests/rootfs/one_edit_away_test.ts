import assert from "node:assert/strict";
import { oneEditAway } from "../../lib/rootfs/one_edit_away.ts";

Deno.test("oneEditAway() makes what a typing error makes", () => {
  const words = [...oneEditAway("Ehco")];
  for (const word of ["ehco", "hEco", "Echo", "Ehc", "hco", "xEhco", "Ehc0"]) {
    assert.ok(words.includes(word), word);
  }
  assert.ok(!words.includes("Ehco"));
  assert.ok(!words.includes("echo"), "two edits");
  // Swapped letters are likelier than others.
  assert.ok(words.indexOf("Echo") < words.indexOf("Ehc"));
});

Deno.test("oneEditAway() keeps to short words", () => {
  assert.ok([...oneEditAway("x".repeat(5000))].length < 6000);
  assert.deepEqual([...oneEditAway("")].slice(0, 2), ["a", "b"]);
});
