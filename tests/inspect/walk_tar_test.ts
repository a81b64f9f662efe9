import assert from "node:assert/strict";
import { walkTar } from "../../lib/inspect/walk_tar.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { toStream } from "../../lib/streams/source.ts";
import { tarOf } from "../support/tar_writer.ts";

/** A tar with data of all sizes around those that make the walk seek. */
const SIZES = [0, 1, 511, 512, 513, 1 << 18, (1 << 19) + 7, 3 << 20, 5];

function sample(): Uint8Array<ArrayBuffer> {
  const entries = SIZES.map((size, i) => ({
    name: `file${i}`,
    data: String(i % 10).repeat(size),
  }));
  return new Uint8Array(tarOf(entries));
}

/** A source that counts the bytes that are read of it. */
function counted(bytes: Uint8Array<ArrayBuffer>) {
  async function* chunks(start: number, end: number) {
    for (let at = start; at < Math.min(end, bytes.length); at += 1 << 16) {
      const chunk = bytes.slice(at, Math.min(at + (1 << 16), end));
      source.read += chunk.length;
      yield await Promise.resolve(chunk);
    }
  }
  const source = {
    size: bytes.length,
    read: 0,
    stream: () => toStream(chunks(0, bytes.length)),
    slice: (start: number, end: number) => ({
      stream: () => toStream(chunks(start, end)),
    }),
  };
  return source;
}

Deno.test("A walk meets all entries, and seeks past data that nobody wants", async () => {
  const bytes = sample();
  const source = counted(bytes);
  const met: [string, number][] = [];
  const end = await walkTar(source, ({ entry, place }) => {
    met.push([binary(entry.path), entry.size]);
    assert.equal(bytes[place], "f".charCodeAt(0));
  });
  assert.deepEqual(met, SIZES.map((size, i) => [`file${i}`, size]));
  assert.equal(end.size, bytes.length);
  assert.equal(end.end, bytes.length - 1024);
  assert.ok(source.read < bytes.length / 2, `${source.read} bytes were read`);
});

Deno.test("A walk gives the data that are asked for, whole", async () => {
  const bytes = sample();
  // One source can seek, the other cannot.
  for (const size of [bytes.length, undefined]) {
    const texts = new Map<string, string>();
    let ends = 0;
    const source = Object.assign(counted(bytes), { size });
    await walkTar(source, ({ entry }) => {
      const name = binary(entry.path);
      if (name === "file7") return;
      texts.set(name, "");
      return {
        onData: (data) => texts.set(name, texts.get(name)! + binary(data)),
        onEnd: () => ends++,
      };
    });
    assert.equal(ends, SIZES.length - 1);
    for (const [i, size] of SIZES.entries()) {
      if (i !== 7) {
        assert.ok(texts.get(`file${i}`) === String(i % 10).repeat(size));
      }
    }
  }
});

Deno.test("A walk refuses a tar that is cut short, also where it would seek", async () => {
  const bytes = sample();
  const cut = bytes.slice(0, bytes.length - 4096);
  await assert.rejects(
    walkTar(new Blob([cut]), () => {}),
    /cut short: it ends 2048 bytes before the data of "file7" do/,
  );
});
