import assert from "node:assert/strict";
import { temporary } from "../support/ciso.ts";
import { fs } from "../../lib/system/node.ts";
import { PipeWriter } from "../../lib/system/pipe_writer.ts";

Deno.test("PipeWriter writes all bytes in order, in pieces of any size", async () => {
  await using work = await temporary();
  const file = `${work.path}/out`;
  const fd = fs.openSync(file, "w");
  const writer = new PipeWriter(fd);
  const bytes = new Uint8Array(5_000_000).map((_, i) => i % 251);
  const sizes = [0, 1, 262_144, 1_048_576, 3_000_000, 689_279];
  let at = 0;
  for (const size of sizes) {
    const chunk = bytes.slice(at, at += size);
    await writer.write(chunk);
    // They are the caller's again.
    chunk.fill(0);
  }
  assert.equal(at, bytes.length);
  await writer.end();
  fs.closeSync(fd);
  assert.deepEqual(await Deno.readFile(file), bytes);
});

Deno.test("PipeWriter says what a write met, at the end at the latest", async () => {
  const fd = fs.openSync("/dev/full", "w");
  const small = new PipeWriter(fd);
  await small.write(new Uint8Array(9));
  await assert.rejects(small.end(), { code: "ENOSPC" });
  const large = new PipeWriter(fd);
  await assert.rejects(async () => {
    for (let i = 0; i < 4; i++) await large.write(new Uint8Array(1 << 20));
  }, { code: "ENOSPC" });
  fs.closeSync(fd);
});
