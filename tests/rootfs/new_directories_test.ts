import assert from "node:assert/strict";
import { NewDirectories } from "../../lib/rootfs/new_directories.ts";
import { ascii, binary } from "../../lib/streams/bytes.ts";

Deno.test("NewDirectories.first is the first one that is left", () => {
  const directories = new NewDirectories();
  assert.equal(directories.first, undefined);
  directories.add(0, ascii("a"));
  directories.add(1, ascii("a/b"));
  assert.equal(binary(directories.first!), "a");
  directories.remove(0);
  assert.equal(binary(directories.first!), "a/b");
  directories.remove(1);
  directories.remove(7);
  assert.equal(directories.first, undefined);
});

Deno.test("NewDirectories keeps few paths, but knows that there are more", () => {
  const directories = new NewDirectories();
  for (let i = 0; i < 1000; i++) directories.add(i, ascii(`${i}`));
  for (let i = 0; i < 999; i++) directories.remove(i);
  assert.equal(binary(directories.first!), "");
});
