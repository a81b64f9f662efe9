import assert from "node:assert/strict";
import { ZstdFrames } from "../../lib/streams/zstd_frames.ts";
import { isInstalled } from "../support/run.ts";

/** A text as zstd compresses it. */
async function zstd(input: Uint8Array, ...args: string[]) {
  const child = new Deno.Command("zstd", {
    args: ["-q", "-c", ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(input);
  await writer.close();
  return (await output).stdout;
}

function isComplete(...parts: Uint8Array[]): boolean {
  const frames = new ZstdFrames();
  for (const part of parts) frames.feed(part);
  return frames.isComplete;
}

const ignore = !isInstalled("zstd");
const text = new TextEncoder().encode(
  "make container not war\n".repeat(20_000),
);
const noise = crypto.getRandomValues(new Uint8Array(60_000));
const zeros = new Uint8Array(500_000);

Deno.test({
  ignore,
  name: "ZstdFrames finds the end of a frame, and no other place",
  async fn() {
    for (const input of [new Uint8Array(0), text, noise, zeros]) {
      for (const args of [[], ["--no-check"], ["-19"], ["--no-content-size"]]) {
        const bytes = await zstd(input, ...args);
        assert.ok(isComplete(bytes), `${args}`);
        assert.ok(isComplete(bytes, bytes));
        const frames = new ZstdFrames();
        const ends = [];
        for (const [i, byte] of bytes.entries()) {
          frames.feed(Uint8Array.of(byte));
          if (frames.isComplete) ends.push(i + 1);
        }
        assert.deepEqual(ends, [bytes.length]);
      }
    }
  },
});

Deno.test({
  ignore,
  name: "ZstdFrames refuses what is no frame",
  async fn() {
    const bytes = await zstd(text);
    assert.ok(!isComplete());
    assert.ok(!isComplete(bytes, new TextEncoder().encode("junk")));
    assert.ok(!isComplete(bytes, new Uint8Array(4)));
    assert.ok(!isComplete(new Uint8Array(4), bytes));
  },
});

Deno.test({
  ignore,
  name: "ZstdFrames passes over skippable frames",
  async fn() {
    const skippable = (data: number[]) =>
      Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, data.length, 0, 0, 0, ...data);
    const bytes = await zstd(text);
    assert.ok(isComplete(skippable([1, 2, 3]), bytes, skippable([])));
    assert.ok(!isComplete(skippable([1, 2, 3]).subarray(0, 10)));
  },
});
