import assert from "node:assert/strict";
import { stopSignal } from "../../../lib/formats/values/signal.ts";

Deno.test("stopSignal() writes OCI's form", () => {
  for (
    const [text, signal] of [
      ["SIGTERM", "SIGTERM"],
      ["term", "SIGTERM"],
      ["sigint", "SIGINT"],
      ["WINCH", "SIGWINCH"],
      ["9", "9"],
      ["09", "9"],
      ["64", "64"],
      ["rtmin", "SIGRTMIN"],
      ["SIGRTMIN+3", "SIGRTMIN+3"],
      ["RTMAX-14", "SIGRTMAX-14"],
    ] as const
  ) assert.equal(stopSignal(text), signal);
});

Deno.test("stopSignal() refuses what Linux has not", () => {
  for (
    const text of [
      "",
      "0",
      "65",
      "-9",
      "SIG",
      "SIGFOO",
      "SIGSIGTERM",
      "TERM+1",
      "RTMIN-1",
      "RTMIN+16",
      "RTMAX-15",
      "TERM ",
    ]
  ) {
    assert.throws(() => stopSignal(text), {
      name: "DescriptionError",
      message: /is no signal of Linux: give a name such as SIGTERM/,
    }, text);
  }
});
