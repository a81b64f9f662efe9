import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { feed } from "../../lib/system/feed.ts";

/** Chunks of text; `ended` tells whether the reader let go of them. */
function chunksOf(texts: string[]) {
  const state = { ended: false };
  async function* chunks() {
    try {
      for (const text of texts) yield await Promise.resolve(bytes(text));
    } finally {
      state.ended = true;
    }
  }
  return { state, chunks: chunks() };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("feed() writes one chunk after the other and ends the stream", async () => {
  const got: string[] = [];
  let writing = 0;
  let ended = false;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      assert.equal(writing++, 0, "Nothing is written meanwhile");
      setTimeout(() => {
        // Not released before it is used.
        got.push(new TextDecoder().decode(chunk));
        writing--;
        done();
      });
    },
    final(done) {
      ended = true;
      done();
    },
  });
  await feed(chunksOf(["make", "container", "not war"]).chunks, stream);
  await new Promise((resolve) => stream.on("close", resolve));
  assert.deepEqual(got, ["make", "container", "not war"]);
  assert.ok(ended);
});

Deno.test("feed() stops when the stream fails", async () => {
  const stream = new Writable({
    write: (_chunk, _encoding, done) => done(new Error("full")),
  });
  const { chunks, state } = chunksOf(["make", "container"]);
  await feed(chunks, stream);
  assert.ok(state.ended);
});

Deno.test("feed() stops when the stream is destroyed in a write", async () => {
  const stream = new Writable({
    write() {
      // Never done.
      setTimeout(() => stream.destroy());
    },
  });
  const { chunks, state } = chunksOf(["make", "container"]);
  await feed(chunks, stream);
  assert.ok(state.ended);
});

Deno.test("feed() throws what the chunks' source throws", async () => {
  const stream = new Writable({
    write: (_chunk, _encoding, done) => done(),
  });
  async function* broken() {
    yield await Promise.resolve(bytes("make"));
    throw new TypeError("no more");
  }
  await assert.rejects(feed(broken(), stream), { message: "no more" });
  stream.destroy();
});
