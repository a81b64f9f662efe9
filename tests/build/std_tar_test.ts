// @std/tar reads our archives and feeds an IsocStream. It is on JSR alone: on a
// machine that does not reach JSR the test is skipped, with the reason.

import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { IsocStream } from "../../lib/build/isoc_stream.ts";

/** What of @std/tar is used here. */
interface StdTar {
  UntarStream: new () => TransformStream<
    Uint8Array,
    { path: string; readable?: ReadableStream<Uint8Array> }
  >;
  TarStream: new () => TransformStream<
    | { type: "directory"; path: string }
    | {
      type: "file";
      path: string;
      size: number;
      readable: ReadableStream<Uint8Array>;
    },
    Uint8Array
  >;
}

// A name in a variable, since the type checker would ask JSR for it.
const name = "jsr:@std/tar@0.1";
const loaded: StdTar | Error = await import(name).catch((error) => error);
const missing = loaded instanceof Error
  ? `JSR does not answer: ${loaded.message.split("\n")[0]}`
  : undefined;
const IMAGE = { names: ["isoc/std"], command: ["/bin/sh"], created: 0 };

/** A rootfs as TarStream writes it. */
function rootfs({ TarStream }: StdTar): ReadableStream<Uint8Array> {
  const text = new TextEncoder().encode("#!");
  return ReadableStream.from([
    { type: "directory" as const, path: "bin/" },
    {
      type: "file" as const,
      path: "bin/sh",
      size: text.length,
      readable: ReadableStream.from([text]),
    },
  ]).pipeThrough(new TarStream());
}

// No machine of this project's CI reaches JSR, so not even CI requires it.
Deno.test({
  name: `TarStream feeds an IsocStream, and UntarStream reads what comes out${
    missing ? ` (${missing})` : ""
  }`,
  ignore: missing !== undefined,
  async fn() {
    const tar = loaded as StdTar;
    const stream = new IsocStream(IMAGE);
    const paths = new Map<string, string | undefined>();
    const entries = rootfs(tar).pipeThrough(stream)
      .pipeThrough(new tar.UntarStream());
    for await (const { path, readable } of entries) {
      paths.set(path, readable && await new Response(readable).text());
    }
    assert.equal(paths.get("rootfs/bin/sh"), "#!");
    const [image] = JSON.parse(paths.get("manifest.json")!);
    assert.deepEqual(image.RepoTags, ["isoc/std:latest"]);
    const bytes = await new Response(rootfs(tar)).blob();
    const { digest } = (await build(bytes, IMAGE)).layers[0]!;
    assert.ok(paths.has(`blobs/sha256/${digest}`));
  },
});
