import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input_error.ts";
import { Buffer } from "node:buffer";
import {
  build,
  type ImageDescription,
  IsocStream,
  spoolToMemory,
  type StreamSpool,
} from "../../lib/mod.ts";
import { spoolToFile } from "../../lib/node.ts";
import { temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";

const IMAGE: ImageDescription = {
  names: ["isoc/stream:1.0"],
  command: ["/bin/sh"],
  created: 0,
};

const tar = await makeTar();

/** A tar of a tree with a shell, larger than a few chunks. */
async function makeTar(): Promise<Uint8Array<ArrayBuffer>> {
  await using folder = await temporary();
  const tree = `${folder.path}/tree`;
  await Deno.mkdir(`${tree}/bin`, { recursive: true });
  await Deno.copyFile("/bin/sh", `${tree}/bin/sh`);
  await Deno.writeFile(`${tree}/data`, new Uint8Array(6 << 20).fill(7));
  await run("tar", ["-C", tree, "-cf", `${folder.path}/x.tar`, "."]);
  return await Deno.readFile(`${folder.path}/x.tar`);
}

/** A stream of bytes in chunks of a size, and what happens to it. */
function chunked(bytes: Uint8Array, size: number) {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    chunks.push(bytes.slice(at, at + size));
  }
  const given = chunks.slice();
  const state = { cancelled: false, given };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel() {
      state.cancelled = true;
    },
  });
  return { stream, state };
}

async function bytesOf(stream: ReadableStream<Uint8Array>) {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A spool in memory that tells whether it was closed. */
function watched() {
  const state = { closed: 0 };
  const spool: StreamSpool = async (stream) => {
    const blob = await spoolToMemory(stream);
    return {
      stream: () => blob.stream(),
      slice: (start, end) => blob.slice(start, end),
      close: () => void state.closed++,
    };
  };
  return { spool, state };
}

/** Spool files that this process has open; their names are gone at once. */
function openSpools(): string[] {
  const targets = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      // The directory itself, which is closed by now.
      return "";
    }
  });
  return targets.filter((target) => /\/ciso-.*\.spool\b/.test(target));
}

for (
  const [name, spool] of Object.entries({ spoolToMemory, spoolToFile })
) {
  Deno.test(`IsocStream makes what build() makes, with ${name}()`, async () => {
    const wanted = await build(new Blob([tar]), IMAGE, { pristine: true });
    const expected = await bytesOf(wanted.stream());
    for (const size of [1000, 65536, 1 << 20, tar.length]) {
      const { stream, state } = chunked(tar, size);
      const transform = new IsocStream(IMAGE, { pristine: true, spool });
      const archive = await bytesOf(stream.pipeThrough(transform));
      assert.equal(Buffer.compare(archive, expected), 0);
      const { size: length, imageId, layers } = await transform.result;
      assert.equal(length, archive.length);
      assert.equal(imageId, wanted.imageId);
      assert.deepEqual(layers, wanted.layers);
      // What was given stays the giver's.
      assert.equal(Buffer.compare(Buffer.concat(state.given), tar), 0);
    }
  });

  Deno.test({
    name: `IsocStream leaves no file open, with ${name}()`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const kept = await spool(chunked(tar, 1 << 20).stream);
      assert.equal(openSpools().length, spool === spoolToFile ? 1 : 0);
      kept.close?.();
      const good = chunked(tar, 1 << 20).stream;
      await bytesOf(good.pipeThrough(new IsocStream(IMAGE, { spool })));
      const bad = chunked(tar.subarray(0, 5000), 1000).stream;
      await assert.rejects(
        bytesOf(bad.pipeThrough(new IsocStream(IMAGE, { spool }))),
      );
      const half = chunked(tar, 1 << 20).stream
        .pipeThrough(new IsocStream(IMAGE, { spool })).getReader();
      await half.read();
      await half.cancel();
      // A read that has begun holds the file until it is done.
      for (let i = 0; i < 1000 && openSpools().length > 0; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.deepEqual(openSpools(), []);
    },
  });
}

Deno.test("IsocStream takes what TransformStreams give", async () => {
  const transform = new IsocStream(IMAGE);
  const archive = await bytesOf(
    new Blob([tar]).stream()
      .pipeThrough(new CompressionStream("gzip"))
      .pipeThrough(new DecompressionStream("gzip"))
      .pipeThrough(transform),
  );
  assert.equal(archive.length, (await transform.result).size);
});

Deno.test("IsocStream fails as build() does", async () => {
  for (
    const [bytes, message] of [
      [new Uint8Array(0), /^The input is empty; make or fetch it again$/],
      [
        new TextEncoder().encode("no tar"),
        /^The input is not a tar archive, but text: /,
      ],
      [tar.subarray(0, 100_000), /./],
    ] as const
  ) {
    const { spool, state } = watched();
    const transform = new IsocStream(IMAGE, { spool });
    const wanted = (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    };
    await assert.rejects(
      bytesOf(chunked(bytes, 4096).stream.pipeThrough(transform)),
      wanted,
    );
    await assert.rejects(transform.result, wanted);
    assert.equal(state.closed, 1);
  }
});

Deno.test("IsocStream refuses a wrong description at once", () => {
  assert.throws(() => new IsocStream({ ...IMAGE, names: ["Up"] }), {
    name: "DescriptionError",
  });
  assert.throws(
    () => new IsocStream({ ...IMAGE, exposedPorts: ["70000"] }),
    { name: "DescriptionError" },
  );
});

Deno.test("IsocStream passes on why its input breaks off", async () => {
  const reason = new Error("The wire was cut");
  let count = 0;
  const input = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (++count > 3) throw reason;
      controller.enqueue(tar.slice(0, 4096));
    },
  });
  const { spool, state } = watched();
  const transform = new IsocStream(IMAGE, { spool });
  await assert.rejects(bytesOf(input.pipeThrough(transform)), reason);
  await assert.rejects(transform.result, reason);
  assert.equal(state.closed, 0, "There was nothing to close");
});

Deno.test("IsocStream ends its input when nobody wants the archive", async () => {
  // While the rootfs comes in, which here never ends.
  const state = { cancelled: false };
  const endless = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.enqueue(new Uint8Array(1000));
    },
    cancel() {
      state.cancelled = true;
    },
  });
  const transform = new IsocStream(IMAGE);
  const piped = endless.pipeTo(transform.writable);
  const reader = transform.readable.getReader();
  const read = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await reader.cancel(new Error("enough"));
  assert.deepEqual(await read, { done: true, value: undefined });
  await assert.rejects(piped, /enough/);
  await assert.rejects(transform.result, /enough/);
  assert.ok(state.cancelled);

  // While the archive goes out.
  const { spool, state: kept } = watched();
  const half = new IsocStream(IMAGE, { spool });
  const output = chunked(tar, 65536).stream.pipeThrough(half).getReader();
  assert.ok((await output.read()).value);
  await output.cancel();
  assert.equal(kept.closed, 1);
});

Deno.test("IsocStream tells its input when it cannot be kept", async () => {
  const full = new Error("The disk is full");
  const { stream, state } = chunked(tar, 65536);
  const transform = new IsocStream(IMAGE, {
    async spool(stream) {
      const reader = stream.getReader();
      await reader.read();
      throw full;
    },
  });
  const piped = stream.pipeTo(transform.writable);
  await assert.rejects(bytesOf(transform.readable), full);
  await assert.rejects(piped, full);
  assert.ok(state.cancelled);
});

Deno.test("spoolToMemory() and spoolToFile() keep bytes and their stretches", async () => {
  for (const spool of [spoolToMemory, spoolToFile]) {
    const kept = await spool(chunked(tar, 100_000).stream);
    for (let i = 0; i < 2; i++) {
      assert.equal(Buffer.compare(await bytesOf(kept.stream()), tar), 0);
    }
    const stretch = await bytesOf(kept.slice(999, 5_000_001).stream());
    assert.equal(Buffer.compare(stretch, tar.subarray(999, 5_000_001)), 0);
    assert.equal((await bytesOf(kept.slice(7, 7).stream())).length, 0);
    kept.close?.();
  }
});
