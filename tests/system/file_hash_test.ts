// One thread hashes several files while they are written.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileHash } from "../../lib/system/file_hash.ts";

const BYTES = new Uint8Array(5_000_003).map((_, i) => i * 3 + (i >> 17));
const START = 512;

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A file that is being written, and its hash. */
function begin(
  path: string,
  otherwise: (end: number) => string,
  file?: string,
) {
  const fd = fs.openSync(path, "wx+");
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  const hash = new FileHash({
    path,
    id: file ?? `${dev}:${ino}`,
    start: START,
    otherwise,
  });
  return { fd, hash };
}

function inDirectory(test: (directory: string) => Promise<void>) {
  return async () => {
    const directory = fs.mkdtempSync(join(tmpdir(), "isoc-test-"));
    try {
      await test(directory);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  };
}

const never = () => assert.fail("the thread has not hashed it");

Deno.test(
  "a thread hashes files that are written in turn",
  inDirectory(async (directory) => {
    const sizes = [BYTES.length, 0, 1 << 20, 4_000_000];
    const files = sizes.map((size, i) => ({
      size,
      ...begin(join(directory, String(i)), never),
    }));
    for (let at = 0; at < BYTES.length; at += 300_000) {
      for (const { fd, hash, size } of files) {
        const part = BYTES.subarray(at, Math.min(at + 300_000, size));
        if (part.length === 0) continue;
        fs.writeSync(fd, part, 0, part.length, START + at);
        hash.advance(START + at + part.length);
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
    const digests = await Promise.all(files.map(({ hash }) => hash.hex()));
    const right = sizes.map((size) => digestOf(BYTES.subarray(0, size)));
    assert.deepEqual(digests, right);
    for (const { fd } of files) fs.closeSync(fd);
  }),
);

Deno.test(
  "a hash that is given up leaves the others as they are",
  inDirectory(async (directory) => {
    const one = begin(join(directory, "1"), never);
    const other = begin(join(directory, "2"), never);
    fs.writeSync(other.fd, BYTES, 0, BYTES.length, START);
    one.hash.cancel();
    one.hash.cancel();
    other.hash.advance(START + BYTES.length);
    assert.equal(await other.hash.hex(), digestOf(BYTES));
    for (const { fd } of [one, other]) fs.closeSync(fd);
  }),
);

Deno.test(
  "what the thread cannot hash is hashed where it is written",
  inDirectory(async (directory) => {
    const ends: number[] = [];
    const here = (end: number) => `here ${ends.push(end)}`;
    const other = begin(join(directory, "other"), here, "1:2");
    other.hash.advance(START);
    assert.equal(await other.hash.hex(), "here 1");
    const short = begin(join(directory, "short"), here);
    short.hash.advance(START + BYTES.length);
    assert.equal(await short.hash.hex(), "here 2");
    assert.deepEqual(ends, [START, START + BYTES.length]);
    for (const { fd } of [other, short]) fs.closeSync(fd);
  }),
);
