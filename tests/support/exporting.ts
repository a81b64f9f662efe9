// Archives that the tests of ciso export share, and what they do with them.

import assert from "node:assert/strict";
import { ciso, type Result, ROOT, shell, temporary } from "./ciso.ts";
import { run } from "./run.ts";
import { isocOf2015 } from "./script_2015.ts";

export const TEXT = "make container not war";

export const COMMAND = ["/bin/echo", ...TEXT.split(" ")];

export const FACES = [
  "docker",
  "oci",
  "docker-v1",
  "appc",
  "bundle",
  "lxd",
  "rootfs",
];

const EPOCH = { SOURCE_DATE_EPOCH: "1433664550" };

export const isRoot = Deno.uid() === 0;

export const work = await Deno.makeTempDir({ prefix: "isoc-export-test-" });

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

export const rootfs = `${work}/input.tar`;

await run(`${ROOT}/scripts/rootfs`, ["busybox", rootfs]);

/** An archive, and what an engine calls its image. */
interface Sample {
  what: string;
  isoc: string;
  names: string[];
}

export const modern: Sample = {
  what: "an isoc of ciso",
  isoc: `${work}/modern.isoc`,
  names: ["isoc/hello:1.0", "other:latest"],
};

export const old: Sample = {
  what: "an isoc of 2015",
  isoc: `${work}/2015.isoc`,
  names: ["isoc/hello:latest"],
};

export const SAMPLES = [modern, old];

await build([rootfs, "-t", "isoc/hello:1.0", "-t", "other"], modern.isoc);

await isocOf2015(rootfs, old.isoc, "isoc/hello", COMMAND);

/** Makes an isoc with the command line tool. */
export async function build(args: string[], isoc: string): Promise<void> {
  assertSucceeded(
    await ciso(["-q", ...args, "-o", isoc, "--", ...COMMAND], { env: EPOCH }),
  );
}

export function assertSucceeded({ code, stderr }: Result): void {
  assert.equal(stderr, "");
  assert.equal(code, 0);
}

/** Asserts an error: exit code, one line on standard error, and no output. */
export function assertRefused(result: Result, line: RegExp, code = 1): void {
  const [first = "", ...others] = result.stderr.trimEnd().split("\n");
  assert.match(first, line);
  assert.match(first, /^ciso: /);
  assert.deepEqual(
    others,
    code === 2 ? ["Try 'ciso export --help' for more."] : [],
  );
  assert.equal(result.code, code);
  assert.equal(result.stdout, "");
}

/** Exports to a new file. */
export async function exported(
  isoc: string,
  face: string,
  name = `${face}.tar`,
): Promise<string> {
  const file = `${work}/${name}`;
  assertSucceeded(await ciso(["export", isoc, "--as", face, "-o", file]));
  return file;
}

/** Exports from a pipe to a pipe, which ends in a line of bash. */
export async function piped(
  { isoc }: Pick<Sample, "isoc">,
  face: string,
  line: string,
  env: Record<string, string> = {},
): Promise<string> {
  const result = await shell(
    `cat "$ISOC" | "$@" | ${line}`,
    ["export", "--as", face],
    { env: { ...env, ISOC: isoc } },
  );
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

/** Names in a tar, without those below `rootfs/` and with IDs folded. */
export async function names(file: string): Promise<string[]> {
  const all = (await run("tar", ["-tf", file])).trim().split("\n");
  return all.filter((name) => !/^rootfs\/(?!VERSION|json|layer)./.test(name))
    .map((name) => name.replaceAll(/[0-9a-f]{64}/g, "ID")).sort();
}

export async function readJson(file: string, name: string) {
  return JSON.parse(await run("tar", ["-xOf", file, name]));
}

export async function digest(file: string): Promise<string> {
  return (await run("sha256sum", [file])).slice(0, 64);
}

/** Packs an archive's entries anew, in another order. */
export async function repacked(isoc: string, order: string[]): Promise<string> {
  await using folder = await temporary();
  const file = `${work}/repacked.isoc`;
  await run("tar", ["-xpf", isoc, "-C", folder.path]);
  const there = [];
  for (const name of order) {
    if (await run("ls", ["-d", `${folder.path}/${name}`]).catch(() => "")) {
      there.push(name);
    }
  }
  await run("tar", [
    ...["-C", folder.path, "--sort=name", "--numeric-owner", "-cf", file],
    ...there,
  ]);
  return file;
}

export const LATE = [
  "rootfs",
  "blobs",
  "config.json",
  "manifest",
  "metadata.yaml",
  "manifest.json",
  "oci-layout",
  "index.json",
  "repositories",
];

const BLOBS = ["blobs/", "blobs/sha256/", "blobs/sha256/ID", "blobs/sha256/ID"];

export const ENTRIES: Record<string, string[]> = {
  docker: [...BLOBS, "manifest.json"],
  oci: [
    ...BLOBS,
    "blobs/sha256/ID",
    "index.json",
    "manifest.json",
    "oci-layout",
  ],
  "docker-v1": ["ID/", "ID/VERSION", "ID/json", "ID/layer.tar", "repositories"],
  appc: ["manifest", "rootfs/"],
  bundle: ["config.json", "rootfs/"],
  lxd: ["config.json", "metadata.yaml", "rootfs/"],
};
