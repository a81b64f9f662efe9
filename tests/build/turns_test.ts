import assert from "node:assert/strict";
import { Archive } from "../../lib/build/archive.ts";
import { partsOf, pausesOf } from "../../lib/build/turns.ts";
import { concat } from "../../lib/streams/bytes.ts";

const MIB = 2 ** 20;

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return concat(parts);
}

/** A tar of files of some sizes, without its end. */
function tarOf(...sizes: number[]): Archive {
  const archive = new Archive(0);
  sizes.forEach((size, i) => archive.file(`file${i}`, "x".repeat(size)));
  return archive;
}

Deno.test("pausesOf() leaves what is within the window as it is", () => {
  assert.equal(pausesOf([40 * MIB, 80 * MIB], 120 * MIB, 128 * MIB), undefined);
});

Deno.test("pausesOf() puts each layer into the middle of its files", () => {
  const sizes = [200, 100, 60];
  assert.deepEqual(pausesOf(sizes, 360, 128), [100, 250, 330]);
  // Half of the files are replaced.
  assert.deepEqual(pausesOf(sizes, 180, 128), [50, 125, 165]);
});

Deno.test("pausesOf() saves one window of a layer of more than two", () => {
  const [pause] = pausesOf([1000], 1000, 100)!;
  assert.ok(pause! > 90 && pause! < 100);
});

Deno.test("partsOf() cuts between the nearest entries, in one pass", async () => {
  const archive = tarOf(0, 1000, 2000, 500, 3000);
  const whole = await bytesOf(archive.chunks());
  let passes = 0;
  const stretch = {
    size: whole.length,
    async *chunks() {
      passes++;
      // Chunks end anywhere.
      for (let at = 0; at < whole.length; at += 700) {
        yield whole.slice(at, at + 700);
      }
    },
  };
  // Entries start at 0, 512, 2048, 4608 and 5632.
  const parts = partsOf(stretch, [1200, 1400, 4500, 9e9]);
  for (let time = 1; time <= 2; time++) {
    const pieces = [];
    for (const part of parts) pieces.push(await bytesOf(part.chunks()));
    assert.deepEqual(
      pieces.map(({ length }) => length),
      [512, 1536, 2560, whole.length - 4608, 0],
    );
    assert.deepEqual(concat(pieces), whole);
    assert.equal(passes, time);
  }
});

Deno.test("partsOf() lets go of the stretch when a part is given up", async () => {
  let closed = false;
  const whole = await bytesOf(tarOf(1000, 1000).chunks());
  async function* chunks() {
    try {
      yield whole.slice();
    } finally {
      closed = true;
    }
  }
  const [first] = partsOf({ size: whole.length, chunks }, [1536]);
  for await (const _ of first!.chunks()) break;
  assert.ok(closed);
});

Deno.test("partsOf() fails if the stretch is another one than before", async () => {
  const whole = await bytesOf(tarOf(1000).chunks());
  async function* chunks() {
    yield whole.slice();
  }
  const [first, last] = partsOf({ size: whole.length + 512, chunks }, [0]);
  await bytesOf(first!.chunks());
  await assert.rejects(bytesOf(last!.chunks()), /changed/);
});
