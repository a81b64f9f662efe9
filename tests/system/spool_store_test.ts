import assert from "node:assert/strict";
import { openSpool } from "../../lib/system/spool_file.ts";

/** How many spool files this process has open. */
function openSpools(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return /\.spool \(deleted\)$/.test(
        Deno.readLinkSync(`/proc/self/fd/${name}`),
      );
    } catch {
      return false;
    }
  }).length;
}

async function* letters(letter: string, count: number) {
  for (let i = 0; i < count; i++) {
    await Promise.resolve();
    yield new TextEncoder().encode(letter.repeat(10) + i);
  }
}

const text = (letter: string, count: number) =>
  Array.from({ length: count }, (_, i) => letter.repeat(10) + i).join("");

Deno.test("openSpool() keeps many small spools in few files", async () => {
  const before = openSpools();
  const spools = Array.from(
    { length: 300 },
    (_, i) =>
      openSpool(-1, `${i}`, letters(String.fromCharCode(97 + i % 26), 9)),
  );
  // Two at a time, so that their bytes lie between each other.
  for (let i = 0; i < spools.length; i += 2) {
    await Promise.all(
      [spools[i]!, spools[i + 1]!].map((spool) =>
        new Response(spool.stream()).text()
      ),
    );
  }
  assert.equal(openSpools(), before + 1);
  for (const [i, spool] of spools.entries()) {
    const expected = text(String.fromCharCode(97 + i % 26), 9);
    assert.equal(spool.size, expected.length);
    assert.equal(await new Response(spool.stream()).text(), expected);
    assert.equal(
      await new Response(spool.slice(5, 40).stream()).text(),
      expected.slice(5, 40),
    );
  }
  for (const spool of spools) {
    spool.close();
    spool.close();
  }
  assert.equal(openSpools(), before);
});
