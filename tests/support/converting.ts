import assert from "node:assert/strict";
import { CISO, ciso, temporary } from "./ciso.ts";
import { run } from "./run.ts";

/** ciso with the right to start zstd, which Deno needs for zstd layers. */
const WITH_ZSTD = CISO.flatMap((word) =>
  word === "--no-prompt" ? [word, "--allow-run=zstd"] : [word]
);

/** Runs ciso, which must go well, and gives what it says. */
export async function made(...args: string[]): Promise<string> {
  const { code, stderr } = await ciso(args, { command: WITH_ZSTD });
  assert.equal(code, 0, stderr);
  return stderr;
}

/** Runs ciso, which must fail in one line, and gives that. */
export async function failed(...args: string[]): Promise<string> {
  await using work = await temporary();
  const out = `${work.path}/out.isoc`;
  const { code, stdout, stderr } = await ciso([...args, "-o", out], {
    command: WITH_ZSTD,
    env: { TMPDIR: work.path },
  });
  assert.equal(stdout, "");
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^ciso: .*\n$/);
  assert.deepEqual([...Deno.readDirSync(work.path)], [], "Something is left");
  return stderr.slice("ciso: ".length, -1);
}

/** JSON of which the test knows what is in it. */
// deno-lint-ignore no-explicit-any
export type Loose = any;

/** The image config of an isoc, or its OCI image manifest. */
export async function document(
  archive: string,
  which: "docker" | "oci",
): Promise<Loose> {
  const read = async (path: string) =>
    JSON.parse(await run("tar", ["-xOf", archive, path]));
  if (which === "docker") {
    const [entry] = await read("manifest.json");
    return await read(entry.Config);
  }
  const { manifests } = await read("index.json");
  return await read(`blobs/${manifests[0].digest.replace(":", "/")}`);
}
