// A small rootfs, and what tests of the command line ask of what is made of it.

import assert from "node:assert/strict";
import type { Result } from "./ciso.ts";
import { run } from "./run.ts";

export const IMAGE = ["-t", "isoc/hello", "--", "/bin/sh"];

export const linux = Deno.build.os === "linux";

/** Whether tests that need root's rights can run. */
export const isRoot = Deno.uid() === 0;

/** Names and types of the small rootfs, as its tar has them. */
export const NAMES = [
  "./",
  "./bin/",
  "./bin/sh",
  "./data",
  "./etc/",
  "./etc/hosts",
];

export const work = await Deno.makeTempDir({ prefix: "isoc-cli-test-" });

export const rootfs = `${work}/rootfs.tar`;

await makeRootfs();

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

/** A small tree whose /bin/sh is this machine's, so that no note is due. */
async function makeRootfs() {
  const tree = `${work}/tree`;
  await Deno.mkdir(`${tree}/bin`, { recursive: true });
  await Deno.mkdir(`${tree}/etc`);
  await Deno.copyFile("/bin/sh", `${tree}/bin/sh`);
  // More than a pipe holds, and than is read at once.
  await Deno.writeFile(`${tree}/data`, new Uint8Array(1 << 21));
  await Deno.writeTextFile(`${tree}/etc/hosts`, "127.0.0.1 localhost\n");
  await run("tar", ["--sort=name", "-C", tree, "-cf", rootfs, "."]);
}

/** A tar with one file of zeros, which takes no room on most disks. */
export async function makeLargeRootfs(path: string, size: number) {
  await using file = await Deno.open(path, {
    read: true,
    write: true,
    create: true,
  });
  await file.truncate(size);
  await run("tar", ["-b", "1", "-cf", `${path}.head`, path]);
  const header = (await Deno.readFile(`${path}.head`)).subarray(0, 512);
  await Deno.remove(`${path}.head`);
  await file.truncate(512 + size + 1024);
  await file.write(header);
}

/** Asserts success and an empty standard error. */
export function assertQuiet({ code, stderr }: Result) {
  assert.equal(stderr, "");
  assert.equal(code, 0);
}

/** Asserts an error: its exit code, and a line on standard error, without a trace. */
export function assertRefused(result: Result, code: number, line: RegExp) {
  assert.match(result.stderr, line);
  assert.match(result.stderr, /^ciso: /);
  assert.doesNotMatch(result.stderr, /^\s+at |Uncaught|\.[jt]s:\d/m);
  assert.equal(result.code, code);
  assert.equal(result.stdout, "");
}

/** Names in an archive, as GNU tar lists them. */
export async function list(archive: string): Promise<string[]> {
  return (await run("tar", ["-tf", archive])).trim().split("\n");
}

/** A JSON document of an archive, as GNU tar reads it. */
export async function readJson(archive: string, name: string) {
  return JSON.parse(await run("tar", ["-xOf", archive, name]));
}

/** The image config of an archive, found by its manifest.json. */
export async function readConfig(archive: string) {
  const [image] = await readJson(archive, "manifest.json");
  return await readJson(archive, image.Config);
}

export async function sha256(path: string): Promise<string> {
  return (await run("sha256sum", [path])).slice(0, 64);
}

/** Names in a directory, hidden ones too. */
export function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Waits until something is so; fails after ten seconds. */
export async function until(what: string, isSo: () => boolean) {
  for (const start = Date.now(); !isSo();) {
    assert.ok(Date.now() - start < 10_000, `${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
