import assert from "node:assert/strict";
import { circlesOf, disorderOf, importsOf } from "../../scripts/rooms.ts";

const files = (texts: Record<string, string>) => new Map(Object.entries(texts));

Deno.test("circlesOf() finds a circle, type imports included", () => {
  const imports = importsOf(files({
    "tar/a.ts": 'import type { B } from "./b.ts";',
    "tar/b.ts": 'export * from "../image/c.ts";',
    "image/c.ts": 'const a = await import("../tar/a.ts");',
    "image/d.ts": 'import "./c.ts";',
  }));
  assert.deepEqual(circlesOf(imports), [
    ["tar/a.ts", "tar/b.ts", "image/c.ts", "tar/a.ts"],
  ]);
  imports.set("image/c.ts", []);
  assert.deepEqual(circlesOf(imports), []);
});

Deno.test("disorderOf() names imports from rooms that are not below", () => {
  const faults = (texts: Record<string, string>) => disorderOf(files(texts));
  assert.deepEqual(
    faults({
      "cli/main.ts": 'import { a } from "../tar/a.ts";\nDeno.exit();',
      "tar/a.ts": 'import { b } from "./b.ts";',
      "tar/b.ts": "",
    }),
    [],
  );
  assert.deepEqual(faults({ "tar/a.ts": 'import "../rootfs/tree.ts";' }), [
    "tar/a.ts imports rootfs/tree.ts, which is not below it",
  ]);
  assert.deepEqual(faults({ "verify/a.ts": 'import "../export/a.ts";' }), [
    "verify/a.ts imports export/a.ts, which is not below it",
  ]);
  assert.deepEqual(faults({ "attic/a.ts": "" }), [
    "attic/a.ts is in no room of this list",
  ]);
  assert.deepEqual(
    faults({
      "tar/a.ts": 'import fs from "node:fs";\nDeno.args;\nBun.file("x");',
    }),
    [
      "tar/a.ts uses node:fs",
      "tar/a.ts uses Deno.args",
      "tar/a.ts uses Bun.file",
    ],
  );
});
