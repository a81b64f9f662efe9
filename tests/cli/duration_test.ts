import assert from "node:assert/strict";
import { parseDuration } from "../../lib/cli/duration.ts";

Deno.test("parseDuration() reads Docker's durations", () => {
  for (
    const [text, seconds] of [
      ["0", 0],
      ["0s", 0],
      ["30", 30],
      ["1.5", 1.5],
      ["30s", 30],
      ["500ms", 0.5],
      ["250us", 0.00025],
      ["250µs", 0.00025],
      ["1h", 3600],
      ["1m30s", 90],
      ["1h2m3s4ms", 3723.004],
      ["1.5h", 5400],
      [".5s", 0.5],
      ["2m0.3s", 120.3],
      ["1s1s", 2],
    ] as const
  ) assert.equal(parseDuration(text), seconds, text);
});

Deno.test("parseDuration() refuses all else", () => {
  for (
    const text of [
      "",
      "s",
      ".s",
      "-1s",
      "+1s",
      "1 s",
      "1d",
      "1m 30s",
      "1s30",
      "1e3",
      "five",
      "1..5s",
      "Infinity",
    ]
  ) {
    assert.throws(() => parseDuration(text), {
      name: "InputError",
      message: /is no duration such as 30s or 1m30s/,
    }, text);
  }
});
