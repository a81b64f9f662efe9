import assert from "node:assert/strict";
import { KeptStretches } from "../../lib/edit/kept_stretches.ts";
import { concat, equalBytes } from "../../lib/streams/bytes.ts";

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
  // The stretches alone, in chunks that end anywhere.
  const { stretches } = kept;
  assert.deepEqual(stretches, [512, 600_000, 0, 512, 999_000, 1_000_000]);
  for (const size of [511, 100_000, 1_000_000]) {
    const pieces: Uint8Array[] = [];
    for await (const list of kept.pieces(cut(stretches, size))) {
      pieces.push(...list);
    }
    assert.ok(equalBytes(concat(pieces), expected));
  }
});

/** Stretches of the base, in chunks of a size. */
async function* cut(
  stretches: readonly number[],
  size: number,
): AsyncGenerator<Uint8Array> {
  const all: Uint8Array[] = [];
  for (let i = 0; i < stretches.length; i += 2) {
    all.push(BASE.subarray(stretches[i], stretches[i + 1]));
  }
  const bytes = concat(all);
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

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
