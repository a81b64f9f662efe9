// lib/mod.ts in a browser: its bundle has nothing of Node in it, and Chromium makes
// the same isoc of a Blob as Deno does.

import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { ROOT, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";
import { tarOf } from "../support/tar_writer.ts";

const IMAGE = { names: ["isoc/browser"], command: ["/bin/sh"], created: 0 };
const ROOTFS = tarOf([
  { name: "bin/", type: "5", mode: 0o755 },
  { name: "bin/sh", data: "#!", mode: 0o755 },
  { name: "bin/ash", type: "1", link: "bin/sh" },
]);

/** Bundles lib/mod.ts for browsers. */
async function bundle(folder: string): Promise<string> {
  const path = `${folder}/isoc.js`;
  await run(Deno.execPath(), [
    ...["bundle", "--quiet", "--platform", "browser"],
    ...[`${ROOT}/lib/mod.ts`, "--output", path],
  ]);
  return path;
}

/** Has Chromium open a page until the page has sent what it has to say. */
async function inChromium(
  url: string,
  profile: string,
  said: Promise<string>,
): Promise<string> {
  const browser = new Deno.Command("chromium", {
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
      ...["--disable-dev-shm-usage", "--remote-debugging-port=0"],
      ...[`--user-data-dir=${profile}/chromium`, url],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let timer;
  const ended = browser.status.then(({ code }) => {
    throw new Error(`Chromium ended with exit code ${code}`);
  });
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The page says nothing")), 120e3);
  });
  try {
    return await Promise.race([said, ended, late]);
  } finally {
    clearTimeout(timer);
    ended.catch(() => {});
    browser.kill("SIGTERM");
    await browser.status;
  }
}

Deno.test("lib/mod.ts has nothing of Node, Deno or Bun in it", async () => {
  await using folder = await temporary();
  const whole = await Deno.readTextFile(await bundle(folder.path));
  // Comments of libraries have examples that import.
  const text = whole.replace(/^ *\*.*$/gm, "");
  // It asks for node:crypto where there is a process; it imports nothing.
  assert.doesNotMatch(text, /\b(?:from|import|require)\s*\(?\s*["'](?!\.)/);
  assert.doesNotMatch(text, /\b(?:Deno|Bun)\.[a-z]/);
  assert.ok(text.includes("IsocStream"));
});

const chromium = lacking("chromium");

Deno.test({
  ...unlessMissing("Chromium makes the same isoc of a Blob", chromium),
  async fn() {
    assertNothingMissing(chromium);
    await using folder = await temporary();
    const script = await Deno.readFile(await bundle(folder.path));
    const page = `<!doctype html><meta charset="utf-8">
      <script type="module">
        import { build, convert, exportFace, IsocStream } from "./isoc.js";
        const send = (body) => fetch("said", { method: "POST", body });
        try {
          const rootfs = await (await fetch("rootfs.tar")).blob();
          const isoc = await build(rootfs, ${JSON.stringify(IMAGE)});
          const file = await new Response(isoc.stream()).blob();
          const again = await convert(file);
          const layer = await new Response(await exportFace(file, "rootfs")).blob();
          const streamed = new IsocStream(${JSON.stringify(IMAGE)});
          const other = await new Response(
            rootfs.stream().pipeThrough(streamed),
          ).blob();
          const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
          await send(JSON.stringify({
            imageId: isoc.imageId,
            again: again.imageId,
            sizes: [file.size, other.size, layer.size],
            hash: [...new Uint8Array(hash)],
          }));
        } catch (error) {
          await send(String(error.stack ?? error));
        }
      </script>`;
    const files: Record<string, [string, BodyInit]> = {
      "/": ["text/html", page],
      "/isoc.js": ["text/javascript", script],
      "/rootfs.tar": ["application/x-tar", ROOTFS.slice()],
    };
    const said = Promise.withResolvers<string>();
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        if (request.method === "POST") said.resolve(await request.text());
        const file = files[new URL(request.url).pathname];
        if (!file) return new Response(null, { status: 404 });
        return new Response(file[1], { headers: { "content-type": file[0] } });
      },
    );
    // WebCrypto is there on this machine's own addresses alone.
    const { port } = server.addr;
    const url = `http://127.0.0.1:${port}/`;
    const text = await inChromium(url, folder.path, said.promise);

    const isoc = await build(new Blob([ROOTFS.slice()]), IMAGE);
    const bytes = await new Response(isoc.stream()).bytes();
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    assert.deepEqual(JSON.parse(text), {
      imageId: isoc.imageId,
      again: isoc.imageId,
      sizes: [isoc.size, isoc.size, ROOTFS.length],
      hash: [...hash],
    });
  },
});
