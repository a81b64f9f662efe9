// ciso on a terminal.

import assert from "node:assert/strict";
import { CISO, shell } from "../support/ciso.ts";
import { isInstalled } from "../support/run.ts";
import { IMAGE, linux, rootfs } from "../support/small_rootfs.ts";

const noTerminal = !linux || !isInstalled("script");

/** Runs a line of shell, in which `"$@"` is ciso, on a terminal of its own. */
async function onTerminal(line: string, args: string[], env = {}) {
  const inner = `${[...CISO, ...args].map((word) => `'${word}'`).join(" ")}`;
  const result = await shell(
    'script -qec "$LINE" /dev/null',
    [],
    { env: { ...env, LINE: line.replace('"$@"', inner), SHELL: "/bin/bash" } },
  );
  // The code that clears the rest of a line.
  return { ...result, stdout: result.stdout.replaceAll("\x1b[K", "«") };
}

Deno.test({
  name: "ciso refuses to write an archive to a terminal",
  ignore: noTerminal,
  async fn() {
    for (const options of [[], ["-o", "-"]]) {
      const { code, stdout } = await onTerminal('"$@"', [
        rootfs,
        ...options,
        ...IMAGE,
      ]);
      assert.match(stdout, /^ciso: The archive is not for a terminal: .*-o/);
      assert.ok(stdout.length < 300);
      assert.equal(code, 2);
    }
  },
});

Deno.test({
  name: "ciso refuses to read a rootfs from a terminal",
  ignore: noTerminal,
  async fn() {
    const { code, stdout } = await onTerminal(
      '"$@" | cat; exit "${PIPESTATUS[0]}"',
      IMAGE,
    );
    assert.match(stdout, /^ciso: There is no rootfs/);
    assert.equal(code, 2);
  },
});

Deno.test({
  name: "ciso shows progress on a terminal when the work takes its time",
  ignore: noTerminal,
  async fn() {
    const env = { ROOTFS: rootfs };
    const slowInput =
      '(head -c 1000000; sleep 0.7; cat) <"$ROOTFS" | "$@" | cat >/dev/null';
    // The wait begins with the first byte, however late that is.
    const slowOutput =
      '"$@" <"$ROOTFS" | (head -c 1 >/dev/null; sleep 1; cat >/dev/null)';
    const reading = await onTerminal(slowInput, IMAGE, env);
    assert.match(
      reading.stdout,
      /^\rreading {2}\d[\d.]* .?i?B {2}.*B\/s«/,
    );
    assert.ok(reading.stdout.endsWith("\r«"), "the line is cleared");
    const writing = await onTerminal(slowOutput, IMAGE, env);
    assert.match(
      writing.stdout,
      /\rwriting {2}\[#* *\] +\d+% {2}.* of .*left«/,
    );
    assert.ok(writing.stdout.endsWith("\r«"), "the line is cleared");
    for (const line of [slowInput, slowOutput]) {
      assert.equal((await onTerminal(line, ["-q", ...IMAGE], env)).stdout, "");
    }
  },
});
