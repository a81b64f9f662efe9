import assert from "node:assert/strict";
import { FileError } from "../../lib/errors/file_error.ts";
import { collect } from "../../lib/system/programs.ts";

const sh = (script: string, milliseconds?: number) =>
  collect("sh", ["-c", script], input(), {
    ...(milliseconds !== undefined && { milliseconds }),
  });

async function* input(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode("input");
}

Deno.test("collect() takes what a program prints, read its input or not", async () => {
  const { code, stdout, stderr } = await sh("cat; echo odd >&2; exit 3");
  assert.equal(code, 3);
  assert.equal(new TextDecoder().decode(stdout), "input");
  assert.equal(stderr, "odd\n");
  assert.equal((await sh("exec <&-; sleep 0.1; exit 4")).code, 4);
});

Deno.test("collect() ends what takes too long or prints too much", async () => {
  // The second program holds the first one's standard output open.
  await assert.rejects(sh("sleep 9 & exec sleep 9", 100), (error) => {
    assert.ok(error instanceof FileError);
    assert.match(error.message, /^sh does not end: it had 0\.1 seconds/);
    return true;
  });
  await assert.rejects(sh("yes"), /sh prints more than 16777216 bytes/);
});
