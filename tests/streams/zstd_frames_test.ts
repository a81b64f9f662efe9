import assert from "node:assert/strict";
import { concat } from "../../lib/streams/bytes.ts";
import { ZstdFrames } from "../../lib/streams/zstd_frames.ts";
import { isInstalled } from "../support/run.ts";

/** Bytes as zstd compresses them. */
async function zstd(input: Uint8Array, ...args: string[]) {
  const child = new Deno.Command("zstd", {
    args: ["-q", "-c", ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(input as Uint8Array<ArrayBuffer>);
  await writer.close();
  return (await output).stdout;
}

/** What a decompressor would get, one array for each write. */
function pieces(parts: Uint8Array[], maxWindow = 2 ** 27): Uint8Array[] {
  const frames = new ZstdFrames({
    maxWindow,
    tooLarge: (window) => new Error(`window ${window}`),
  });
  const found = parts.flatMap((part) =>
    [...frames.pieces(part)].map((piece) => piece.slice())
  );
  frames.end();
  return found;
}

const skippable = (...data: number[]) =>
  Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, data.length, 0, 0, 0, ...data);
const bytewise = (bytes: Uint8Array) =>
  [...bytes].map((byte) => Uint8Array.of(byte));

const ignore = !isInstalled("zstd");
const text = new TextEncoder().encode(
  "make container not war\n".repeat(20_000),
);
const noise = crypto.getRandomValues(new Uint8Array(60_000));
const zeros = new Uint8Array(500_000);
const CUT = /^InputError: the zstd data are cut short; make or fetch it again$/;

Deno.test({
  ignore,
  name: "ZstdFrames passes whole frames on, and finds each of their ends",
  fn: async () => {
    for (const input of [new Uint8Array(0), text, noise, zeros]) {
      for (const args of [[], ["--no-check"], ["-19"], ["--no-content-size"]]) {
        const bytes = await zstd(input, ...args);
        const twice = concat([bytes, bytes]);
        assert.deepEqual(concat(pieces([bytes])), bytes, `${args}`);
        for (const parts of [[twice], bytewise(twice), [bytes, bytes]]) {
          const given = pieces(parts);
          assert.deepEqual(concat(given), twice);
          // No write holds bytes of two frames.
          let at = 0;
          for (const { length } of given) {
            assert.ok(at >= bytes.length || at + length <= bytes.length);
            at += length;
          }
        }
        for (let end = 1; end < bytes.length; end += 1 + (end >> 2)) {
          assert.throws(() => pieces([bytes.subarray(0, end)]), CUT, `${end}`);
          assert.throws(
            () => pieces([bytes, bytes.subarray(0, end)]),
            CUT,
          );
        }
      }
    }
  },
});

Deno.test({
  ignore,
  name: "ZstdFrames has one block at most in each piece",
  fn: async () => {
    // Noise: blocks of 128 KiB that stay as they are.
    const large = concat([0, 1, 2, 3, 4, 5, 6, 7].map(() => noise));
    const given = pieces([await zstd(large, "--no-content-size")]);
    assert.ok(given.every(({ length }) => length < 2 ** 17 + 32));
    assert.ok(given.length > 4);
  },
});

Deno.test({
  ignore,
  name: "ZstdFrames leaves skippable frames out, wherever they are",
  fn: async () => {
    const bytes = await zstd(text);
    const whole = concat([bytes, bytes]);
    for (
      const parts of [
        [skippable(1, 2, 3), bytes, skippable(), bytes],
        [skippable(), skippable(1), bytes, bytes, skippable(9, 9)],
        [bytes, skippable(0xfd, 0x2f, 0xb5, 0x28), bytes],
      ]
    ) {
      assert.deepEqual(concat(pieces(parts)), whole);
      assert.deepEqual(concat(pieces([concat(parts)])), whole);
      assert.deepEqual(concat(pieces(bytewise(concat(parts)))), whole);
    }
    assert.throws(() => pieces([bytes, skippable(1, 2).subarray(0, 9)]), CUT);
    assert.throws(() => pieces([skippable(1)]), /hold skippable frames alone$/);
  },
});

Deno.test({
  ignore,
  name: "ZstdFrames refuses what is no frame",
  fn: async () => {
    const bytes = await zstd(text);
    const after = /^InputError: something else follows the zstd data$/;
    assert.throws(() => pieces([]), /skippable frames alone$/);
    assert.throws(() => pieces([bytes, utf8("junk")]), after);
    assert.throws(() => pieces([bytes, new Uint8Array(4)]), after);
    assert.throws(
      () => pieces([new Uint8Array(4), bytes]),
      /are damaged; make or fetch it again$/,
    );
    // A block of the type that is reserved.
    const broken = (await zstd(zeros, "--no-content-size")).slice();
    broken[6] = broken[6]! | 6;
    assert.throws(
      () => pieces([broken]),
      /are damaged; make or fetch it again$/,
    );
  },
});

Deno.test({
  ignore,
  name: "ZstdFrames refuses a large window and a dictionary",
  fn: async () => {
    const large = await zstd(text, "--long=28", "--no-content-size");
    assert.throws(() => pieces([large]), /^Error: window 268435456$/);
    assert.deepEqual(concat(pieces([large], 2 ** 28)), large);
    // A frame of one segment: its content is its window.
    const single = await zstd(zeros);
    assert.throws(() => pieces([single], 4096), /^Error: window \d+$/);
    const header = (flags: number, ...fields: number[]) =>
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, flags, ...fields);
    // Window_Descriptor 0xff: 2^41 and seven eighths; one of 8 bytes of content.
    assert.throws(() => pieces([header(0, 0xff)]), /window 4123168604160$/);
    assert.throws(
      () => pieces([header(0xe0, 0, 0, 0, 0, 0, 1, 0, 0)]),
      /window 1099511627776$/,
    );
    assert.throws(
      () => pieces([header(0x21, 7, 1)]),
      /need the dictionary 7, which is not in them$/,
    );
  },
});

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
