// Stacks of layers: each engine makes of an isoc the tree that umoci makes of the
// layers.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { InputError } from "../../lib/errors/input_error.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { normalizePath } from "../../lib/tar/path.ts";
import { buildStack } from "../support/build_stack.ts";
import { ciso, ROOT, temporary } from "../support/ciso.ts";
import type { Docker } from "../support/dockerd.ts";
import { dockerForAll, ignoreTrees } from "../support/every_engine.ts";
import { CASES } from "../support/layer_cases.ts";
import { isInstalled, run } from "../support/run.ts";
import { directory } from "../support/stack_entries.ts";
import { tarOf } from "../support/tar_writer.ts";
import {
  appcTree,
  bundleTree,
  diffTrees,
  dockerTree,
  extractBundle,
  extractGnu,
  listTree,
  LOSSES,
  type Tree,
  type TreeOptions,
  umociTree,
} from "../support/tree.ts";
import { broken } from "../support/verify.ts";

const STACKS = `${import.meta.dirname}/../support/layer_stacks.py`;

/** How many random stacks are tried, and what they are made from. */
const COUNT = Number(Deno.env.get("CISO_STACKS") ?? 150);
const SEED = Deno.env.get("CISO_SEED") ?? "2015";

/** Checks that every engine makes the same tree of an archive. */
async function checkEngines(
  t: Deno.TestContext,
  archive: string,
  docker: Docker,
  reference: string,
  extra: TreeOptions = {},
): Promise<void> {
  const engines = {
    bundle: (options: TreeOptions) => bundleTree(archive, options),
    appc: (options: TreeOptions) => appcTree(archive, options),
    umoci: (options: TreeOptions) => umociTree(archive, options),
    docker: (options: TreeOptions) => dockerTree(archive, docker.host, options),
  };
  for (const [name, list] of Object.entries(engines)) {
    const losses: TreeOptions = LOSSES[name as keyof typeof engines];
    const options = { ...losses, ...extra, bare: ["."] };
    await t.step({
      name,
      ignore: name === "docker" && docker.reason !== undefined,
      async fn() {
        const wanted = await listTree(reference, options);
        assert.ok(wanted.includes("\n"), "There is nothing to compare");
        assert.equal(
          diffTrees(wanted, await list(options), ["layers", name]),
          "",
        );
      },
    });
  }
}

/** Makes the tree of layers with umoci, without ciso. */
async function umociOfLayers(layers: Uint8Array[]): Promise<Tree> {
  const work = await temporary();
  const image = `${work.path}/image`;
  await run("umoci", ["init", "--layout", image]);
  await run("umoci", ["new", "--image", `${image}:x`]);
  for (const [i, bytes] of layers.entries()) {
    const layer = `${work.path}/${i}.tar`;
    await Deno.writeFile(layer, bytes);
    await run("umoci", ["raw", "add-layer", "--image", `${image}:x`, layer]);
  }
  const root = `${work.path}/root`;
  await run("umoci", ["raw", "unpack", "--image", `${image}:x`, root]);
  return { ...work, root };
}

for (const [name, stack] of Object.entries(CASES)) {
  Deno.test(`buildLayers() takes ${name}`, async () => {
    await using work = await temporary();
    const archive = `${work.path}/stack.isoc`;
    const layers = stack.layers.map(tarOf);
    const isoc = await buildStack(layers, archive);
    assert.equal(await pathsOf(archive), stack.paths);
    const changes = isoc.layers.flatMap(({ changes }) => [...changes.keys()]);
    assert.deepEqual(
      [...new Set(changes)],
      stack.changed?.split(" ") ?? [],
    );
    for (const [i, { digest, changes }] of isoc.layers.entries()) {
      const input = createHash("sha256").update(layers[i]!).digest("hex");
      assert.equal(digest === input, changes.size === 0);
    }
  });
}

/** The paths below rootfs/ of an archive, sorted. */
async function pathsOf(archive: string): Promise<string> {
  const paths: string[] = [];
  const { readable } = await Deno.open(archive);
  for await (const { entry } of entriesOf(readable)) {
    const path = binary(normalizePath(entry.path));
    if (path.startsWith("rootfs/")) paths.push(path.slice("rootfs/".length));
  }
  assert.equal(new Set(paths).size, paths.length, "A path comes twice");
  return paths.sort().join(" ");
}

/** The layers of several cases in one stack, each case in a directory. */
function together(cases: typeof CASES[string][]): Uint8Array[] {
  const height = Math.max(...cases.map(({ layers }) => layers.length));
  return Array.from(
    { length: height },
    (_, i) =>
      tarOf(cases.flatMap(({ layers }, n) => {
        const inside = (path: string) => `${n}/${path}`;
        const entries = (layers[i] ?? []).map((entry) => ({
          ...entry,
          name: inside(entry.name),
          ...(entry.type === "1" && { link: inside(entry.link!) }),
          ...(entry.longName && { longName: inside(entry.longName) }),
          ...(entry.pax && {
            pax: entry.pax.map(([key, value]): [string, string] => [
              key,
              inside(value),
            ]),
          }),
        }));
        return i === 0 ? [directory(`${n}/`), ...entries] : entries;
      })),
  );
}

Deno.test({
  name: "buildLayers() makes what every engine takes for the same tree",
  ignore: ignoreTrees,
  async fn(t) {
    await using docker = await dockerForAll();
    await using work = await temporary();
    const archive = `${work.path}/stack.isoc`;
    // Directories that had no entry get a new time in some engines.
    const options = { noMtimeOfDirs: true };
    const all = Object.values(CASES);

    await t.step("as umoci does of the layers", async (t) => {
      const layers = together(all.filter((stack) => !stack.notLikeUmoci));
      await buildStack(layers, archive);
      await using reference = await umociOfLayers(layers);
      await checkEngines(t, archive, docker, reference.root, options);
    });
    await t.step("where umoci differs", async (t) => {
      await buildStack(
        together(all.filter((stack) => stack.notLikeUmoci)),
        archive,
      );
      await using reference = await extractBundle(archive);
      await checkEngines(t, archive, docker, reference.root, options);
    });
    for (const [program, kind] of [["busybox"], ["debootstrap", "debian"]]) {
      await t.step({
        name: `a real ${kind ?? program} and changes to it`,
        ignore: !isInstalled(program!),
        async fn(t) {
          const base = `${work.path}/base.tar`;
          await run(`${ROOT}/scripts/rootfs`, [kind ?? program!, base]);
          await using changed = await changedLayers(base);
          const args = changed.layers.flatMap((layer) => ["--layer", layer]);
          const { code, stderr } = await ciso(
            [...args, "-t", "isoc/real", "-o", archive, "-v", "--", "sh"],
          );
          assert.equal(code, 0, stderr);
          // What the kernel's own overlay writes needs no change.
          const kept = stderr.match(/is the input, byte for byte/g);
          assert.equal(kept?.length, 4, stderr);
          await checkEngines(t, archive, docker, changed.root, {
            noXattr: ["trusted.overlay.*"],
            // One of the layers is in GNU's format.
            noNs: true,
          });
        },
      });
    }
    await t.step("random stacks", async (t) => {
      const folder = `${work.path}/random`;
      await Deno.mkdir(folder);
      await run("python3", [STACKS, "make", folder, SEED, "8", "80"]);
      for (let n = 0; n < 8; n++) {
        const layers = await layersOf(`${folder}/${n}`);
        try {
          await buildStack(layers, archive);
        } catch (error) {
          if (error instanceof InputError) continue;
          throw error;
        }
        await using reference = await extractBundle(archive);
        await checkEngines(t, archive, docker, reference.root, {
          ...options,
          noLinksOfSymlinks: true,
        });
      }
    });
  },
});

/** What is done to a root file system, one layer after the other. */
const CHANGES = [
  `
    mkdir -p opt/app/conf; echo 1 >opt/app/conf/one; echo 2 >opt/app/conf/two
    ln opt/app/conf/one opt/app/linked; ln -s conf opt/app/link
    echo 'root:x:0:0::/:/bin/sh' >etc/passwd
    rm etc/group; chmod 711 etc; chown 7:8 opt/app
    mkfifo opt/app/pipe; mknod opt/app/null c 1 3; touch tmp/file
    cp bin/sh opt/app/sh; truncate -s 1M opt/app/holes; printf x >>opt/app/holes
  `,
  `
    rm -r opt/app/conf; mkdir opt/app/conf; echo 3 >opt/app/conf/three
    rm opt/app/linked opt/app/link; mkdir opt/app/link; touch opt/app/link/file
    rm -r opt/app/pipe; ln -s / opt/app/pipe
    chmod 1777 opt
  `,
  `
    rm -r opt/app/link; echo file >opt/app/link; rm -rf usr/share/doc var/log
    mkdir -p opt/app/deep/er; touch opt/app/deep/er/file; rm opt/app/sh
    touch -d @86400 opt/app/deep
  `,
];

/**
 * Makes layers of changes to a root file system by the kernel's overlay.
 *
 * @returns The layers, lowest first, and the root of the tree they make.
 */
async function changedLayers(
  base: string,
): Promise<Tree & { layers: string[] }> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporary());
  const lowest = await extractGnu(base);
  stack.use(lowest);
  const mounted = async (lower: string[], upper?: string) => {
    const root = await Deno.makeTempDir({ dir: folder });
    let options = `lowerdir=${lower.join(":")},redirect_dir=off`;
    if (upper) {
      const work = await Deno.makeTempDir({ dir: folder });
      options += `,metacopy=off,upperdir=${upper},workdir=${work}`;
    }
    await run("mount", ["-t", "overlay", "-o", options, "overlay", root]);
    return {
      root,
      [Symbol.asyncDispose]: async () => void await run("umount", [root]),
    };
  };
  const layers = [base];
  let lower = [lowest.root];
  for (const [i, script] of CHANGES.entries()) {
    const upper = await Deno.makeTempDir({ dir: folder });
    await Deno.chmod(upper, 0o755);
    {
      await using merged = await mounted(lower, upper);
      await run("sh", ["-ec", `cd "$0"; ${script}`, merged.root]);
    }
    // The mount needs the kernel's own notes of what is deleted.
    const copy = `${folder}/copy-${i}`;
    await run("cp", ["-a", upper, copy]);
    const layer = `${folder}/layer-${i}.tar`;
    const format = i === 1 ? "gnu" : "pax";
    await run("python3", [
      `${import.meta.dirname}/../support/overlay_layer.py`,
      copy,
      layer,
      `--format=${format}`,
    ]);
    layers.push(layer);
    lower = [upper, ...lower];
  }
  const merged = await mounted(lower);
  stack.use(merged);
  const owned = stack.move();
  return {
    root: merged.root,
    layers,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The layers that tests/support/layer_stacks.py wrote. */
async function layersOf(folder: string): Promise<Uint8Array[]> {
  const layers = [];
  for (let i = 1;; i++) {
    try {
      layers.push(await Deno.readFile(`${folder}/${i}.tar`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return layers;
      throw error;
    }
  }
}

Deno.test({
  name: `buildLayers() makes the right tree of ${COUNT} random stacks`,
  ignore: !isInstalled("python3"),
  async fn() {
    await using work = await temporary();
    const folder = work.path;
    await run("python3", [STACKS, "make", folder, SEED, String(COUNT)]);
    for (let n = 0; n < COUNT; n++) {
      const stack = `${folder}/${n}`;
      try {
        await buildStack(await layersOf(stack), `${stack}/image.isoc`);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        await Deno.writeTextFile(`${stack}/refused`, error.message);
        continue;
      }
      // ciso verify applies the layers by code of its own.
      const isoc = await Deno.readFile(`${stack}/image.isoc`);
      assert.deepEqual(await broken(isoc), [], `${SEED}, stack ${n}`);
    }
    let said;
    try {
      said = await run("python3", [STACKS, "check", folder]);
    } catch (error) {
      throw new Error(`Seed ${SEED}: ${(error as Error).message}`);
    }
    const [, trees] = /^(\d+) trees, \d+ refused\n$/.exec(said) ?? [];
    assert.ok(Number(trees) > COUNT * 0.8, said);
  },
});
