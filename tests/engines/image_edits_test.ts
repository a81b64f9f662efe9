// --squash, --rebase and --dedupe give engines the tree that they had before, and
// what engines' own tools write is converted.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { allowing, ciso, temporary } from "../support/ciso.ts";
import { startServe } from "../support/serve.ts";
import { startDocker } from "../support/dockerd.ts";
import { withContainerdRoot, withPodmanRoot } from "../support/image_roots.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const directory = (name: string, mode = 0o755): TarEntry => ({
  name,
  type: "5",
  mode,
});

/** Layers that delete, replace and link what is below them. */
const LAYERS: TarEntry[][] = [
  [
    directory("./"),
    directory("bin/"),
    { name: "bin/x", data: "x", mode: 0o755 },
    directory("keep/", 0o700),
    { name: "keep/same", data: "same" },
    { name: "keep/old", data: "old" },
    directory("opaque/"),
    { name: "opaque/a", data: "a" },
    directory("opaque/d/"),
    { name: "opaque/d/b", data: "b" },
    { name: "file", data: "becomes a directory" },
    directory("tree/"),
    { name: "tree/leaf", data: "becomes a file" },
    { name: "lib", type: "2", link: "bin" },
    directory("meta/"),
    { name: "meta/in", data: "of a directory with another mode" },
    directory("whole/"),
    directory("whole/sub/"),
    { name: "whole/sub/f", data: "f" },
    { name: "setuid", data: "s", mode: 0o4755 },
    { name: "first", data: "linked" },
    { name: "second", type: "1", link: "first" },
  ],
  [
    { name: "one", data: "linked" },
    { name: "two", type: "1", link: "one" },
    directory("opaque/", 0o750),
    { name: "opaque/.wh..wh..opq" },
    { name: "opaque/new", data: "n" },
    { name: "keep/.wh.old" },
    { ...directory("meta/", 0o700), uid: 4 },
    { name: ".wh.whole" },
    { name: "setuid", data: "s", mode: 0o755 },
    { name: ".wh.first" },
  ],
  [
    directory("file/"),
    { name: "file/in", data: "in" },
    { name: "tree", data: "a file" },
    { name: "one", data: "replaced" },
    { name: "gone", data: "g" },
    directory("keep/", 0o700),
    { name: "keep/same", data: "same" },
    directory("whole/", 0o711),
    { name: "whole/again", data: "a" },
    { name: "first", data: "another" },
    { name: "third", type: "1", link: "first" },
    { name: ".wh.lib" },
  ],
  [
    { name: ".wh.gone" },
    { name: "bin/y", data: "y" },
    { name: "whole/.wh..wh..opq" },
    { name: "whole/last", data: "l" },
    directory("lib/"),
    { name: "lib/in", data: "in" },
  ],
];

/** Builds an image of the first layers. */
async function build(
  work: string,
  out: string,
  layers: TarEntry[][],
  ...args: string[]
): Promise<string> {
  const files: string[] = [];
  for (const [i, entries] of layers.entries()) {
    const file = `${work}/${out}-${i}.tar`;
    await Deno.writeFile(file, tarOf(entries));
    files.push("--layer", file);
  }
  return await make(`${work}/${out}.isoc`, [
    ...[...files, "-t", `isoc/${out}:1`, ...args, "--", "/bin/x"],
  ]);
}

async function make(out: string, args: string[]): Promise<string> {
  const at = args.indexOf("--");
  const own = at < 0 ? args : args.slice(0, at);
  const rest = at < 0 ? [] : args.slice(at);
  const result = await ciso([...own, "-q", "-o", out, ...rest]);
  assert.equal(result.code, 0, result.stderr);
  return out;
}

/** The tree of a tar, as lines; the file of a hard link may be either one. */
const LISTING = `
import hashlib, sys, tarfile
tar = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
files = {}
for m in tar:
    m.name = m.name.removeprefix("./")
    m.linkname = m.linkname.removeprefix("./")
    if m.islnk():
        files[m.name] = files[m.linkname]
        files[m.name][1].append(m.name)
        continue
    data = tar.extractfile(m).read() if m.isfile() else b""
    facts = [m.type, oct(m.mode), m.uid, m.gid, m.mtime if m.isfile() else 0,
             m.linkname, hashlib.sha256(data).hexdigest()[:8]]
    files[m.name] = [facts, [m.name]]
for name in sorted(files):
    # Docker's own.
    if name.split("/")[0] in (".dockerenv", "dev", "etc", "proc", "sys"):
        continue
    facts, names = files[name]
    print(name, *facts, sorted(names))
`;

/** Lists trees that an engine makes of archives. */
type Lister = (isoc: string) => Promise<string>;

/** Lists the tree at a path. */
async function listed(root: string): Promise<string> {
  return await run("sh", [
    "-c",
    'tar -C "$0" -c . | python3 -c "$1"',
    root,
    LISTING,
  ]);
}

/** Lists what Docker exports. */
async function inDocker(use: (lister: Lister) => Promise<void>) {
  await using docker = await startDocker();
  assert.equal(docker.reason, undefined);
  const env = { DOCKER_HOST: docker.host };
  await use(async (isoc) => {
    const loaded = await run("docker", ["load", "-q", "-i", isoc], { env });
    const name = loaded.trim().replace(/^.*: /, "");
    const id = (await run("docker", ["create", name], { env })).trim();
    const export_ = 'docker export "$0" | python3 -c "$1"';
    const tree = await run("sh", ["-c", export_, id, LISTING], { env });
    await run("docker", ["rm", id], { env });
    await run("docker", ["rmi", name], { env });
    return tree;
  });
}

const ENGINES: [string, string[], typeof inDocker][] = [
  ["docker", ["dockerd"], inDocker],
  ["podman", ["podman"], (use) => use((isoc) => withPodmanRoot(isoc, listed))],
  [
    "containerd",
    ["containerd", "ctr"],
    (use) => use((isoc) => withContainerdRoot(isoc, listed)),
  ],
];

for (const [engine, programs, start] of ENGINES) {
  Deno.test({
    name: `${engine} has the same tree of an image and of its other forms`,
    ignore: !required.includes(engine) &&
      (Deno.uid() !== 0 ||
        ![...programs, "python3"].every((name) => isInstalled(name))),
    fn: () => start(compareForms),
  });
}

/** Squashed, deduped and rebased, the images must be what they are by hand. */
async function compareForms(treeOf: Lister): Promise<void> {
  await using work = await temporary();
  const whole = await build(work.path, "whole", LAYERS);
  const tree = await treeOf(whole);
  assert.match(tree, /^opaque\/new/m);
  for (const from of ["1", "2", "3"]) {
    const out = await make(`${work.path}/squashed.isoc`, [
      ...["convert", whole, "--squash", from],
    ]);
    assert.equal(await treeOf(out), tree, `--squash ${from}`);
  }
  const deduped = await build(work.path, "deduped", LAYERS, "--dedupe");
  assert.equal(await treeOf(deduped), tree);
  // Rebased, it is what the layers on the other base make.
  const base = await build(work.path, "base", LAYERS.slice(0, 2));
  const other = [directory("other/"), { name: "other/f", data: "f" }];
  const next = await build(work.path, "next", [LAYERS[0]!, other]);
  const rebased = await make(`${work.path}/rebased.isoc`, [
    ...["convert", whole, "--rebase", base, next],
  ]);
  const byHand = await build(work.path, "hand", [
    LAYERS[0]!,
    other,
    ...LAYERS.slice(2),
  ]);
  assert.equal(await treeOf(rebased), await treeOf(byHand));
}

Deno.test("--rebase takes both bases from a registry", async () => {
  await using work = await temporary();
  const base = await build(work.path, "base", LAYERS.slice(0, 2));
  const other = [directory("other/"), { name: "other/f", data: "f" }];
  const next = await build(work.path, "next", [LAYERS[0]!, other]);
  const whole = await build(work.path, "whole", LAYERS);
  const network = allowing("--allow-net");
  await using server = await startServe(network, [
    ...[base, next, "--listen", "localhost:0"],
  ]);
  const at = (name: string) => `docker://${server.host}/isoc/${name}:1`;
  const rebase = (old: string, next: string, out: string) => {
    const [program, ...args] = network;
    const words = [
      ...["convert", whole, "--rebase", old, next, "--created", "1", "-q"],
      ...["-o", `${work.path}/${out}.isoc`],
    ];
    return run(program!, [...args, ...words]);
  };
  await rebase(base, next, "files");
  await rebase(at("base"), at("next"), "pulled");
  await rebase(base, at("next"), "mixed");
  const files = await Deno.readFile(`${work.path}/files.isoc`);
  for (const out of ["pulled", "mixed"]) {
    const isSame = Buffer.compare(
      files,
      await Deno.readFile(`${work.path}/${out}.isoc`),
    ) === 0;
    assert.ok(isSame, out);
  }
});

Deno.test({
  name: "what skopeo, umoci and runc write becomes the image again",
  ignore: Deno.uid() !== 0 ||
    !["skopeo", "umoci", "runc"].every((name) => isInstalled(name)),
}, async () => {
  await using work = await temporary();
  const whole = await build(
    work.path,
    "whole",
    LAYERS,
    "-e",
    "A=1",
    "-w",
    "/bin",
  );
  const configOf = async (isoc: string) => {
    const { stdout } = await ciso(["inspect", isoc, "--json"]);
    const { image } = JSON.parse(stdout);
    const { imageId, command, env, workdir } = image;
    return { imageId, command, env, workdir };
  };
  const wanted = await configOf(whole);
  const dir = `${work.path}/dir`;
  await run("skopeo", ["copy", "-q", `docker-archive:${whole}`, `dir:${dir}`]);
  const ofDir = await make(`${work.path}/dir.isoc`, [
    ...["convert", dir, "-t", "isoc/dir:1"],
  ]);
  assert.deepEqual(await configOf(ofDir), wanted);

  const layout = `${work.path}/layout`;
  await Deno.mkdir(layout);
  await run("tar", ["-C", layout, "-xf", whole]);
  const bundle = `${work.path}/bundle`;
  await run("umoci", ["unpack", "--image", `${layout}:1`, bundle]);
  await run("tar", ["-C", bundle, "-cf", `${bundle}.tar`, "."]);
  const ofBundle = await make(`${work.path}/bundle.isoc`, [
    ...["convert", `${bundle}.tar`, "-t", "isoc/bundle:1"],
  ]);
  const { imageId: _, env = [], ...process } = await configOf(ofBundle);
  assert.deepEqual(process, { command: ["/bin/x"], workdir: "/bin" });
  assert.ok(env.includes("A=1"));
  // umoci gives a directory the time of its last change, unless a layer says one.
  const { stdout } = await ciso([
    ...["diff", ofBundle, whole, "--json", "--ignore-times"],
  ]);
  assert.deepEqual(JSON.parse(stdout).files, []);

  const spec = `${work.path}/spec`;
  await Deno.mkdir(`${spec}/rootfs/bin`, { recursive: true });
  await Deno.writeTextFile(`${spec}/rootfs/bin/sh`, "", { mode: 0o755 });
  await run("runc", ["spec", "-b", spec]);
  await run("tar", ["-C", spec, "-cf", `${spec}.tar`, "."]);
  const ofSpec = await make(`${work.path}/spec.isoc`, [
    ...["convert", `${spec}.tar`],
  ]);
  assert.deepEqual((await configOf(ofSpec)).command, ["sh"]);
});
