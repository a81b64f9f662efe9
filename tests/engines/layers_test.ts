import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { buildLayers } from "../../lib/build/build.ts";
import type { Isoc } from "../../lib/build/isoc.ts";
import type { LayerInput, Spool } from "../../lib/rootfs/layer_stack.ts";
import { ciso, ROOT, temporary } from "../support/ciso.ts";
import type { Docker } from "../support/dockerd.ts";
import { dockerForAll, ignoreTrees } from "../support/every_engine.ts";
import { isInstalled, run } from "../support/run.ts";
import { broken } from "../support/verify.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { normalizePath } from "../../lib/tar/path.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";
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

const STACKS = `${import.meta.dirname}/../support/layer_stacks.py`;

/** How many random stacks are tried, and what they are made from. */
const COUNT = Number(Deno.env.get("CISO_STACKS") ?? 150);
const SEED = Deno.env.get("CISO_SEED") ?? "2015";

const inMemory: Spool = async (chunks) => {
  const parts: BlobPart[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Blob(parts);
};

/** Builds an archive of layers into a file. */
async function buildStack(
  layers: Uint8Array[],
  path: string,
  options: Partial<LayerInput> = {},
): Promise<Isoc> {
  const inputs = layers.map((bytes, i) => ({
    ...options,
    source: new Blob([bytes as Uint8Array<ArrayBuffer>]),
    name: `${i + 1}.tar`,
  }));
  const isoc = await buildLayers(
    inputs,
    { names: ["isoc/stack"], command: ["/bin/true"], created: 0 },
    inMemory,
  );
  if (path === "/dev/null") return isoc;
  await Deno.writeFile(path, isoc.stream());
  assert.equal((await Deno.stat(path)).size, isoc.size);
  return isoc;
}

/** Builds a stack as it must not be built, and gives the message. */
async function refusal(layers: TarEntry[][]): Promise<string> {
  try {
    await buildStack(layers.map(tarOf), "/dev/null");
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  throw new Error("It was built");
}

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

const directory = (name: string, mode = 0o755, owner = 0): TarEntry => ({
  name,
  type: "5",
  mode,
  uid: owner,
  gid: owner,
});
const file = (name: string, data = name, mode = 0o644): TarEntry => ({
  name,
  data,
  mode,
});
const symlink = (name: string, link: string): TarEntry => ({
  name,
  type: "2",
  link,
  mode: 0o777,
});
const hardLink = (name: string, link: string): TarEntry => ({
  name,
  type: "1",
  link,
});
const device = (name: string, major: number, minor: number): TarEntry => ({
  name,
  type: "3",
  device: [major, minor],
});
const whiteout = (name: string): TarEntry => ({ name, data: "", mode: 0 });

/** A merged /usr, as all distributions have it now. */
const MERGED = [
  directory("usr/"),
  directory("usr/bin/"),
  file("usr/bin/a", "a", 0o755),
  symlink("bin", "usr/bin"),
];

/** Stacks of layers, what paths they come to, and why a layer is changed. */
const CASES: Record<string, {
  layers: TarEntry[][];
  paths: string;
  /** The reasons, with blanks between them. */
  changed?: string;
  /** umoci refuses the input, or goes by the order of its entries. */
  notLikeUmoci?: boolean;
}> = {
  "a replaced file": {
    layers: [[file("f", "old, and longer"), file("g")], [file("f", "new")]],
    paths: "f g",
  },
  "a deleted file": {
    layers: [[file("f"), file("g")], [whiteout(".wh.f")]],
    paths: "g",
  },
  "a deleted directory with all that is in it": {
    layers: [
      [
        directory("d/"),
        directory("d/s/"),
        file("d/s/x"),
        file("d/y"),
        file("z"),
      ],
      [whiteout(".wh.d")],
    ],
    paths: "z",
  },
  "an opaque directory": {
    layers: [
      [directory("d/"), directory("d/s/"), file("d/s/x"), file("d/y")],
      [directory("d/", 0o711), whiteout("d/.wh..wh..opq"), file("d/new")],
    ],
    paths: "d d/new",
  },
  "an opaque marker after new files": {
    layers: [
      [directory("d/"), file("d/y")],
      [directory("d/"), file("d/new"), whiteout("d/.wh..wh..opq")],
    ],
    paths: "d d/new",
  },
  "one of two hard links deleted": {
    layers: [
      [file("a", "shared"), hardLink("b", "a"), hardLink("c", "a")],
      [whiteout(".wh.a")],
    ],
    paths: "b c",
  },
  "one of two hard links replaced": {
    layers: [
      [file("a", "shared"), hardLink("b", "a"), hardLink("c", "b")],
      [file("b", "alone")],
      [file("a", "too")],
    ],
    paths: "a b c",
  },
  "a directory replaced by a file and back": {
    layers: [
      [directory("d/"), file("d/x")],
      [file("d", "file")],
      [directory("d/"), file("d/y")],
    ],
    paths: "d d/y",
  },
  "a directory replaced by a symlink": {
    layers: [
      [directory("d/"), file("d/x"), directory("e/"), file("e/y")],
      [symlink("d", "e")],
    ],
    paths: "d e e/y",
  },
  "another mode and owner of a directory": {
    layers: [
      [directory("d/"), file("d/x"), directory("d/e/"), file("d/e/y")],
      [directory("d/", 0o2770, 5)],
    ],
    paths: "d d/e d/e/y d/x",
  },
  "another mode and owner of a directory, in a layer with no more": {
    layers: [[directory("d/", 0o700, 1)], [directory("d/", 0o1777, 2)], [
      file("z"),
    ]],
    paths: "d z",
  },
  "files below a symlink to a directory": {
    layers: [MERGED, [
      file("bin/b"),
      file("bin/c"),
      hardLink("bin/d", "bin/b"),
    ]],
    paths: "bin usr usr/bin usr/bin/a usr/bin/b usr/bin/c usr/bin/d",
    changed: "moved-entries",
  },
  "files below a symlink, in a directory without an entry": {
    layers: [
      [directory("a/"), directory("c/"), symlink("a/b", "../c")],
      [file("a/b/new")],
    ],
    paths: "a a/b c c/new",
    changed: "moved-entries",
  },
  "files below a chain of symlinks": {
    layers: [
      [directory("a/"), directory("a/b/"), symlink("l", "m"), file("a/b/c")],
      [symlink("m", "a/../a")],
      [file("l/b/d"), directory("l/b/e/"), whiteout("l/b/.wh.c")],
    ],
    paths: "a a/b a/b/d a/b/e l m",
    changed: "moved-entries",
  },
  "a deletion below a symlink": {
    layers: [MERGED, [whiteout("bin/.wh.a"), file("bin/b")]],
    paths: "bin usr usr/bin usr/bin/b",
    changed: "moved-entries",
  },
  "a directory in place of a symlink": {
    layers: [MERGED, [directory("bin/", 0o711), file("bin/b")]],
    paths: "bin bin/b usr usr/bin usr/bin/a",
  },
  "a symlink deleted, and files where it was": {
    layers: [MERGED, [whiteout(".wh.bin"), file("bin/b")]],
    paths: "bin bin/b usr usr/bin usr/bin/a",
    changed: "whiteouts missing-directories",
  },
  "a layer's own symlink to a lower directory": {
    layers: [
      MERGED,
      [symlink("sbin", "usr/bin"), file("sbin/b"), hardLink("c", "sbin/b")],
    ],
    paths: "bin c sbin usr usr/bin usr/bin/a usr/bin/b",
    changed: "moved-entries",
  },
  "an empty layer between two, twice": {
    layers: [[file("a")], [], [file("b")], []],
    paths: "a b",
  },
  "the same layer twice": {
    layers: [[file("a"), directory("d/")], [whiteout(".wh.a")], [
      file("a"),
      directory("d/"),
    ]],
    paths: "a d",
  },
  "a directory deleted and made anew": {
    layers: [
      [directory("d/", 0o700), file("d/old"), directory("d/s/"), file("d/s/x")],
      [whiteout(".wh.d"), directory("d/"), file("d/new")],
    ],
    paths: "d d/new",
    changed: "whiteouts",
  },
  "a directory deleted and made anew without an entry": {
    layers: [
      [directory("d/", 0o700), file("d/old")],
      [whiteout(".wh.d"), file("d/new")],
    ],
    paths: "d d/new",
    changed: "whiteouts missing-directories",
  },
  "deletions after what takes their place": {
    layers: [
      [directory("d/", 0o700), file("d/old"), file("f", "old")],
      [file("d/new"), file("f", "new"), whiteout(".wh.f"), whiteout(".wh.d")],
    ],
    paths: "d d/new f",
    changed: "whiteouts",
    notLikeUmoci: true,
  },
  "deletions of overlayfs": {
    layers: [
      [directory("d/"), file("d/x"), directory("e/"), file("e/y"), file("f")],
      [device("f", 0, 0), device("d", 0, 0), {
        ...directory("e/"),
        pax: [["SCHILY.xattr.trusted.overlay.opaque", "y"]],
      }],
    ],
    paths: "e",
    changed: "overlay-whiteouts overlay-attributes",
    notLikeUmoci: true,
  },
  "a deletion below a new file, before and after it": {
    layers: [
      [directory("d/"), file("d/x"), directory("e/"), file("e/y")],
      [
        file("d", "file"),
        whiteout("d/.wh.x"),
        whiteout("e/.wh.y"),
        file("e", "file"),
      ],
    ],
    paths: "d e",
    changed: "whiteouts",
    notLikeUmoci: true,
  },
  "deletions of what is not there": {
    layers: [
      [directory("d/"), file("d/f")],
      [whiteout(".wh.x"), whiteout("q/.wh.y"), whiteout("d/.wh.z")],
    ],
    paths: "d d/f q",
    changed: "whiteouts missing-directories",
    // umoci leaves out the directory q.
    notLikeUmoci: true,
  },
  "deletions in the lowest layer": {
    layers: [[file("a"), whiteout(".wh.b"), whiteout("q/.wh.c")], [file("d")]],
    paths: "a d q",
    changed: "whiteouts missing-directories",
    notLikeUmoci: true,
  },
  "a directory over a deleted file, its entry last": {
    layers: [
      [file("d", "file")],
      [whiteout(".wh.d"), file("d/new"), directory("d/", 0o711)],
    ],
    paths: "d d/new",
    changed: "whiteouts",
  },
  "a hard link to a symlink, its first path deleted": {
    layers: [
      [symlink("s", "x"), { ...hardLink("t", "s"), mode: 0o777 }, file("x")],
      [whiteout(".wh.s")],
    ],
    paths: "t x",
  },
  "directories without entries": {
    layers: [
      [
        directory("tmp/", 0o1777, 7),
        directory("own/", 0o2750, 8),
        file("own/f"),
      ],
      [file("tmp/x"), file("own/g"), file("new/er/h")],
    ],
    paths: "new new/er new/er/h own own/f own/g tmp tmp/x",
    changed: "missing-directories",
  },
  "an opaque marker in a directory without an entry": {
    layers: [
      [directory("own/", 0o2750, 8), file("own/f")],
      [whiteout("own/.wh..wh..opq"), file("own/g")],
    ],
    paths: "own own/g",
    changed: "missing-directories",
  },
  "names that are no UTF-8, and long ones": {
    layers: [
      [
        directory("caf\xe9/"),
        file("caf\xe9/\xff"),
        file("caf\xe9/gone"),
        {
          ...file("long"),
          longName: `caf\xe9/${"l".repeat(200)}`,
          dialect: "gnu",
        },
      ],
      [
        file("caf\xe9/\xff", "new"),
        whiteout("caf\xe9/.wh.gone"),
        {
          ...whiteout("x"),
          pax: [["path", `caf\xe9/.wh.${"l".repeat(200)}`]],
        },
      ],
    ],
    paths: "caf\xe9 caf\xe9/\xff",
  },
  "types that Docker refuses": {
    layers: [
      [file("a"), { ...file("b"), type: "7" }],
      [{ ...file("a", "new"), type: "7" }],
    ],
    paths: "a b",
    changed: "entry-types",
    notLikeUmoci: true,
  },
};

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

Deno.test("buildLayers() refuses what no two engines take alike", async () => {
  const lower = [directory("d/"), file("f")];
  assert.equal(
    await refusal([lower, [hardLink("g", "f")]]),
    '2.tar: Entry "g": It is a hard link to "f", which only a lower layer ' +
      "has: Docker cannot link to that; put the file itself here",
  );
  assert.equal(
    await refusal([lower, [file("f/x")]]),
    '2.tar: Entry "f/x": "f" is above it and is no directory in the ' +
      "layers below; put an entry for the directory before it",
  );
  assert.equal(
    await refusal([lower, [whiteout(".wh..wh..opq")]]),
    '2.tar: Entry ".wh..wh..opq": It deletes all that lower layers have, ' +
      "which Docker does not do; delete each path, or build an image of this " +
      "layer alone",
  );
  assert.equal(
    await refusal([lower, [whiteout("d/.wh.")]]),
    '2.tar: Entry "d/.wh.": It is a whiteout that names no file; remove it',
  );
  assert.match(
    await refusal([lower, [directory(".wh.d/"), file(".wh.d/x")]]),
    /^2.tar: Entry ".wh.d\/x": Docker, podman and containerd take a name/,
  );
  assert.match(
    await refusal([
      [symlink("a", "b"), symlink("b", "a")],
      [file("a/x")],
    ]),
    /^2.tar: Entry "a\/x": .*loop/,
  );
  assert.match(
    await refusal([lower, [file("f"), directory("f/")]]),
    /^2.tar: Entry "f\/": The path is a directory and something else/,
  );
  await assert.rejects(
    buildStack([tarOf(lower), new Uint8Array(1000).fill(1)], "/dev/null"),
    new InputError(
      "2.tar: The input is not a tar archive: give a tar or a directory",
    ),
  );
  await assert.rejects(
    buildStack([tarOf(lower), tarOf(lower).subarray(0, 900)], "/dev/null"),
    /^InputError: 2.tar: The input is cut short/,
  );
});

Deno.test("buildLayers() refuses a layer that its image does not know", async () => {
  await assert.rejects(
    buildStack([tarOf([file("a")])], "/dev/null", { diffId: "0".repeat(64) }),
    /^InputError: It is damaged: its digest is sha256:[0-9a-f]{64}, but the image says sha256:0{64}; fetch the image again$/,
  );
});

Deno.test("buildLayers() leaves an image's layer as it is, with a note", async () => {
  const layers = [
    [directory("tmp/", 0o1777), directory("own/", 0o700)],
    [file("tmp/x"), file("own/y")],
  ].map(tarOf);
  const isoc = await buildStack(layers, "/dev/null", { fromImage: true });
  assert.deepEqual([...isoc.layers[1]!.changes], []);
  assert.ok(
    isoc.notes.includes(
      '2.tar has no entry for the directory "tmp" and 1 more: Docker gives ' +
        "it mode 0755 and owner root, other engines keep what lower layers say",
    ),
    isoc.notes.join("\n"),
  );
});
