// Directories as inputs, with real files: by the library in this process, and by
// the command line under Deno, Bun and Node.

import assert from "node:assert/strict";
import { concat } from "../../lib/streams/bytes.ts";
import { openDirectory } from "../../lib/directory/open_directory.ts";
import { IgnoreRules } from "../../lib/directory/dockerignore.ts";
import { fromStream, type Source } from "../../lib/streams/source.ts";
import type { WalkOptions } from "../../lib/directory/walk.ts";
import {
  ciso,
  type CisoOptions,
  ROOT,
  shell,
  temporary,
} from "../support/ciso.ts";
import { patchedBytes, patchedThere } from "../support/patchwork.ts";
import { isInstalled, run } from "../support/run.ts";
import { bundleRuntimes } from "../support/runtimes.ts";
import {
  appcTree,
  bundleTree,
  diffTrees,
  extractGnu,
  gnuTree,
  listTree,
  LOSSES,
  umociTree,
} from "../support/tree.ts";

const isRoot = Deno.uid() === 0;
/** Tests of what only root can make or read. */
const ignore = Deno.build.os !== "linux" || !isRoot || !isInstalled("python3");
const IMAGE = ["-t", "isoc/hello", "--created", "0", "-q"];
const COMMAND = ["--", "/bin/sh"];
/** Extended attributes are not compared, all else is. */
const NO_XATTR = { noXattr: ["*"] };

const work = await Deno.makeTempDir({ prefix: "isoc-directory-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
// Others than root must reach what is in there.
await Deno.chmod(work, 0o755);

const CI = Deno.env.get("CI") === "true";

/** Ways to run ciso, with what a directory needs. */
const RUNTIMES = await runtimes();

async function runtimes(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const runtime of await bundleRuntimes(["--allow-run=find"])) {
    if (!runtime.missing) found[runtime.name] = runtime.command;
    else if (CI) throw new Error(`${runtime.name}: ${runtime.missing}`);
  }
  return found;
}

/** A directory for one test, with files by path; a slash makes a directory. */
async function treeOf(files: Record<string, string>) {
  const folder = await temporary();
  const root = `${folder.path}/tree`;
  await Deno.mkdir(root);
  for (const [path, text] of Object.entries(files)) {
    const place = `${root}/${path}`;
    await Deno.mkdir(place.slice(0, place.lastIndexOf("/")), {
      recursive: true,
    });
    if (!path.endsWith("/")) await Deno.writeTextFile(place, text);
  }
  return { ...folder, root };
}

/** Makes tests/support/odd_tree.py's tree; one of its names is not UTF-8. */
async function oddTree(folder: string, allUtf8 = true): Promise<string> {
  const root = `${folder}/odd`;
  await run("python3", [`${import.meta.dirname}/../support/odd_tree.py`, root]);
  if (allUtf8) {
    const time = Deno.statSync(root).mtime!;
    await run("sh", ["-c", `rm "$0"/caf*`, root]);
    await Deno.utime(root, time, time);
  }
  return root;
}

/** All bytes of a source. */
async function bytesOf(source: Pick<Source, "stream">): Promise<Uint8Array> {
  const chunks = [];
  for await (const chunk of fromStream(source.stream())) {
    assert.equal(chunk.length, chunk.buffer.byteLength, "it can be released");
    chunks.push(chunk);
  }
  return concat(chunks);
}

/** Names in the tar of a directory, in its order, as GNU tar gives them. */
async function names(root: string, options?: WalkOptions): Promise<string[]> {
  return await listing(await bytesOf(await openDirectory(root, options)));
}

async function listing(tar: Uint8Array, ...flags: string[]) {
  const file = `${work}/${crypto.randomUUID()}.tar`;
  await Deno.writeFile(file, tar);
  const text = await run(
    "tar",
    [...flags, "--quoting-style=c", "-tf", file],
    { env: { LC_ALL: "C" } },
  );
  await Deno.remove(file);
  return text.trim().split("\n").map((line) => line.replaceAll('"', ""));
}

/** The notes that opening a directory gives. */
async function notesOf(root: string, options: WalkOptions = {}) {
  return (await openDirectory(root, options)).notes;
}

/** Builds a directory with the command line; gives the archive's path. */
async function build(
  root: string,
  { args = [], ...options }: CisoOptions & { args?: string[] } = {},
): Promise<string> {
  const archive = `${work}/${crypto.randomUUID()}.isoc`;
  const result = await ciso(
    [root, ...IMAGE, ...args, "-o", archive, ...COMMAND],
    { command: RUNTIMES.deno!, ...options },
  );
  assert.equal(result.stderr, "");
  assert.equal(result.code, 0);
  return archive;
}

async function sha256(path: string): Promise<string> {
  return (await run("sha256sum", [path])).slice(0, 64);
}

Deno.test("openDirectory() sorts names by their bytes, directories first", async () => {
  const files = {
    "b/x": "",
    "b/y/": "",
    "b-c": "",
    "B": "",
    ".a": "",
    "é": "",
    "\u{ffff}": "",
    // In UTF-16 it comes before the one above.
    "\u{10000}": "",
    "b.c/z": "",
  };
  await using tree = await treeOf(files);
  const expected = [
    ...["./", ".a", "B", "b/", "b/x", "b/y/", "b-c", "b.c/", "b.c/z"],
    ...["\\303\\251", "\\357\\277\\277", "\\360\\220\\200\\200"],
  ];
  // b-c comes before b.c, and b before both: each directory is sorted by itself.
  assert.deepEqual(await names(tree.root), expected);
});

Deno.test("openDirectory() streams the same bytes each time, and slices of them", async () => {
  await using tree = await treeOf({
    "empty": "",
    "block": "b".repeat(512),
    "odd/large": "l".repeat(3_000_001),
    "odd/small": "s",
    [`${"long".repeat(50)}/${"name".repeat(50)}`]: "n".repeat(70_000),
    "z/": "",
  });
  await run("ln", ["-s", "odd/large", `${tree.root}/link`]);
  const input = await openDirectory(tree.root);
  const whole = await bytesOf(input);
  assert.equal(input.size, whole.length);
  assert.deepEqual(await bytesOf(input), whole);
  assert.deepEqual(await bytesOf(await openDirectory(tree.root)), whole);
  assert.deepEqual(patchedBytes(input.patchwork!), whole);
  assert.deepEqual(patchedThere(input.patchwork!), whole);
  const ends = [0, 1, 511, 512, 513, 1024, 2 ** 20 - 1, 2 ** 20 + 512];
  for (let i = 0; i < 200; i++) {
    const start = ends[i] ?? Math.floor(Math.random() * whole.length);
    const end = start + Math.floor(Math.random() ** 8 * whole.length);
    assert.deepEqual(
      await bytesOf(input.slice(start, end)),
      whole.slice(start, end),
      `${start} to ${end}`,
    );
  }
  assert.deepEqual(await bytesOf(input.slice(0, Infinity)), whole);
  assert.equal((await bytesOf(input.slice(whole.length, Infinity))).length, 0);
  assert.deepEqual(
    await bytesOf(input.slice(whole.length - 1030, whole.length - 20)),
    whole.slice(-1030, -20),
  );
});

Deno.test({
  name: "openDirectory() gives the tree that is there, as GNU tar does",
  ignore,
  async fn() {
    await using folder = await temporary();
    const odd = await oddTree(folder.path);
    const bytes = await bytesOf(await openDirectory(odd));
    await Deno.writeFile(`${folder.path}/ours.tar`, bytes);
    const ours = await gnuTree(`${folder.path}/ours.tar`);
    assert.equal(diffTrees(await listTree(odd, NO_XATTR), ours), "");

    // The same entries as well: types, modes, owners, sizes, times, links.
    const gnu = `${folder.path}/gnu.tar`;
    const format = ["--format=pax", "--sort=name", "--numeric-owner"];
    await run("tar", [...format, "-C", odd, "-cf", gnu, "."]);
    const verbose = ["-v", "--numeric-owner", "--full-time"];
    const clean = (lines: string[]) =>
      lines.map((line) =>
        line.replace(/ \.\/(?=.)/, " ").replace(" link to ./", " link to ")
          .replace(/ +/g, " ")
      ).sort();
    assert.deepEqual(
      clean(await listing(bytes, ...verbose)),
      clean(await listing(await Deno.readFile(gnu), ...verbose)),
    );
  },
});

Deno.test({
  name: "openDirectory() follows a symlink to the directory itself",
  async fn() {
    await using tree = await treeOf({ "a/b": "" });
    await Deno.symlink(tree.root, `${tree.path}/link`);
    assert.deepEqual(await names(`${tree.path}/link`), ["./", "a/", "a/b"]);
    assert.deepEqual(await names(`${tree.root}/`), ["./", "a/", "a/b"]);
  },
});

Deno.test("openDirectory() gives all files the owner that its options name", async () => {
  await using tree = await treeOf({ "a/b": "" });
  await Deno.symlink("b", `${tree.root}/a/link`);
  const owner = { uid: 4000000, gid: 7 };
  const tar = await bytesOf(await openDirectory(tree.root, { owner }));
  const lines = await listing(tar, "-v", "--numeric-owner");
  assert.equal(lines.length, 4);
  for (const line of lines) assert.match(line, /^\S+ 4000000\/7 /);
});

Deno.test({
  name: "openDirectory() says whose the tree is unless an owner is given",
  ignore,
  async fn() {
    await using tree = await treeOf({ "a": "" });
    assert.deepEqual(await notesOf(tree.root), []);
    await Deno.chown(tree.root, 1000, 1000);
    const [note] = await notesOf(tree.root);
    assert.match(note!, /belongs to user 1000.* --owner 0:0 /);
    assert.deepEqual(
      await notesOf(tree.root, { owner: { uid: 1, gid: 1 } }),
      [],
    );
  },
});

Deno.test("openDirectory() leaves out what the rules say", async () => {
  await using tree = await treeOf({
    "bin/sh": "",
    "docs/a/x.md": "",
    "docs/a/x.txt": "",
    "docs/b/": "",
    "docs/readme": "",
    "var/cache/x": "",
    "var/log/x.log": "",
    "x.log": "",
  });
  const kept = (...patterns: string[]) =>
    names(tree.root, { ignore: new IgnoreRules(patterns) });
  assert.deepEqual(await kept("docs", "var/cache/*", "*.log"), [
    ...["./", "bin/", "bin/sh", "var/", "var/cache/", "var/log/"],
    "var/log/x.log",
  ]);
  // The directories that lead to an exception come back, with their own modes.
  assert.deepEqual(await kept("*", "!docs/**/*.md"), [
    ...["./", "docs/", "docs/a/", "docs/a/x.md"],
  ]);
  assert.deepEqual(await kept("docs", "!docs/a", "var", "!var/x", "x.log"), [
    ...["./", "bin/", "bin/sh"],
    ...["docs/", "docs/a/", "docs/a/x.md", "docs/a/x.txt"],
  ]);
  assert.deepEqual(await kept("**"), ["./"]);
});

Deno.test("openDirectory() makes a hard link's first path that is kept the file", async () => {
  await using tree = await treeOf({ "a/x": "text" });
  const link = (path: string) =>
    Deno.link(`${tree.root}/a/x`, `${tree.root}/${path}`);
  await link("b");
  await link("c");
  await Deno.link(`${tree.root}/c`, `${tree.path}/outside`);
  const lines = async (options?: WalkOptions) =>
    (await listing(
      await bytesOf(await openDirectory(tree.root, options)),
      "-v",
    )).slice(1).map((line) => line.replace(/^(.).*\d\d:\d\d /, "$1 "));
  assert.deepEqual(await lines(), [
    ...["d a/", "- a/x", "h b link to a/x", "h c link to a/x"],
  ]);
  assert.deepEqual(await lines({ ignore: new IgnoreRules(["a"]) }), [
    ...["- b", "h c link to b"],
  ]);
});

Deno.test({
  name: "openDirectory() leaves sockets out and says so",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using tree = await treeOf({ "a": "" });
    const listen = (path: string) =>
      Deno.listen({ transport: "unix", path: `${tree.root}/${path}` });
    using _one = listen("s.sock");
    const owner = { uid: 0, gid: 0 };
    assert.deepEqual(await notesOf(tree.root, { owner }), [
      'The socket "s.sock" is left out: no archive can hold one',
    ]);
    using _two = listen("t.sock");
    assert.match((await notesOf(tree.root, { owner }))[0]!, /\(and 1 more\)$/);
    assert.deepEqual(await names(tree.root), ["./", "a"]);
    const ignore = new IgnoreRules(["*.sock"]);
    assert.deepEqual(await notesOf(tree.root, { owner, ignore }), []);
  },
});

/** What the other thread of a copy says of whatever is wrong. */
const CANNOT = (error: unknown) => error === "it cannot be read";

Deno.test("openDirectory() fails on a file that changes or vanishes, by name", async () => {
  // Two of them larger than what is read at once.
  const large = "l".repeat(3_000_000);
  const files = { "d/e/": "", "d/f": "text", "d/large": large, "d/g": "text" };
  /** What happens to the tree, and what the error says. */
  const cases: [(root: string) => Promise<unknown> | void, RegExp][] = [
    [(root) => Deno.writeTextFile(`${root}/d/f`, "text2"), /"d\/f" .*changed/],
    [(root) => Deno.writeTextFile(`${root}/d/f`, "other"), /"d\/f" .*changed/],
    [(root) => Deno.truncate(`${root}/d/f`, 0), /"d\/f" .* changed/],
    [(root) => Deno.truncate(`${root}/d/large`, 99), /"d\/large" .* changed/],
    [(root) => Deno.utime(`${root}/d/f`, 1, 1), /"d\/f" .* changed/],
    [(root) => Deno.chmod(`${root}/d/f`, 0o600), /"d\/f" .* changed/],
    [async (root) => {
      await Deno.writeTextFile(`${root}/d/new`, "text");
      await Deno.rename(`${root}/d/new`, `${root}/d/f`);
    }, /"d" .* changed/],
    [(root) => Deno.remove(`${root}/d/f`), /"d" .* changed/],
    [(root) => Deno.remove(`${root}/d/e`), /"d" .* changed/],
    [(root) => Deno.writeTextFile(`${root}/new`, ""), /tree changed/],
    [(root) => Deno.remove(`${root}/d`, { recursive: true }), /tree changed/],
    [async (root) => {
      // So that the directory's times do not show it.
      const { atime, mtime } = await Deno.stat(`${root}/d`);
      await Deno.remove(`${root}/d/f`);
      await Deno.symlink("g", `${root}/d/f`);
      await Deno.utime(`${root}/d`, atime!, mtime!);
    }, /"d(\/f)?" .* changed/],
  ];
  for (const [i, [change, message]] of cases.entries()) {
    await using tree = await treeOf(files);
    // So that times differ, however coarse the file system's clock is.
    await run("find", [
      ...[tree.root, "-exec", "touch", "-h", "-d", "@1000000000", "{}", "+"],
    ]);
    const input = await openDirectory(tree.root);
    await change(tree.root);
    await assert.rejects(bytesOf(input), message, `case ${i}`);
    const work = input.patchwork!;
    assert.throws(() => patchedBytes(work), message, `case ${i}, laid out`);
    assert.throws(() => patchedThere(work), CANNOT, `case ${i}, there`);
  }
});

Deno.test("openDirectory()'s slices fail on a file that is gone or another one", async () => {
  await using tree = await treeOf({ "a": "text", "b": "text" });
  const input = await openDirectory(tree.root);
  const whole = await bytesOf(input);
  await Deno.remove(`${tree.root}/a`);
  await Deno.symlink("b", `${tree.root}/b2`);
  await Deno.rename(`${tree.root}/b2`, `${tree.root}/b`);
  const at = (text: string) => {
    for (let i = 0;; i += 512) if (whole[i] === text.charCodeAt(0)) return i;
  };
  const stretch = (name: string) =>
    bytesOf(input.slice(at(name), at(name) + 2048));
  await assert.rejects(stretch("a"), /"a" in .* vanished .*; try again/);
  await assert.rejects(stretch("b"), /"b" in .* changed .*; try again/);
});

Deno.test("openDirectory() fails on a file that shrinks while it is read", async () => {
  await using tree = await treeOf({ "large": "l".repeat(9_000_000) });
  const input = await openDirectory(tree.root);
  await assert.rejects(async () => {
    let first = true;
    for await (const _ of fromStream(input.stream())) {
      if (first) await Deno.truncate(`${tree.root}/large`, 1_500_000);
      first = false;
    }
  }, /"large" in .* changed while it was read; try again/);
});

Deno.test("openDirectory() refuses an output in the tree", async () => {
  await using tree = await treeOf({ "a/b": "", "out/": "" });
  const open = (output: string | null, ...patterns: string[]) =>
    openDirectory(tree.root, { output, ignore: new IgnoreRules(patterns) });
  await Deno.symlink(`${tree.root}/a`, `${tree.path}/side`);
  await Deno.symlink(`${tree.root}/out/x.isoc`, `${tree.path}/x.isoc`);
  const message = /archive cannot go into .*tree.* --exclude$/;
  for (
    const path of [
      "tree/x",
      "tree/a/x",
      "tree/out/../a/b",
      "side/x",
      "tree/a/b",
    ]
  ) {
    await assert.rejects(open(`${tree.path}/${path}`), message, path);
  }
  await open(`${tree.path}/x`);
  await open(`${tree.path}/tree2/x`);
  await open(null);
  await open("/dev/null");
  await open(`${tree.root}/out/x.isoc`, "out");
  // It leads to a file that is not there yet, beside which nothing is made.
  await open(`${tree.path}/x.isoc`);
  await Deno.writeTextFile(`${tree.root}/out/x.isoc`, "old");
  await assert.rejects(open(`${tree.path}/x.isoc`), message);
  await open(`${tree.path}/x.isoc`, "out");
});

Deno.test("openDirectory() refuses what is no directory", async () => {
  await using tree = await treeOf({ "a": "" });
  await assert.rejects(
    openDirectory(`${tree.root}/none`),
    /^FileError: Cannot read .*tree\/none: no such file or directory$/,
  );
  await assert.rejects(
    openDirectory(`${tree.root}/a`),
    /^FileError: Cannot read .*tree\/a: a part of the path is not a directory$/,
  );
});

Deno.test({
  name: "ciso DIR makes the same bytes on Deno, Bun and Node",
  ignore,
  async fn() {
    await using folder = await temporary();
    const odd = await oddTree(folder.path);
    const many = `${folder.path}/many`;
    await run("cp", ["-a", `${ROOT}/lib`, many]);
    for (const root of [odd, many]) {
      const digests = new Set<string>();
      for (const [name, command] of Object.entries(RUNTIMES)) {
        const others = name === "deno" ? ["alone", "stream"] : [];
        for (const way of ["", "beside", ...others]) {
          const env = { CISO_WAY: way };
          const archive = await build(root, { command, env });
          digests.add(await sha256(archive));
          assert.equal(digests.size, 1, `${name}, ${way || "no way"}`);
          await Deno.remove(archive);
        }
      }
    }
  },
});

Deno.test({
  name: "ciso DIR keeps names that are not UTF-8 on Bun and Node; Deno refuses",
  ignore,
  async fn() {
    await using folder = await temporary();
    const odd = await oddTree(folder.path, false);
    const expected = await listTree(odd, { ...LOSSES.bundle, ...NO_XATTR });
    assert.match(expected, /^caf\\xe9 file /m);
    for (const [name, command] of Object.entries(RUNTIMES)) {
      if (name === "deno") continue;
      const archive = await build(odd, { command });
      assert.equal(diffTrees(expected, await bundleTree(archive)), "", name);
    }
    const args = [odd, ...IMAGE, "-o", `${folder.path}/x.isoc`];
    const command = RUNTIMES.deno!;
    const refused = await ciso([...args, ...COMMAND], { command });
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^ciso: Deno cannot read "caf.*" in .*: its name is not UTF-8; run ciso under Bun/,
    );
    await build(odd, { args: ["--exclude", "caf?"] });
    await build(odd, { args: ["--exclude", "**", "--exclude", "!bin"] });
  },
});

Deno.test({
  name: "ciso DIR makes the same of a tree that others may change",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using tree = await treeOf({ "a": "text", "d/b": "x", "d/e/c": "" });
    await Deno.symlink("d/b", `${tree.root}/link`);
    await Deno.chmod(tree.root, 0o777);
    // Under Deno, find looks at it.
    const expected = await sha256(await build(tree.root));
    for (const [name, command] of Object.entries(RUNTIMES)) {
      const archive = await build(tree.root, { command });
      assert.equal(await sha256(archive), expected, name);
    }
  },
});

Deno.test({
  name: "ciso DIR under Deno asks for find, which shows what Deno hides",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using tree = await treeOf({ "a": "" });
    const args = [tree.root, ...IMAGE, ...COMMAND];
    const refused = await ciso(args);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^ciso: Deno .*GNU find.* --allow-run=find/);
    // A find that is not GNU's.
    await Deno.mkdir(`${tree.path}/bin`);
    await Deno.writeTextFile(`${tree.path}/bin/find`, "#!/bin/sh\nexit 1\n");
    await Deno.chmod(`${tree.path}/bin/find`, 0o755);
    const env = { PATH: `${tree.path}/bin:${Deno.env.get("PATH")}` };
    const other = await ciso(args, { command: RUNTIMES.deno!, env });
    assert.equal(other.code, 1);
    assert.match(other.stderr, /^ciso: Deno .*GNU find/);
  },
});

Deno.test({
  name: "ciso DIR under Deno leaves nothing out that find does not find",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using tree = await treeOf({ "a": "", "d/b": "x", "d/c": "x" });
    await Deno.mkdir(`${tree.path}/bin`);
    const find = `${tree.path}/bin/find`;
    const env = { PATH: `${tree.path}/bin:${Deno.env.get("PATH")}` };
    const archive = `${tree.path}/x.isoc`;
    const left = /"a" in .* appeared while .* or find leaves it out; try again/;
    const row = String.raw`1/z/f 644 0 0 1 1.0 1.0 1 7 1\0\0`;
    for (
      const [name, script, message] of [
        ["leaves a directory's files out", '-maxdepth 0 "$@"; exit 1', left],
        ["says nothing of it", '-maxdepth 0 "$@"', left],
        [
          "leaves one file out",
          '-not -name c "$@"',
          /"d\/c" in .* appeared while .* or find leaves it out; try again/,
        ],
        [
          "adds one",
          `"$@"; printf '${row}'`,
          /"z" in .* vanished while the tree was read; try again/,
        ],
        [
          "adds one and leaves one out",
          `-not -name a "$@"; printf '${row}'`,
          /"z" in .* vanished while the tree was read; try again/,
        ],
        [
          "lists one twice and leaves one out",
          `-not -name c "$@"; printf '${row.replace("1/z", "2/b")}'`,
          /find lists "d\/b" in .* twice; try again, or give a tar instead/,
        ],
        [
          "fails",
          '"$@"; exit 3',
          /find ended with exit code 3 before it had listed all of .*; try again/,
        ],
        [
          "is killed",
          '-maxdepth 1 "$@"; kill -9 $$',
          /find ended with exit code 128 before it had listed all of .*; try/,
        ],
        ["ends within a file", `"$@"; printf '1/z/f'`, /Deno .*GNU find/],
      ] as const
    ) {
      await Deno.writeTextFile(
        find,
        `#!/bin/sh\nshift; PATH=/usr/bin:/bin; find . ${script}\n`,
      );
      await Deno.chmod(find, 0o755);
      const result = await ciso(
        [tree.root, ...IMAGE, "-o", archive, ...COMMAND],
        { command: RUNTIMES.deno!, env },
      );
      assert.match(result.stderr, message, name);
      assert.equal(result.code, 1, name);
      await assert.rejects(Deno.lstat(archive), name);
    }
    // What is left out need not be found, or be there.
    await Deno.writeTextFile(
      find,
      '#!/bin/sh\nshift; PATH=/usr/bin:/bin; find . -not -name b "$@"\n',
    );
    await build(tree.root, { env, args: ["--exclude", "d"] });
  },
});

Deno.test({
  name: "ciso DIR gives engines the tree that is there",
  ignore: ignore || !isInstalled("go") || !isInstalled("umoci"),
  async fn() {
    await using folder = await temporary();
    const odd = await oddTree(folder.path);
    const archive = await build(odd);
    for (
      const [tree, losses] of [
        [bundleTree, LOSSES.bundle],
        [appcTree, LOSSES.appc],
        [umociTree, LOSSES.umoci],
      ] as const
    ) {
      const expected = await listTree(odd, { ...losses, ...NO_XATTR });
      assert.equal(diffTrees(expected, await tree(archive)), "", tree.name);
    }
  },
});

Deno.test({
  name: "ciso DIR gives a Debian tree back whole",
  ignore: ignore ||
    !(await new Deno.Command(`${ROOT}/scripts/rootfs`, {
      args: ["debian", "--check"],
      stderr: "null",
    }).output()).success,
  async fn() {
    await using folder = await temporary();
    const tar = `${folder.path}/debian.tar`;
    await run(`${ROOT}/scripts/rootfs`, ["debian", tar]);
    await using tree = await extractGnu(tar);
    const archive = await build(tree.root);
    assert.equal(
      diffTrees(
        await listTree(tree.root, { ...LOSSES.bundle, ...NO_XATTR }),
        await bundleTree(archive),
      ),
      "",
    );
  },
});

Deno.test({
  name:
    "ciso DIR makes the same bytes for another user, place, time zone and locale",
  ignore: ignore || !isInstalled("setpriv"),
  async fn() {
    await using tree = await treeOf({
      "bin/sh": "#!",
      "bin/é": "é",
      "etc/a": "a",
      "etc/b": "b".repeat(3000),
      "var/": "",
    });
    await Deno.chmod(tree.path, 0o755);
    await run("sh", [
      "-ec",
      `cd "$0"; ln -s sh bin/dash; ln etc/a etc/c
      chown -Rh 0:0 .; chmod -R go=rX .
      find . -exec touch -h -d @1433664550.123456789 {} +`,
      tree.root,
    ]);
    const expected = await sha256(await build(tree.root));
    // Made in another order, in another place.
    const copy = `${tree.path}/copy`;
    await run("sh", [
      "-ec",
      `mkdir -p "$1/var" "$1/etc" "$1/bin"
      cd "$0"; ls -rA etc bin | cat >/dev/null
      for path in etc/c etc/b bin/é bin/dash bin/sh; do cp -a $path "$1/$path"; done
      ln "$1/etc/c" "$1/etc/a"
      chmod -R go=rX "$1"
      cd "$1"; find . -exec touch -h -d @1433664550.123456789 {} +`,
      tree.root,
      copy,
    ]);
    assert.equal(await sha256(await build(copy)), expected);

    const archive = `${tree.path}/out/x.isoc`;
    await Deno.mkdir(`${tree.path}/out`, { mode: 0o777 });
    await Deno.chmod(`${tree.path}/out`, 0o777);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534"];
    for (const [name, command] of Object.entries(RUNTIMES)) {
      const result = await shell(
        `umask 0077; cd "${tree.root}/.."; "$@"`,
        ["tree/.", ...IMAGE, "-o", archive, ...COMMAND],
        {
          command: [...nobody, "--clear-groups", ...command],
          env: {
            TZ: "Asia/Tokyo",
            LC_ALL: "C",
            DENO_DIR: `${tree.path}/out/deno`,
            HOME: `${tree.path}/out`,
          },
        },
      );
      assert.equal(result.stderr, "", name);
      assert.equal(await sha256(archive), expected, name);
      await Deno.remove(archive);
    }
  },
});

Deno.test({
  name: "ciso DIR names the files that it may not read, and what to do",
  ignore: ignore || !isInstalled("setpriv"),
  async fn() {
    await using tree = await treeOf({
      "etc/shadow": "secret",
      "etc/hosts": "x",
      "root/a": "x",
      "z/x": "x",
    });
    await Deno.chmod(tree.path, 0o755);
    await run("sh", [
      "-ec",
      `cd "$0"; chown -R 0:0 .; chmod -R go=rX .
      chmod 600 etc/shadow; chmod 700 root; mkdir more; chmod go-r more`,
      tree.root,
    ]);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534"];
    const env = {
      DENO_DIR: `${work}/deno-nobody`,
      HOME: tree.path,
    };
    await Deno.mkdir(env.DENO_DIR, { mode: 0o777, recursive: true });
    await Deno.chmod(env.DENO_DIR, 0o777);
    for (const [name, runtime] of Object.entries(RUNTIMES)) {
      const command = [...nobody, "--clear-groups", ...runtime];
      const ciso = (...args: string[]) =>
        shell(`"$@" >/dev/null`, [tree.root, ...IMAGE, ...args, ...COMMAND], {
          command,
          env,
        });
      const refused = await ciso();
      assert.equal(refused.code, 1, name);
      assert.match(
        refused.stderr,
        /^ciso: Cannot read "etc\/shadow", "more", "root" in .*: permission denied; run ciso as a user who may, or leave out .* --exclude$/m,
      );
      const kept = await ciso(
        ...["--exclude=etc/shadow", "--exclude=root", "--exclude=more"],
      );
      assert.equal(kept.stderr, "", name);
      assert.equal(kept.code, 0);
    }
    for (let i = 0; i < 12; i++) {
      await Deno.writeTextFile(`${tree.root}/etc/x${i}`, "x", { mode: 0o600 });
    }
    const many = await shell(
      `"$@" >/dev/null`,
      [tree.root, ...IMAGE, ...COMMAND],
      { command: [...nobody, "--clear-groups", ...RUNTIMES.deno!], env },
    );
    assert.match(many.stderr, /"etc\/x\d+" and 5 more in /);
  },
});

Deno.test("ciso DIR takes --owner, --exclude and --ignore-file", async () => {
  await using tree = await treeOf({
    "a.log": "",
    "keep.log": "",
    "sub/x": "",
    ".dockerignore": "# rules\n*.log\n!keep.log\n",
  });
  const rootfs = async (...args: string[]) => {
    const archive = await build(tree.root, { args });
    const list = await run("tar", ["-tf", archive]);
    return list.match(/(?<=^rootfs\/).+/gm)!
      .filter((name) => !["json", "VERSION", "layer.tar"].includes(name));
  };
  const own = ["--owner", "0:0"];
  // An ignore file in the tree means nothing by itself.
  assert.deepEqual(
    await rootfs(...own),
    [".dockerignore", "a.log", "keep.log", "sub/", "sub/x"],
  );
  const file = ["--ignore-file", `${tree.root}/.dockerignore`];
  assert.deepEqual(
    await rootfs(...own, ...file),
    [".dockerignore", "keep.log", "sub/", "sub/x"],
  );
  assert.deepEqual(
    await rootfs(...own, ...file, "--exclude=.*", "--exclude=!a.log"),
    ["a.log", "keep.log", "sub/", "sub/x"],
  );
  const archive = await build(tree.root, { args: ["--owner=12:34"] });
  const lines = await run("tar", ["--numeric-owner", "-tvf", archive]);
  assert.match(lines, /^drwx\S+ 12\/34 .* rootfs\/$/m);
  assert.match(lines, /^-rw\S+ 12\/34 .* rootfs\/sub\/x$/m);
});

Deno.test("ciso DIR refuses wrong options as wrong usage", async () => {
  await using tree = await treeOf({ "a": "" });
  const tar = `${tree.path}/x.tar`;
  await run("tar", ["-C", tree.root, "-cf", tar, "."]);
  const { root } = tree;
  for (
    const [args, message] of [
      [[root, "--owner", "root"], /--owner "root" is not UID:GID/],
      [[root, "--owner", "0"], /--owner "0" is not UID:GID/],
      [[root, "--owner", "0:4294967295"], /is not UID:GID/],
      [[root, "--exclude", "[a"], /The pattern "\[a" is malformed/],
    ] as [string[], RegExp][]
  ) {
    const result = await ciso([...args, ...IMAGE, ...COMMAND], { stdin: tar });
    assert.match(result.stderr, message);
    assert.equal(result.code, 2, result.stderr);
    assert.equal(result.stdout, "");
  }
});

Deno.test("ciso DIR refuses an archive that goes into the tree", async () => {
  await using tree = await treeOf({ "a": "" });
  const args = [tree.root, ...IMAGE, "--owner", "0:0"];
  for (const [name, command] of Object.entries(RUNTIMES)) {
    const file = `${tree.root}/x.isoc`;
    const named = await ciso([...args, "-o", file, ...COMMAND], { command });
    assert.match(named.stderr, /^ciso: The archive cannot go into /, name);
    assert.equal(named.code, 1);
    const piped = await shell(`"$@" >"${file}"`, [...args, ...COMMAND], {
      command,
    });
    assert.match(piped.stderr, /^ciso: The archive cannot go into /, name);
    assert.equal(piped.code, 1);
    assert.equal(await Deno.readTextFile(file), "");
    await Deno.remove(file);
  }
});

Deno.test("ciso takes a directory as a layer", async () => {
  await using tree = await treeOf({ "etc/new": "new", "etc/.wh.old": "" });
  await using base = await treeOf({ "etc/old": "old", "bin/sh": "" });
  const archive = `${tree.path}/x.isoc`;
  const result = await ciso(
    [
      ...["build", "--layer", base.root, "--layer", tree.root, ...IMAGE],
      ...["--owner", "12:34", "-o", archive, ...COMMAND],
    ],
    { command: RUNTIMES.deno! },
  );
  assert.equal(result.stderr, "");
  const list = await run("tar", ["-tf", archive]);
  assert.match(list, /^rootfs\/etc\/new$/m);
  assert.match(list, /^rootfs\/bin\/sh$/m);
  assert.doesNotMatch(list, /^rootfs\/etc\/(old|\.wh)/m);
});

Deno.test("ciso DIR -v says what a directory cannot tell", async () => {
  await using tree = await treeOf({ "a": "" });
  const args = [tree.root, ...IMAGE, "-v", "--owner", "0:0"];
  const { stderr } = await shell(`"$@" >/dev/null`, [...args, ...COMMAND], {
    command: RUNTIMES.deno!,
  });
  assert.match(stderr, /^ciso: the layer is made of .*tree$/m);
  assert.match(stderr, /^ciso: extended attributes .* --xattrs has them$/m);
});
