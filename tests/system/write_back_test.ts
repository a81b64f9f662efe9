import assert from "node:assert/strict";
import fs from "node:fs";
import { openFileOutput } from "../../lib/system/output.ts";
import { temporary } from "../support/ciso.ts";

/** How often files that are still written have been brought to the disk. */
const seen = { begun: 0, ended: 0 };
const { fdatasync } = fs;
fs.fdatasync = ((fd: number, done: fs.NoParamCallback) => {
  seen.begun++;
  fdatasync(fd, (error) => {
    seen.ended++;
    done(error);
  });
}) as typeof fdatasync;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until one more is begun. */
async function beginning(): Promise<void> {
  const { begun } = seen;
  for (let waited = 0; seen.begun === begun; waited += 10) {
    assert.ok(waited < 30_000, "nothing was brought to the disk");
    await pause(10);
  }
}

const bytes = crypto.getRandomValues(new Uint8Array(60_000));

Deno.test("a file goes to the disk while it is written, and is whole", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/out`;
  const output = openFileOutput(path)!;
  output.sink.write(bytes, 0);
  await beginning();
  output.sink.write(bytes, bytes.length);
  await beginning();
  await output.commit();
  assert.equal(seen.ended, seen.begun);
  const both = fs.readFileSync(path);
  assert.deepEqual(both, Buffer.concat([bytes, bytes]));
});

Deno.test("the file that takes another one's place goes to the disk", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/out`;
  const output = openFileOutput(path)!;
  output.sink.write(bytes, 0);
  await beginning();
  output.sink.renew();
  output.sink.write(bytes.subarray(1), 0);
  await beginning();
  await output.commit();
  assert.equal(seen.ended, seen.begun);
  assert.deepEqual(fs.readFileSync(path), Buffer.from(bytes.subarray(1)));
});

Deno.test("a file that is given up on its way to the disk is gone", async () => {
  await using folder = await temporary();
  const output = openFileOutput(`${folder.path}/out`)!;
  output.sink.write(bytes, 0);
  await beginning();
  output.abort();
  assert.deepEqual(fs.readdirSync(folder.path), []);
  const { begun } = seen;
  while (seen.ended < begun) await pause(10);
  await pause(300);
  assert.equal(seen.begun, begun);
});

Deno.test("a file whose name is gone is written all the same", async () => {
  await using folder = await temporary();
  const output = openFileOutput(`${folder.path}/out`)!;
  const [name] = fs.readdirSync(folder.path);
  fs.rmSync(`${folder.path}/${name}`);
  await pause(300);
  output.sink.write(bytes, 0);
  await assert.rejects(output.commit(), /Cannot write .*out: /);
  output.abort();
});

Deno.test("without fsync nobody waits for the disk", async () => {
  await using folder = await temporary();
  const { begun } = seen;
  const output = openFileOutput(`${folder.path}/out`, { noFsync: true })!;
  output.sink.write(bytes, 0);
  await pause(300);
  await output.commit();
  assert.equal(seen.begun, begun);
});
