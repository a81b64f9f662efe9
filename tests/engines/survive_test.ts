// Real and odd tars that must come out of every engine as GNU tar extracts them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { build } from "../../lib/build/build.ts";
import { concat } from "../../lib/streams/bytes.ts";
import type { Source } from "../../lib/streams/source.ts";
import { ciso, temporary } from "../support/ciso.ts";
import { startDocker } from "../support/dockerd.ts";
import {
  BLOCK,
  type Case,
  type Engine,
  FILES,
  ODD_TARS,
} from "../support/odd_tars.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { entryOf, type TarEntry, tarOf } from "../support/tar_writer.ts";
import {
  appcTree,
  bundleTree,
  diffTrees,
  dockerTree,
  extractGnu,
  listTree,
  LOSSES,
  type TreeOptions,
  umociTree,
} from "../support/tree.ts";

/** Why trees cannot be compared here, if they cannot. */
const obstacle = Deno.uid() !== 0
  ? "not run by root"
  : ["python3", "tar", "bsdtar", "go", "skopeo", "umoci"]
    .filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (obstacle) console.warn(`Odd tars are not tried in engines: ${obstacle}`);

const ignore = obstacle !== undefined && !required.includes("appc");

const PYTHON = `
import sys, tarfile
with tarfile.open(sys.argv[1], errorlevel=2) as archive:
    for entry in archive:
        print(entry.name.encode("utf-8", "surrogateescape"))
`;

/** What readers complain of in a tar. */
async function complaints(tar: string): Promise<string[]> {
  const found: string[] = [];
  for (
    const [program, ...args] of [
      ["tar", "-tvf", tar],
      ["bsdtar", "-tvf", tar],
      ["python3", "-W", "error", "-c", PYTHON, tar],
    ] as const
  ) {
    const { success, stderr } = await new Deno.Command(program, {
      args,
      env: { LC_ALL: "C.UTF-8" },
    }).output();
    const lines = new TextDecoder().decode(stderr).split("\n").filter(Boolean);
    found.push(...lines, ...success ? [] : [`${program} fails`]);
  }
  return found;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Builds a case's archive, and checks what the build says of it. */
async function buildCase(
  { tar, options, changes = [], notes, check }: Case,
  path: string,
): Promise<string> {
  if (typeof tar === "function") await tar(path);
  else await Deno.writeFile(path, tar);
  const bytes = await Deno.readFile(path);
  const isoc = await build(new Blob([bytes]), {
    names: ["isoc/odd"],
    command: ["/bin/true"],
    created: 0,
  }, options);
  const archive = `${path}.isoc`;
  await Deno.writeFile(archive, isoc.stream());
  assert.equal((await Deno.stat(archive)).size, isoc.size);
  const layer = isoc.layers[0]!;
  assert.deepEqual([...layer.changes.keys()].sort(), changes);
  if (changes.length === 0) assert.equal(layer.digest, sha256(bytes));
  else assert.notEqual(layer.digest, sha256(bytes));
  if (notes) assert.match(isoc.notes.join("\n"), notes);
  // bsdtar says it of each PAX name that is not UTF-8, in the input as well.
  const known = new Set(await complaints(path));
  const more = (await complaints(archive)).filter((line) => !known.has(line));
  assert.deepEqual(more, []);
  await check?.(archive, isoc);
  return archive;
}

Deno.test({
  name: "build() makes an archive that every engine extracts as GNU tar does",
  ignore,
  async fn(t) {
    await using work = await temporary();
    await using docker = await startDocker();
    if (docker.reason) {
      assert.ok(!required.includes("docker"), docker.reason);
      console.warn(`Docker is left out: ${docker.reason}`);
    }
    const engines: Record<
      Engine,
      ((archive: string, options: TreeOptions) => Promise<string>) | undefined
    > = {
      appc: appcTree,
      umoci: umociTree,
      bundle: bundleTree,
      docker: docker.reason === undefined
        ? (archive, options) => dockerTree(archive, docker.host, options)
        : undefined,
    };
    for (const [i, one] of ODD_TARS.entries()) {
      await t.step(one.name, async () => {
        const path = `${work.path}/${i}.tar`;
        const archive = await buildCase(one, path);
        const reference = one.reference ? `${path}.reference` : path;
        if (one.reference) await Deno.writeFile(reference, one.reference);
        await using expected = await extractGnu(reference);
        await Promise.all(
          Object.entries(engines).map(async ([name, list]) => {
            const engine = name as Engine;
            if (!list || one.without?.includes(engine)) return;
            const options = { ...LOSSES[engine], ...one.trees };
            if (one.lateDirectories && engine === "umoci") {
              options.noMtimeOfDirs = true;
            }
            const wanted = await listTree(expected.root, options);
            assert.ok(wanted.trim().split("\n").length >= 4, wanted);
            const found = await list(archive, options);
            assert.equal(diffTrees(wanted, found, ["input", engine]), "");
          }),
        );
        await Deno.remove(archive);
      });
    }
  },
});

Deno.test("build() refuses names of whiteouts unless they are allowed", async () => {
  const tar = tarOf([...FILES, { name: "./d/.wh.b" }]);
  await assert.rejects(
    build(new Blob([tar as Uint8Array<ArrayBuffer>]), IMAGE),
    {
      name: "InputError",
      message: /"\.\/d\/\.wh\.b".*Docker.*rkt.*--allow-whiteouts/,
    },
  );
});

Deno.test({
  name: "ciso notes that a rootfs has files named as Docker's",
  async fn() {
    await using work = await temporary();
    await Deno.writeFile(`${work.path}/in.tar`, tarOf([{ name: "json" }]));
    const { code, stderr } = await ciso([
      ...[`${work.path}/in.tar`, "-o", `${work.path}/out.isoc`, "-t", "isoc/x"],
      ...["--", "/bin/true"],
    ]);
    assert.match(stderr, /^ciso: The rootfs has a \/json of its own/m);
    assert.equal(code, 0);
  },
});

/** Options of {@linkcode build} where they do not matter. */
const IMAGE = { names: ["isoc/odd"], command: ["/bin/true"], created: 0 };

/** A tar with one file of zeros that is nowhere stored. */
function largeSource(header: Uint8Array, size: number): Source {
  const tail = Math.ceil(size / BLOCK) * BLOCK + 2 * BLOCK;
  const total = header.length + tail;
  const part = (start: number, end: number) => ({
    stream: () => {
      let at = start;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= Math.min(end, total)) return controller.close();
          if (at < header.length) {
            controller.enqueue(header.slice(at, end));
            at = Math.min(header.length, end);
            return;
          }
          const length = Math.min(1 << 23, end - at, total - at);
          controller.enqueue(new Uint8Array(length));
          at += length;
        },
      }, { highWaterMark: 0 });
    },
  });
  return { ...part(0, total), slice: part };
}

const HUGE = 8 * 2 ** 30 + 1;
/** {@linkcode HUGE} in GNU's base 256. */
const HUGE_256 = "\x80\0\0\0\0\0\0\x02\0\0\0\x01";

Deno.test({
  name: "build() takes files of more than 8 GiB",
  // It has to read all that is zero: half a minute for each.
  async fn(t) {
    for (
      const [name, entry] of [
        ["base 256", { dialect: "gnu", raw: [[124, HUGE_256]] }],
        ["PAX", { pax: [["size", `${HUGE}`]] }],
      ] as [string, Partial<TarEntry>][]
    ) {
      await t.step(name, async () => {
        const header = entryOf({ name: "huge", ...entry });
        const isoc = await build(largeSource(header, HUGE), IMAGE, {
          faces: ["appc"],
        });
        assert.ok(isoc.size > HUGE && isoc.size < HUGE + 20_000);
        const reader = isoc.stream().getReader();
        let start: Uint8Array = new Uint8Array(0);
        while (start.length < 1 << 16) {
          const { value } = await reader.read();
          start = concat([start, value!.slice(0, 1 << 16)]);
        }
        await reader.cancel();
        // What GNU tar makes of the archive's headers.
        await using work = await temporary();
        const file = `${work.path}/archive.tar`;
        await Deno.writeFile(file, start);
        await Deno.truncate(file, isoc.size);
        const listing = await run("tar", ["--numeric-owner", "-tvf", file]);
        assert.match(listing, new RegExp(` ${HUGE} .* rootfs/huge$`, "m"));
      });
    }
  },
});

Deno.test("PathIndex takes at most 32 bytes an entry", async () => {
  // In a process of its own: here a collector would take other memory away.
  const code = `
    import { NODE, PathIndex } from "${
    import.meta.resolve("../../lib/rootfs/path_index.ts")
  }";
    const before = Deno.memoryUsage().external;
    const index = new PathIndex();
    const encoder = new TextEncoder();
    const path = new Uint8Array(100);
    for (let i = 0; i < 1e6; i++) {
      const { written } = encoder.encodeInto("usr/share/doc/package/" + i, path);
      index.add(path, written, NODE.file, i, i);
    }
    console.log((Deno.memoryUsage().external - before) / index.length);
  `;
  const bytes = Number(await run(Deno.execPath(), ["eval", "--ext=ts", code]));
  assert.ok(bytes > 16 && bytes <= 32, `${bytes} bytes an entry`);
});
