import assert from "node:assert/strict";
import { KeptStretches } from "../../lib/edit/kept_stretches.ts";

/** Bytes that differ from their neighbours. */
const BASE = new Uint8Array(1_000_000).map((_, i) => i % 251);

async function bytesOf(kept: KeptStretches): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of kept.chunks(new Blob([BASE]))) parts.push(chunk);
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

Deno.test("kept stretches come with new bytes between them", async () => {
  const kept = new KeptStretches();
  const made = new Uint8Array(700).fill(255);
  kept.add(made);
  kept.keep(512, 1024);
  // Those that follow each other become one.
  kept.keep(1024, 600_000);
  kept.keep(600_000, 600_000);
  kept.add(made);
  kept.keep(0, 512);
  kept.keep(999_000, 1_000_000);
  const expected = new Uint8Array([
    ...made,
    ...BASE.subarray(512, 600_000),
    ...made,
    ...BASE.subarray(0, 512),
    ...BASE.subarray(999_000),
  ]);
  // What was added is the caller's again.
  made.fill(0);
  assert.equal(kept.size, expected.length);
  assert.deepEqual(await bytesOf(kept), expected);
});

Deno.test("nothing is kept of what is too much for memory", () => {
  const kept = new KeptStretches();
  const made = new Uint8Array(1 << 16);
  for (let i = 0; i < 16; i++) kept.add(made);
  assert.ok(kept.isWhole);
  kept.add(made);
  assert.ok(!kept.isWhole);
  const small = new KeptStretches();
  for (let i = 0; i <= 1 << 18; i++) small.keep(2 * i, 2 * i + 1);
  assert.ok(!small.isWhole);
});

Deno.test("a base that has become shorter is an error", async () => {
  const kept = new KeptStretches();
  kept.keep(0, 1_000_512);
  await assert.rejects(bytesOf(kept), /changed/);
});
