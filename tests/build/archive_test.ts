import assert from "node:assert/strict";
import { Archive } from "../../lib/build/archive.ts";
import { binary, concat, utf8 } from "../../lib/streams/bytes.ts";
import { toStream } from "../../lib/streams/source.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { closing } from "../../lib/tar/header.ts";

/** A stretch that holds a text. */
function stretchOf(text: string) {
  const bytes = utf8(text);
  async function* chunks() {
    yield await Promise.resolve(bytes.slice());
  }
  return { size: bytes.length, chunks };
}

Deno.test("Archive starts a stretch's data on the boundary, whatever is before", async () => {
  for (let files = 0; files < 80; files++) {
    const archive = new Archive(0);
    for (let i = 0; i < files; i++) archive.directory(`${i}/`);
    archive.stretch("layer", stretchOf("text"), 1 << 14);
    const [start] = archive.starts;
    assert.ok(start !== undefined);
    assert.equal(start % (1 << 14), 0, `${files}`);
    archive.add(closing());
    const bytes = concat(await Array.fromAsync(archive.chunks()));
    assert.equal(bytes.length, archive.size);
    assert.equal(binary(bytes.subarray(start, start + 4)), "text");
    const paths: string[] = [];
    for await (
      const { entry } of entriesOf(toStream(archive.chunks()))
    ) {
      paths.push(binary(entry.path));
      if (binary(entry.path) !== "layer") continue;
      for (const [key, value] of entry.records) {
        assert.equal(key, "comment");
        assert.match(binary(value), /^room/);
      }
    }
    assert.equal(paths.length, files + 1);
    assert.equal(paths.at(-1), "layer");
  }
});

Deno.test("Archive fails when a stretch has another size than it says", async () => {
  const archive = new Archive(0);
  archive.stretch("layer", { ...stretchOf("text"), size: 5 }, 512);
  await assert.rejects(Array.fromAsync(archive.chunks()), /changed while/);
});
