import assert from "node:assert/strict";
import { parseSize } from "../../lib/cli/size.ts";

Deno.test("parseSize() reads bytes and powers of 1024", () => {
  for (
    const [text, size] of [
      ["0", 0],
      ["1", 1],
      ["512", 512],
      ["512B", 512],
      ["1k", 1024],
      ["1K", 1024],
      ["1KB", 1024],
      ["1KiB", 1024],
      ["500M", 500 * 1024 ** 2],
      ["1.5g", 1.5 * 1024 ** 3],
      ["64GiB", 64 * 1024 ** 3],
      ["2T", 2 * 1024 ** 4],
    ] as const
  ) assert.equal(parseSize(text), size, text);
});

Deno.test("parseSize() refuses all else", () => {
  for (
    const text of [
      "",
      "M",
      "-1",
      "+1",
      "1 M",
      "1X",
      "1MM",
      "1iB",
      "1e3",
      ".5G",
      "9999999T",
      "lots",
    ]
  ) {
    assert.throws(() => parseSize(text), {
      name: "InputError",
      message: /is no size such as 500M or 16G/,
    }, text);
  }
});
