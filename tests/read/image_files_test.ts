import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import { filesOfTar, readDocument, slice } from "../../lib/read/image_files.ts";
import { fromStream } from "../../lib/streams/source.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

function filesOf(...entries: TarEntry[]) {
  return filesOfTar(new Blob([tarOf(entries) as Uint8Array<ArrayBuffer>]));
}

Deno.test("filesOfTar() finds files under any spelling of their path", async () => {
  const files = await filesOf(
    { name: "./blobs/", type: "5" },
    { name: "./blobs/a", data: "A" },
    { name: "/b", data: "B".repeat(1000) },
    { name: "long", longName: "x".repeat(200), data: "X" },
    { name: "caf\xe9", data: "C" },
  );
  assert.equal(await readDocument(files, "blobs/a"), "A");
  assert.equal(await readDocument(files, "b"), "B".repeat(1000));
  assert.equal(await readDocument(files, "x".repeat(200)), "X");
  assert.equal(await readDocument(files, "caf\xe9"), "C");
  assert.equal(await readDocument(files, "blobs"), undefined);
  assert.equal(await readDocument(files, "c"), undefined);
  assert.equal(files.hasRootfs, false);
});

Deno.test("readDocument() refuses a file that comes twice, but for blobs", async () => {
  const twice = (name: string, other = name) =>
    filesOf({ name, data: "1" }, { name: other, data: "2" });
  for (const name of ["manifest.json", "index.json", "a"]) {
    await assert.rejects(
      twice(name, `./${name}`).then((files) => readDocument(files, name)),
      /^InputError: [a-z.]+ is in the archive twice: nobody can tell/,
      name,
    );
  }
  const blobs = await twice("blobs/sha256/a");
  assert.equal(await readDocument(blobs, "blobs/sha256/a"), "2");
  const linked = await filesOf(
    { name: "a", data: "1" },
    { name: "b", data: "2" },
    { name: "a", type: "2", link: "b" },
  );
  await assert.rejects(readDocument(linked, "a"), /is in the archive twice/);
});

Deno.test("readDocument() takes bytes that are not UTF-8, and no mark of it", async () => {
  const files = await filesOf(
    { name: "a", data: "caf\xe9" },
    { name: "b", data: "\xef\xbb\xbf{}" },
  );
  assert.equal(await readDocument(files, "a"), "caf\ufffd");
  assert.equal(await readDocument(files, "b"), "\ufeff{}");
});

Deno.test("filesOfTar() refuses an archive after the end of one", async () => {
  const one = (name: string) => tarOf([{ name, data: "x" }]);
  for (const gap of [0, 512, 10240]) {
    const tar = new Blob(
      [one("a"), new Uint8Array(gap), one("b")] as Uint8Array<ArrayBuffer>[],
    );
    await assert.rejects(
      filesOfTar(tar),
      /^InputError: Another archive comes after the end of this one, from the entry "b" on/,
    );
  }
});

Deno.test("filesOfTar() follows links", async () => {
  const files = await filesOf(
    { name: "d/layer.tar", type: "2", link: "../blobs/x" },
    { name: "absolute", type: "2", link: "/blobs/x" },
    { name: "above", type: "2", link: "../../blobs/x" },
    { name: "hard", type: "1", link: "./d/layer.tar" },
    { name: "blobs/x", data: "X" },
    { name: "a", type: "2", link: "b" },
    { name: "b", type: "2", link: "a" },
    { name: "dangling", type: "2", link: "nowhere" },
  );
  for (const path of ["d/layer.tar", "absolute", "above", "hard"]) {
    assert.equal(await readDocument(files, path), "X", path);
  }
  for (const path of ["a", "b", "dangling"]) {
    assert.equal(await files.open(path), undefined, path);
  }
});

Deno.test("filesOfTar() passes over rootfs/, but for Docker v1's files", async () => {
  const files = await filesOf(
    { name: "rootfs/", type: "5" },
    { name: "rootfs/a", data: "A" },
    { name: "rootfs/json", data: "{}" },
    { name: "rootfs/layer.tar", data: "L" },
  );
  assert.equal(files.hasRootfs, true);
  assert.equal(await files.open("rootfs/a"), undefined);
  assert.equal(await readDocument(files, "rootfs/json"), "{}");
  assert.equal(await readDocument(files, "rootfs/layer.tar"), "L");
});

Deno.test("filesOfTar() gives the whole tar under the empty path", async () => {
  const bytes = tarOf([{ name: "a", data: "A" }]);
  const files = await filesOfTar(
    new Blob([bytes as Uint8Array<ArrayBuffer>]),
  );
  const whole = await files.open("");
  assert.equal(whole?.size, bytes.length);
  const read: number[] = [];
  for await (const chunk of fromStream(whole!.stream())) read.push(...chunk);
  assert.deepEqual(read, [...bytes]);
});

Deno.test("filesOfTar() tells what is no tar", async () => {
  const text = new Blob(["text\n".repeat(500)]);
  await assert.rejects(
    filesOfTar(text),
    /^InputError: It is not an image, but text: give /,
  );
  const cut = tarOf([{ name: "a", data: "A".repeat(2000) }]).slice(0, 1000);
  await assert.rejects(filesOfTar(new Blob([cut])), /cut short/);
});

Deno.test("readDocument() refuses what is too large for a document", async () => {
  const files = {
    hasRootfs: false,
    open: () => Promise.resolve(slice(new Blob(["x"]), 0, 1 + (1 << 24))),
  };
  await assert.rejects(
    readDocument(files, "index.json"),
    new InputError("index.json has 16777217 bytes, too many to be true"),
  );
});

Deno.test("slice() stays inside its stretch", async () => {
  const part = slice(new Blob(["0123456789"]), 2, 5);
  const text = async (stream: ReadableStream<Uint8Array>) =>
    await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>)
      .text();
  assert.equal(await text(part.stream()), "23456");
  assert.equal(await text(part.slice(1, 3).stream()), "34");
  assert.equal(await text(part.slice(3, 99).stream()), "56");
  assert.equal(await text(part.slice(9, 99).stream()), "");
});
