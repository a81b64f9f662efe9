import assert from "node:assert/strict";
import { Archive } from "../../lib/build/archive.ts";
import { withView } from "../../lib/build/containerd_view.ts";
import { ascii, concat } from "../../lib/streams/bytes.ts";
import { closing } from "../../lib/tar/header.ts";
import { SKIP_HEADER, skippedTo } from "../../lib/tar/skip_header.ts";
import { run } from "../support/run.ts";

const END = ascii("(\xb5/\xfdthe view");

/** A tar of some files of some sizes. */
function tarOf(...sizes: number[]): Archive {
  const archive = new Archive(0);
  sizes.forEach((size, i) => archive.file(`file${i}`, "x".repeat(size)));
  archive.add(closing());
  return archive;
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return concat(parts);
}

/** Stands for zstd. */
async function* end() {
  yield END;
}

async function viewed(archive: Archive, most?: number): Promise<Uint8Array> {
  return await bytesOf(withView(archive, tarOf(1), end, most));
}

Deno.test("withView() puts one header before the tar and a frame after it", async () => {
  const archive = tarOf(100, 2000);
  const bytes = await viewed(archive);
  assert.equal(bytes.length, SKIP_HEADER + archive.size + END.length);
  const to = await skippedTo(new Blob([bytes.slice()]), bytes.length);
  assert.equal(to, SKIP_HEADER + archive.size);
  // What follows the header is the tar.
  const rest = bytes.subarray(SKIP_HEADER, to);
  assert.deepEqual(rest, await bytesOf(archive.chunks()));
});

Deno.test("withView() puts further headers before entries of a long tar", async () => {
  const archive = tarOf(...Array.from({ length: 20 }, (_, i) => i * 300));
  for (const most of [9000, 10_000, 20_000, 50_000]) {
    const bytes = await viewed(archive, most);
    const count = (bytes.length - archive.size - END.length) / SKIP_HEADER;
    assert.ok(Number.isInteger(count) && count >= archive.size / most);
    const to = await skippedTo(new Blob([bytes.slice()]), bytes.length);
    assert.equal(to, bytes.length - END.length);
    // GNU tar reads it as if they were not there.
    const file = await Deno.makeTempFile({ suffix: ".tar" });
    await Deno.writeFile(file, bytes.subarray(0, to));
    const names = (await run("tar", ["-tf", file])).trim().split("\n");
    assert.deepEqual(names, Array.from({ length: 20 }, (_, i) => `file${i}`));
    await Deno.remove(file);
  }
});

Deno.test("withView() refuses a file that no header can skip", async () => {
  const archive = tarOf(100, 9000, 100);
  await assert.rejects(
    viewed(archive, 8000),
    /"file1" is too long for the face containerd, which takes no file above 4 GiB/,
  );
});

Deno.test("skippedTo() finds nothing in a tar, and ends at the file's end", async () => {
  const plain = await bytesOf(tarOf(1).chunks());
  assert.equal(
    await skippedTo(new Blob([plain.slice()]), plain.length),
    undefined,
  );
  const bytes = await viewed(tarOf(1));
  bytes[7] = 0x7f;
  const size = bytes.length;
  assert.equal(await skippedTo(new Blob([bytes.slice()]), size), size);
  // A file of nothing but empty frames.
  const frames = new Uint8Array(8 * 20_000);
  for (let i = 0; i < frames.length; i += 8) frames.set(ascii("P*M\x18"), i);
  assert.equal(await skippedTo(new Blob([frames]), frames.length), -1);
});
