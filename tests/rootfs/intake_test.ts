// A layer being read, which is larger than it seemed: what is written early after
// it learns of that before it can meet the layer's bytes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CHUNK, type Source } from "../../lib/streams/source.ts";
import { FileSink } from "../../lib/system/file_sink.ts";
import { openFile } from "../../lib/system/file_source.ts";
import { fs, process } from "../../lib/system/node.ts";
import { ways } from "../../lib/system/ways.ts";
import { Intake } from "../../lib/rootfs/intake.ts";
import { temporary } from "../support/ciso.ts";

// However small an input is, two threads copy it. Other tests do not see that.
const { env } = process();
const before = env.CISO_WAY;
env.CISO_WAY = "beside";
ways();
if (before === undefined) delete env.CISO_WAY;
else env.CISO_WAY = before;

const COUNT = 4;
const BYTES = new Uint8Array(COUNT * CHUNK).map((_, i) => i * 7 + (i >> 18));
const START = 4096;

/** The bytes as they come from a pipe, chunk by chunk. */
const stream: Source = {
  stream: () => new Blob([BYTES]).stream(),
  slice: (start, end) => new Blob([BYTES]).slice(start, end),
  async *once() {
    for (let at = 0; at < BYTES.length; at += CHUNK) {
      // A pause: bytes come later.
      await Promise.resolve();
      yield BYTES.slice(at, at + CHUNK);
    }
  },
};

/** Reads all; gives how many bytes had come when the limit was passed. */
async function watched(
  folder: string,
  source: Source,
  limit: number,
): Promise<number | undefined> {
  const sink = new FileSink(`${folder}/out`, "out", 0o644);
  try {
    const intake = new Intake(source, { sink, start: START });
    let given = 0;
    let past: number | undefined;
    intake.watch(limit, () => past ??= given);
    for await (const chunk of intake.chunks()) given += chunk.length;
    assert.equal(given, BYTES.length);
    const expected = createHash("sha256").update(BYTES).digest("hex");
    assert.equal(await intake.digest(), expected);
    return past;
  } finally {
    sink.remove();
  }
}

Deno.test("Intake.watch() tells of bytes past a limit before it gives them", async () => {
  await using folder = await temporary();
  const end = START + BYTES.length;
  for (
    const [limit, past] of [
      [Infinity, undefined],
      [end, undefined],
      [end - 1, BYTES.length - CHUNK],
      [START + CHUNK, CHUNK],
      [START + CHUNK - 1, 0],
      [START, 0],
    ] as const
  ) assert.equal(await watched(folder.path, stream, limit), past, `${limit}`);
});

Deno.test("Intake.watch() tells before two threads write past a limit", async () => {
  await using folder = await temporary();
  const input = `${folder.path}/in`;
  fs.writeFileSync(input, BYTES);
  const file = openFile(fs.openSync(input, "r"), input, input);
  const end = START + BYTES.length;
  assert.equal(await watched(folder.path, file, end), undefined);
  // Parts are made before those ahead of them are given.
  const past = await watched(folder.path, file, end - 1);
  assert(past !== undefined && past <= BYTES.length - CHUNK);
  assert.equal(await watched(folder.path, file, START), 0);
  file.close?.();
});
