import assert from "node:assert/strict";
import { compressionOf } from "../../lib/streams/compression.ts";

/** A block of a tar whose first entry's name is these bytes. */
function block(magic: string, ...name: number[]): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set(name);
  bytes.set(new TextEncoder().encode(magic), 257);
  return bytes;
}

Deno.test("compressionOf() knows each compression's first bytes", () => {
  for (
    const [compression, bytes] of [
      ["gzip", [0x1f, 0x8b, 8]],
      ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
      ["zstd", [0x50, 0x2a, 0x4d, 0x18, 4]],
      ["zstd", [0x5f, 0x2a, 0x4d, 0x18]],
      ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
      ["bzip2", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26]],
      ["bzip2", [0x42, 0x5a, 0x68, 0x31, 0x17, 0x72, 0x45, 0x38]],
      [undefined, [0x60, 0x2a, 0x4d, 0x18]],
      [undefined, [0x50, 0x2a, 0x4d]],
      [undefined, [0x1f, 0x8b]],
      [undefined, []],
    ] as const
  ) {
    assert.equal(compressionOf(Uint8Array.of(...bytes)), compression);
  }
});

Deno.test("compressionOf() knows a tar that starts as a skippable frame does", () => {
  const frame = [0x50, 0x2a, 0x4d, 0x18];
  assert.equal(compressionOf(block("ustar\0", ...frame)), undefined);
  assert.equal(compressionOf(block("ustar ", ...frame)), undefined);
  assert.equal(compressionOf(block("other", ...frame)), "zstd");
});
