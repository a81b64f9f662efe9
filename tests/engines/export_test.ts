// ciso export: every part, from files and from pipes, of archives that ciso wrote
// and of those that the script of 2015 wrote, each given to the engine it is for.
//
// An engine that is not here is ignored, with the reason in the test's name,
// unless CISO_REQUIRE_ENGINES lists it ("docker podman …").

import assert from "node:assert/strict";
import {
  CISO,
  ciso,
  type Result,
  ROOT,
  shell,
  temporary,
} from "../support/ciso.ts";
import { startDocker } from "../support/dockerd.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import {
  assertNothingMissing,
  built,
  bundleRuntimes,
  unlessMissing,
} from "../support/runtimes.ts";
import { isocOf2015 } from "../support/script_2015.ts";
import {
  appcManifest,
  appcTree,
  appcValidate,
  diffTrees,
  gnuTree,
  listTree,
  LOSSES,
} from "../support/tree.ts";

const TEXT = "make container not war";
const COMMAND = ["/bin/echo", ...TEXT.split(" ")];
const FACES = ["docker", "oci", "docker-v1", "appc", "bundle", "lxd", "rootfs"];
const EPOCH = { SOURCE_DATE_EPOCH: "1433664550" };

const isRoot = Deno.uid() === 0;

const work = await Deno.makeTempDir({ prefix: "isoc-export-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

const rootfs = `${work}/input.tar`;
await run(`${ROOT}/scripts/rootfs`, ["busybox", rootfs]);

/** An archive, and what an engine calls its image. */
interface Sample {
  what: string;
  isoc: string;
  names: string[];
}

const modern: Sample = {
  what: "an isoc of ciso",
  isoc: `${work}/modern.isoc`,
  names: ["isoc/hello:1.0", "other:latest"],
};
const old: Sample = {
  what: "an isoc of 2015",
  isoc: `${work}/2015.isoc`,
  names: ["isoc/hello:latest"],
};
const SAMPLES = [modern, old];
await build([rootfs, "-t", "isoc/hello:1.0", "-t", "other"], modern.isoc);
await isocOf2015(rootfs, old.isoc, "isoc/hello", COMMAND);

/** Makes an isoc with the command line tool. */
async function build(args: string[], isoc: string): Promise<void> {
  assertSucceeded(
    await ciso(["-q", ...args, "-o", isoc, "--", ...COMMAND], { env: EPOCH }),
  );
}

function assertSucceeded({ code, stderr }: Result): void {
  assert.equal(stderr, "");
  assert.equal(code, 0);
}

/** Asserts an error: exit code, one line on standard error, and no output. */
function assertRefused(result: Result, line: RegExp, code = 1): void {
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
async function exported(
  isoc: string,
  face: string,
  name = `${face}.tar`,
): Promise<string> {
  const file = `${work}/${name}`;
  assertSucceeded(await ciso(["export", isoc, "--as", face, "-o", file]));
  return file;
}

/** Exports from a pipe to a pipe, which ends in a line of bash. */
async function piped(
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
async function names(file: string): Promise<string[]> {
  const all = (await run("tar", ["-tf", file])).trim().split("\n");
  return all.filter((name) => !/^rootfs\/(?!VERSION|json|layer)./.test(name))
    .map((name) => name.replaceAll(/[0-9a-f]{64}/g, "ID")).sort();
}

async function readJson(file: string, name: string) {
  return JSON.parse(await run("tar", ["-xOf", file, name]));
}

async function digest(file: string): Promise<string> {
  return (await run("sha256sum", [file])).slice(0, 64);
}

/** A test that is ignored, with the reason, where its engine is missing. */
function engineTest(
  engine: string,
  programs: string[],
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const missing = programs.find((program) => !isInstalled(program));
  const reason = missing
    ? `${missing} is not installed`
    : isRoot
    ? undefined
    : "needs root";
  const ignore = reason !== undefined && !required.includes(engine);
  Deno.test({ name: ignore ? `${name} (${reason})` : name, ignore, fn });
}

const BLOBS = ["blobs/", "blobs/sha256/", "blobs/sha256/ID", "blobs/sha256/ID"];
const ENTRIES: Record<string, string[]> = {
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

for (const { what, isoc } of SAMPLES) {
  for (const [face, expected] of Object.entries(ENTRIES)) {
    Deno.test(`export --as ${face} writes that face of ${what} and no other`, async () => {
      assert.deepEqual(await names(await exported(isoc, face)), expected);
    });
  }

  for (const face of FACES) {
    Deno.test(`export --as ${face} of ${what} gives the same from a pipe`, async () => {
      const file = await exported(isoc, face);
      await piped({ isoc }, face, 'cmp - "$FILE"', { FILE: file });
    });
  }

  Deno.test(`export --as rootfs gives the input of ${what} byte for byte`, async () => {
    assert.equal(
      await digest(await exported(isoc, "rootfs")),
      await digest(rootfs),
    );
  });

  Deno.test(`export --as lxd of ${what} has what LXD wants to know`, async () => {
    const metadata = await readJson(
      await exported(isoc, "lxd"),
      "metadata.yaml",
    );
    assert.equal(metadata.architecture, "x86_64");
    assert.ok(metadata.creation_date > 0);
  });

  Deno.test(`export --as isoc of ${what} makes all parts`, async () => {
    const file = await exported(isoc, "isoc");
    assert.deepEqual(await names(file), await names(modern.isoc));
    const [{ RepoTags }] = await readJson(file, "manifest.json");
    const [sample] = SAMPLES.filter((sample) => sample.isoc === isoc);
    assert.deepEqual(RepoTags, sample!.names);
  });
}

Deno.test("export repairs an isoc of 2015 to the very image that ciso makes", async () => {
  const made = `${work}/again.isoc`;
  await build([rootfs, "-t", "isoc/hello"], made);
  for (const face of ["docker", "oci"]) {
    const [is] = await readJson(
      await exported(old.isoc, face),
      "manifest.json",
    );
    const [ought] = await readJson(made, "manifest.json");
    assert.deepEqual(is, ought);
  }
});

engineTest(
  "docker",
  ["dockerd", "docker"],
  "docker load takes the parts docker, oci and docker-v1 through a pipe",
  async (t) => {
    await using docker = await startDocker();
    assert.equal(docker.reason, undefined);
    const env = { DOCKER_HOST: docker.host };
    const call = (...args: string[]) => run("docker", args, { env });
    for (const sample of SAMPLES) {
      for (const face of ["docker", "oci", "docker-v1"]) {
        await t.step(`${face} of ${sample.what}`, async () => {
          const said = await piped(sample, face, "docker load", env);
          for (const name of sample.names) {
            // Of images in the old form, Docker says nothing.
            if (face !== "docker-v1") {
              assert.match(said, new RegExp(`^Loaded image: ${name}$`, "m"));
            }
            const run = ["run", "--rm", "--network", "none", "--pull", "never"];
            assert.equal(
              await call(...run, name),
              TEXT + "\n",
            );
          }
          await call("image", "rm", "--force", ...sample.names);
        });
      }
    }
  },
);

engineTest(
  "containerd",
  ["ctr", "containerd", "runc"],
  "ctr imports the parts docker and oci",
  async () => {
    for (const { isoc, names: [name] } of SAMPLES) {
      for (const face of ["docker", "oci"]) {
        const file = await exported(isoc, face);
        await run(`${ROOT}/scripts/load-containerd`, [file, TEXT, name!]);
      }
    }
  },
);

engineTest(
  "podman",
  ["podman", "runc"],
  "podman load takes the parts docker and oci through a pipe",
  async () => {
    await using folder = await temporary();
    const podman = [
      ...["podman", "--root", `${folder.path}/store`],
      ...["--runroot", `${folder.path}/run`, "--tmpdir", `${folder.path}/tmp`],
      ...["--events-backend", "none", "--cgroup-manager", "cgroupfs"],
    ].join(" ");
    const env = { TMPDIR: folder.path };
    try {
      for (const sample of SAMPLES) {
        for (const face of ["docker", "oci"]) {
          const said = await piped(sample, face, `${podman} load -q`, env);
          for (const name of sample.names) {
            assert.match(said, new RegExp(`^Loaded image: \\S+/${name}$`, "m"));
            const line =
              `${podman} image inspect -f '{{json .Config.Cmd}}' ${name}`;
            const { stdout } = await shell(line, [], { env });
            assert.deepEqual(JSON.parse(stdout), COMMAND);
          }
          await shell(`${podman} rmi -af`, [], { env });
        }
      }
    } finally {
      await shell(`${podman} system reset -f`, [], { env });
    }
  },
);

engineTest(
  "skopeo",
  ["skopeo"],
  "skopeo inspects and copies the parts docker and oci",
  async () => {
    await using folder = await temporary();
    const skopeo = (...args: string[]) =>
      run("skopeo", ["--tmpdir", folder.path, "--insecure-policy", ...args]);
    for (const { isoc, names: [name] } of SAMPLES) {
      const tag = name!.split(":")[1];
      const docker = await exported(isoc, "docker");
      const oci = await exported(isoc, "oci");
      for (
        const source of [
          `docker-archive:${docker}:${name}`,
          `docker-archive:${oci}:${name}`,
          `oci-archive:${oci}:${tag}`,
        ]
      ) {
        const { config } = JSON.parse(
          await skopeo("inspect", "--config", source),
        );
        assert.deepEqual(config.Cmd, COMMAND);
        await skopeo("copy", "--quiet", source, `oci:${folder.path}/copy`);
      }
    }
  },
);

engineTest(
  "appc",
  ["go"],
  "actool validate accepts the part appc, which rkt renders as the input's tree",
  async () => {
    for (const { isoc } of SAMPLES) {
      const file = await exported(isoc, "appc", "image.aci");
      await appcValidate(file);
      const { app } = await appcManifest(file) as { app: { exec: string[] } };
      assert.deepEqual(app.exec, COMMAND);
      const difference = diffTrees(
        await appcTree(file),
        await gnuTree(rootfs, LOSSES.appc),
      );
      // The script's tar had no entry for rootfs/ itself.
      if (isoc === old.isoc) assert.match(difference, /^(\.:.*)?$/);
      else assert.equal(difference, "");
    }
  },
);

engineTest(
  "runc",
  ["runc"],
  "runc runs the part bundle, unpacked by tar or by ciso",
  async () => {
    for (const { isoc } of SAMPLES) {
      const file = await exported(isoc, "bundle");
      await run(`${ROOT}/scripts/load-runc`, [file, TEXT]);
      await using folder = await temporary();
      const { path } = folder;
      await bundle(isoc, `${path}/bundle`);
      const args = ["--root", `${path}/runc`, "run", "-b", `${path}/bundle`];
      assert.equal(
        await run("runc", [...args, `isoc-${Deno.pid}`]),
        TEXT + "\n",
      );
    }
  },
);

/** Unpacks a bundle with all of Deno's permissions, as devices need them. */
async function bundle(
  isoc: string,
  folder: string,
  ...args: string[]
): Promise<Result> {
  const result = await ciso(
    ["export", isoc, "--as", "bundle", "-o", `${folder}/`, ...args],
    { command: [Deno.execPath(), "run", "-A", `${ROOT}/main.ts`] },
  );
  assert.equal(result.code, 0, result.stderr);
  return result;
}

Deno.test({
  name: "export -o DIR/ keeps modes, owners, times, links and devices as root",
  ignore: !isRoot || !isInstalled("python3"),
  async fn() {
    await using folder = await temporary();
    const { path } = folder;
    await run("python3", [`${ROOT}/tests/support/odd_tree.py`, `${path}/odd`]);
    // Deno takes no name that is not UTF-8, and no runtime sets attributes.
    await run("python3", [
      "-c",
      `
import os, shutil, sys
for folder, folders, names in os.walk(os.fsencode(sys.argv[1]), topdown=False):
    for path in [os.path.join(folder, name) for name in folders + names]:
        target = os.readlink(path) if os.path.islink(path) else b""
        try:
            (path + target).decode()
        except UnicodeDecodeError:
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
      `,
      `${path}/odd`,
    ]);
    const tar = `${path}/odd.tar`;
    await run("tar", ["-C", `${path}/odd`, "--format=pax", "-cf", tar, "."]);
    await build([tar, "-t", "odd"], `${path}/odd.isoc`);
    await bundle(`${path}/odd.isoc`, `${path}/bundle`, "--allow-devices");
    const options = {
      noXattr: ["*"],
      noNs: true,
      noLinksOfSymlinks: true,
    };
    assert.equal(
      diffTrees(
        await listTree(`${path}/bundle/rootfs`, options),
        await gnuTree(tar, options),
        ["bundle", "input"],
      ),
      "",
    );
  },
});

Deno.test({
  name: "export -o DIR/ without root makes a bundle that its user can run",
  ignore: !isRoot || !isInstalled("runc") || !isInstalled("setpriv"),
  async fn() {
    await using folder = await temporary();
    const { path } = folder;
    await Deno.chmod(path, 0o755);
    await Deno.mkdir(`${path}/home`);
    await Deno.chown(`${path}/home`, 65534, 65534);
    await run("cp", [modern.isoc, `${path}/hello.isoc`]);
    await run("cp", ["-L", Deno.execPath(), `${path}/deno`]);
    const { directory } = await built();
    await run("cp", [`${directory}/ciso.js`, path]);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534"];
    const result = await ciso(
      ["export", `${path}/hello.isoc`, "--as", "bundle", "-o", "bundle/"],
      {
        command: [
          ...[
            ...nobody,
            "--clear-groups",
            `${path}/deno`,
            "run",
            "--no-prompt",
          ],
          ...["--allow-read", "--allow-write", "--allow-env"],
          `${path}/ciso.js`,
        ],
        cwd: `${path}/home`,
        env: { HOME: `${path}/home`, DENO_DIR: `${path}/home/.deno` },
      },
    );
    assert.equal(result.code, 0, result.stderr);
    assert.match(
      result.stderr,
      /^ciso: config\.json runs it in a user namespace/m,
    );
    const config = JSON.parse(
      await Deno.readTextFile(`${path}/home/bundle/config.json`),
    );
    assert.deepEqual(config.linux.uidMappings, [
      { containerID: 0, hostID: 65534, size: 1 },
    ]);
    // Some machines let nobody but root make user namespaces.
    const [setpriv = "", ...args] = [...nobody, "--clear-groups"];
    try {
      await run(setpriv, [...args, "unshare", "--user", "true"]);
    } catch {
      return;
    }
    const runc = ["runc", "--root", `${path}/home/runc`, "run"];
    const bundle = ["-b", `${path}/home/bundle`, `isoc-${Deno.pid}`];
    assert.equal(
      await run(setpriv, [...args, ...runc, ...bundle], {
        env: { XDG_RUNTIME_DIR: `${path}/home` },
      }),
      TEXT + "\n",
    );
  },
});

/** Flips a bit of the last byte of an entry's data. */
async function damage(isoc: string, path: string): Promise<string> {
  const bad = `${work}/bad.isoc`;
  const listing = await run("tar", ["-tvRf", isoc]);
  const lines = listing.split("\n");
  const at = lines.findIndex((line) => line.endsWith(` ${path}`));
  const line = lines[at] ?? "";
  const [, block] = /^block (\d+):/.exec(line) ?? [];
  const size = Number(line.split(/\s+/)[4]);
  assert.ok(block && size > 0, line);
  const bytes = await Deno.readFile(isoc);
  const last = (Number(block) + 1) * 512 + size - 1;
  bytes[last] = bytes[last]! ^ 1;
  await Deno.writeFile(bad, bytes);
  return bad;
}

for (const sample of SAMPLES) {
  Deno.test(`export notices a damaged layer in ${sample.what}`, async (t) => {
    const layer = sample === old
      ? "rootfs/layer.tar"
      : `blobs/sha256/${await digest(rootfs)}`;
    const bad = await damage(sample.isoc, layer);
    for (const face of ["docker", "oci", "docker-v1", "rootfs"]) {
      await t.step(face, async () => {
        await using folder = await temporary();
        const output = `${folder.path}/out`;
        const args = ["export", bad, "--as", face, "-o", output];
        assertRefused(await ciso(args), /bad\.isoc: .* is damaged: its digest/);
        assert.deepEqual([...Deno.readDirSync(folder.path)], []);
        // A reader at the other end of a pipe must notice too.
        const result = await shell(
          '"$@" | tar -tf - >/dev/null',
          args.slice(0, 4),
        );
        assert.notEqual(result.code, 0);
        assert.match(result.stderr, /tar: Unexpected EOF in archive/);
      });
    }
  });
}

Deno.test("export notices a damaged image config", async () => {
  const [{ Config }] = await readJson(modern.isoc, "manifest.json");
  const bad = await damage(modern.isoc, Config);
  assertRefused(
    await ciso(["export", bad, "--as", "docker"]).then((result) => ({
      ...result,
      stdout: "",
    })),
    /is damaged/,
  );
});

Deno.test("export notices an archive that is cut short", async () => {
  const cut = `${work}/cut.isoc`;
  const bytes = await Deno.readFile(modern.isoc);
  const output = `${work}/cut.out`;
  // One that ends inside the layer, and one that ends inside rootfs/.
  for (const length of [bytes.length / 4, bytes.length - 100_000]) {
    await Deno.writeFile(cut, bytes.subarray(0, length));
    for (const face of [...FACES, "isoc"]) {
      const args = ["export", cut, "--as", face, "-o", output];
      const result = await ciso(args);
      const isBefore = ["docker", "oci", "rootfs"].includes(face);
      if (length > bytes.length / 2 && isBefore) {
        // What these want is whole: it comes before rootfs/, digests and all.
        assertSucceeded(result);
        const whole = await exported(modern.isoc, face, "whole.tar");
        assert.deepEqual(
          await Deno.readFile(output),
          await Deno.readFile(whole),
        );
        await Deno.remove(output);
        continue;
      }
      assertRefused(result, /cut\.isoc.*cut short/);
      await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
    }
  }
});

/** Packs an archive's entries anew, in another order. */
async function repacked(isoc: string, order: string[]): Promise<string> {
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

const LATE = [
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

for (const sample of SAMPLES) {
  Deno.test(`export takes ${sample.what} with its documents at the end, from a pipe as well`, async () => {
    const late = await repacked(sample.isoc, LATE);
    for (const face of FACES) {
      const file = await exported(late, face, "late.tar");
      if (face === "rootfs") {
        assert.equal(await digest(file), await digest(rootfs));
      } else assert.deepEqual(await names(file), ENTRIES[face]);
      await using folder = await temporary();
      await piped({ isoc: late }, face, 'cmp - "$FILE"', {
        FILE: file,
        TMPDIR: folder.path,
      });
      assert.deepEqual([...Deno.readDirSync(folder.path)], []);
    }
  });
}

Deno.test("export -v says when an archive was read twice", async () => {
  const late = await repacked(modern.isoc, LATE);
  const args = ["--as", "appc", "-v", "-o", `${work}/out`];
  const twice = await ciso(["export", late, ...args]);
  assert.match(twice.stderr, /the appc face of .*\n.* was read twice/);
  const once = await ciso(["export", modern.isoc, ...args]);
  assert.match(
    once.stderr,
    /the appc face of .*modern\.isoc \(isoc\/hello:1\.0/,
  );
  assert.doesNotMatch(once.stderr, /twice/);
});

Deno.test("export keeps a rootfs's own /VERSION, /json and /layer.tar", async () => {
  await using folder = await temporary();
  const { path } = folder;
  await Deno.mkdir(`${path}/tree`);
  for (const name of ["VERSION", "json", "layer.tar"]) {
    await Deno.writeTextFile(`${path}/tree/${name}`, `my ${name}\n`);
  }
  const tar = `${path}/own.tar`;
  await run("tar", ["-C", `${path}/tree`, "-cf", tar, "."]);
  await build([tar, "-t", "own"], `${path}/own.isoc`);
  for (const face of ["appc", "bundle", "lxd"]) {
    const file = await exported(`${path}/own.isoc`, face);
    for (const name of ["VERSION", "json", "layer.tar"]) {
      const text = await run("tar", ["-xOf", file, `rootfs/${name}`]);
      assert.equal(text, `my ${name}\n`);
    }
  }
  const v1 = await exported(`${path}/own.isoc`, "docker-v1");
  assert.deepEqual(await names(v1), ENTRIES["docker-v1"]);
});

Deno.test("export takes an isoc of several layers", async (t) => {
  await using folder = await temporary();
  const { path } = folder;
  const layer = async (name: string, script: string) => {
    const tree = `${path}/${name}`;
    await run("bash", ["-ec", `mkdir "$0" && cd "$0" && ${script}`, tree]);
    await run("tar", ["-C", tree, "-cf", `${tree}.tar`, "."]);
    return `--layer=${tree}.tar`;
  };
  const layers = [
    await layer("base", "mkdir -p bin etc; cp /bin/sh bin/; echo a >etc/a"),
    await layer("app", "mkdir etc; : >etc/.wh.a; echo b >etc/b; ln etc/b b"),
    await layer("same", "mkdir x"),
  ];
  layers.push(layers[2]!);
  const isoc = `${path}/layers.isoc`;
  await build(["-t", "isoc/layers", ...layers], isoc);

  await t.step("--as rootfs gives the tree that they make", async () => {
    const file = await exported(isoc, "rootfs");
    const list = (await run("tar", ["-tf", file])).trim().split("\n").sort();
    assert.deepEqual(list, [
      ...["./", "b", "bin/", "bin/sh", "etc/", "etc/b", "x/"],
    ]);
    await Deno.mkdir(`${path}/flat`);
    await run("tar", ["-xf", file, "-C", `${path}/flat`]);
    for (const name of ["b", "etc/b"]) {
      const text = await Deno.readTextFile(`${path}/flat/${name}`);
      assert.equal(text, "b\n");
    }
  });

  await t.step("--as docker and oci have each layer once", async () => {
    const [{ Layers }] = await readJson(isoc, "manifest.json");
    assert.equal(Layers.length, 4);
    for (const face of ["docker", "oci"]) {
      const file = await exported(isoc, face);
      const list = (await run("tar", ["-tf", file])).split("\n");
      for (const layer of Layers) {
        assert.equal(list.filter((name) => name === layer).length, 1);
      }
    }
  });

  await t.step(
    "Incus minds no symlink beside rootfs/: there is none",
    async () => {
      const [{ Layers }] = await readJson(isoc, "manifest.json");
      const list: string[] = (await run("tar", ["-tvf", isoc])).split("\n");
      const beside = list.filter((line) => !line.includes(" rootfs/"));
      assert.deepEqual(beside.filter((line) => line.startsWith("l")), []);
      // A hard link must come after the file.
      const places = Layers.map((blob: string) => [
        beside.findIndex((line) => line.endsWith(` ${blob}`)),
        beside.findIndex((line) => line.endsWith(`/layer.tar link to ${blob}`)),
      ]);
      for (const [file, link] of places) assert.ok(file >= 0 && file < link);
    },
  );

  await t.step(
    "--as docker-v1 has a directory with a file for each",
    async () => {
      const file = await exported(isoc, "docker-v1");
      const tree = `${path}/v1`;
      await Deno.mkdir(tree);
      await run("tar", ["-xf", file, "-C", tree]);
      const { "isoc/layers": { latest } } = JSON.parse(
        await Deno.readTextFile(`${tree}/repositories`),
      );
      const digests = [];
      for (let id = latest; id;) {
        const { parent, ...json } = JSON.parse(
          await Deno.readTextFile(`${tree}/${id}/json`),
        );
        assert.equal(json.id, id);
        assert.ok((await Deno.lstat(`${tree}/${id}/layer.tar`)).isFile);
        digests.push(`blobs/sha256/${await digest(`${tree}/${id}/layer.tar`)}`);
        id = parent;
      }
      const [{ Layers }] = await readJson(isoc, "manifest.json");
      assert.deepEqual(digests.reverse(), Layers);
    },
  );
});

Deno.test("export makes the documents of a part that was left out", async () => {
  for (const [has, face] of [["docker", "oci"], ["oci", "docker"]] as const) {
    const isoc = `${work}/${has}-only.isoc`;
    await build([rootfs, "-t", "isoc/hello:1.0", "--faces", has], isoc);
    for (const other of [face, "docker-v1", "rootfs"]) {
      const file = await exported(isoc, other, "other.tar");
      if (other === "rootfs") {
        assert.equal(await digest(file), await digest(rootfs));
      } else {
        // The image manifest may be left among the blobs: it belongs to them.
        const list = new Set(await names(file));
        assert.deepEqual([...list], [...new Set(ENTRIES[other])]);
      }
    }
    const docker = await exported(isoc, "docker");
    const [{ Config, RepoTags }] = await readJson(docker, "manifest.json");
    assert.deepEqual(RepoTags, ["isoc/hello:1.0"]);
    const [modernImage] = await readJson(modern.isoc, "manifest.json");
    assert.equal(Config, modernImage.Config);
  }
});

Deno.test("export of a file makes a face that it lacks, of a pipe says what to do", async () => {
  const fromPipe = (stdin: string, face: string) =>
    ciso(["export", "-", "--as", face, "-o", `${work}/none`], { stdin });
  const all = `${work}/all.isoc`;
  await build([rootfs, "-t", "isoc/hello"], all);

  const blobs = `${work}/blobs-only.isoc`;
  await build([rootfs, "-t", "isoc/hello", "--faces", "docker,oci"], blobs);
  for (const face of ["appc", "bundle", "lxd"]) {
    assertRefused(
      await fromPipe(blobs, face),
      /standard input: The archive has no rootfs\/; ciso convert/,
    );
    const whole = await exported(all, face, "whole.tar");
    const made = await exported(blobs, face, "made.tar");
    assert.equal(await digest(made), await digest(whole));
  }
  const appc = `${work}/appc-only.isoc`;
  await build([rootfs, "-t", "isoc/hello", "--faces", "appc"], appc);
  for (const face of ["docker", "oci", "docker-v1", "rootfs"]) {
    assertRefused(
      await fromPipe(appc, face),
      /standard input: The archive holds no layer; ciso convert/,
    );
    assert.ok((await names(await exported(appc, face, "made.tar"))).length > 0);
  }
  await appcValidate(await exported(appc, "appc"));
});

Deno.test("export takes a compressed isoc", async () => {
  const packed = `${work}/hello.isoc.gz`;
  await run("sh", ["-c", 'gzip -c "$0" >"$1"', modern.isoc, packed]);
  for (const face of ["oci", "appc"]) {
    const file = await exported(packed, face, "unpacked.tar");
    assert.equal(
      await digest(file),
      await digest(await exported(modern.isoc, face)),
    );
  }
});

Deno.test("export tells wrong usage", async () => {
  const { isoc } = modern;
  const cases: [string[], RegExp][] = [
    [[isoc], /needs --as: one of appc, docker/],
    [[isoc, "--as", "rkt"], /--as: "rkt" is not one of appc/],
    [[isoc, isoc, "--as", "oci"], /takes one archive, but here are 2/],
    [[isoc, "--as", "oci", "--tag", "x"], /Unknown option --tag/],
    [["--as", "oci", "--max-unpacked", "lots"], /--max-unpacked: "lots"/],
  ];
  for (const [args, line] of cases) {
    assertRefused(await ciso(["export", ...args]), line, 2);
  }
  const missing = await ciso(["export", "/no/such.isoc", "--as", "oci"]);
  assertRefused(missing, /Cannot read \/no\/such\.isoc: no such file/);
  const directory = await ciso(["export", isoc, "--as", "oci", "-o", work]);
  assertRefused(directory, /Cannot write .*: it is a directory/);
  for (const face of FACES) {
    const noTar = await ciso(["export", "--as", face], {
      stdin: crypto.getRandomValues(new Uint8Array(5000)),
    });
    assertRefused(noTar, /standard input: /);
    const empty = await ciso(["export", "--as", face]);
    assertRefused(empty, /standard input: .*empty/);
  }
  const help = await ciso(["export", "--help"]);
  assert.match(help.stdout, /^ {2}docker-v1 {2}for Docker 1\.9/m);
  assertSucceeded(help);
});

Deno.test("export ends quietly when its reader has enough", async () => {
  const line = '"$@" | head -c 1 | wc -c; echo "${PIPESTATUS[0]}"';
  const result = await shell(line, ["export", modern.isoc, "--as", "appc"]);
  assert.equal(result.stderr, "");
  assert.equal(result.stdout, "1\n141\n");
});

/** A tar of entries that no decent program would write. */
function tarOf(
  entries: { name: string; type?: string; link?: string; text?: string }[],
): Uint8Array {
  const encoder = new TextEncoder();
  const blocks = entries.map(({ name, type = "0", link = "", text = "" }) => {
    const data = encoder.encode(text);
    const block = new Uint8Array(512 + Math.ceil(data.length / 512) * 512);
    const put = (at: number, value: string) =>
      block.set(encoder.encode(value), at);
    put(0, name);
    put(100, "0000755\0" + "0000000\0".repeat(2));
    put(124, data.length.toString(8).padStart(11, "0") + "\0");
    put(136, "00000000000\0" + " ".repeat(8) + type + link);
    put(257, "ustar\x0000");
    const sum = block.subarray(0, 512).reduce((sum, byte) => sum + byte, 0);
    put(148, sum.toString(8).padStart(6, "0") + "\0");
    block.set(data, 512);
    return block;
  });
  return new Uint8Array([
    ...blocks.flatMap((block) => [...block]),
    ...new Uint8Array(1024),
  ]);
}

const CONFIG = { name: "config.json", text: "{}" };
const DIRECTORY = { name: "rootfs/", type: "5" };
const REPOSITORIES = {
  name: "repositories",
  text: JSON.stringify({ x: { latest: "0".repeat(64) } }),
};
/** Puts the archive in an order that ciso knows, without any v1 part. */
const V1 = { name: `${"0".repeat(64)}/json`, text: "{}" };

const UNSAFE: Record<
  string,
  { entries: Parameters<typeof tarOf>[0]; line: RegExp }
> = {
  "a name that climbs": {
    entries: [{ name: "rootfs/../../evil", text: "x" }],
    line: /Entry "rootfs\/\.\.\/\.\.\/evil": The path climbs with '\.\.'/,
  },
  "a file through a symlink": {
    entries: [
      { name: "rootfs/a", type: "2", link: ".." },
      { name: "rootfs/a/evil", text: "x" },
    ],
    line: /Cannot unpack "rootfs\/a\/evil": "rootfs\/a" is a symlink/,
  },
  "a file through an absolute symlink": {
    entries: [
      { name: "rootfs/a", type: "2", link: "/tmp" },
      { name: "rootfs/a/b/evil", text: "x" },
    ],
    line: /"rootfs\/a" is a symlink/,
  },
  "a file over a symlink": {
    entries: [
      { name: "rootfs/a", type: "2", link: "../../evil" },
      { name: "rootfs/a", text: "x" },
    ],
    line: /Cannot unpack "rootfs\/a": the archive holds it twice/,
  },
  "a hard link that climbs": {
    entries: [{ name: "rootfs/a", type: "1", link: "../evil" }],
    line: /the hard link leads out of rootfs\//,
  },
  "an absolute hard link": {
    entries: [{ name: "rootfs/a", type: "1", link: "/etc/passwd" }],
    line: /the hard link leads out of rootfs\//,
  },
  "a hard link through a symlink": {
    entries: [
      { name: "rootfs/a", type: "2", link: "/etc" },
      { name: "rootfs/b", type: "1", link: "rootfs/a/passwd" },
    ],
    line: /it is a hard link to "rootfs\/a\/passwd", which is not there/,
  },
  "a directory over a symlink": {
    entries: [
      { name: "rootfs/a", type: "2", link: "/tmp" },
      { name: "rootfs/a/", type: "5" },
    ],
    line: /"rootfs\/a" is a symlink/,
  },
  "a symlink for rootfs": {
    entries: [{ name: "rootfs", type: "2", link: "/tmp" }],
    line: /rootfs is no directory/,
  },
  "a symlink for config.json": {
    entries: [{ name: "config.json", type: "2", link: "/etc/passwd" }],
    line: /config\.json is no plain file/,
  },
};

for (const [what, { entries, line }] of Object.entries(UNSAFE)) {
  Deno.test(`export -o DIR/ refuses ${what}`, async () => {
    await using folder = await temporary();
    const isoc = `${folder.path}/unsafe.isoc`;
    const front = what.includes("symlink for") ? [] : [CONFIG, DIRECTORY];
    for (const known of [[REPOSITORIES, V1], []]) {
      await Deno.writeFile(isoc, tarOf([...known, ...front, ...entries]));
      const args = ["--as", "bundle", "-o", `${folder.path}/bundle/`];
      assertRefused(await ciso(["export", isoc, ...args]), line);
      const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
      assert.deepEqual(left, ["unsafe.isoc"]);
    }
  });
}

Deno.test("export -o DIR/ unpacks absolute names below DIR, and nothing beside rootfs/", async () => {
  await using folder = await temporary();
  const isoc = `${folder.path}/absolute.isoc`;
  await Deno.writeFile(
    isoc,
    tarOf([
      CONFIG,
      DIRECTORY,
      { name: "/rootfs/tmp/file", text: "x" },
      { name: "/evil", text: "x" },
      { name: "evil", text: "x" },
    ]),
  );
  const args = ["--as", "bundle", "-o", `${folder.path}/bundle/`];
  assert.equal((await ciso(["export", isoc, ...args])).code, 0);
  const list = await run("find", [`${folder.path}/bundle`, "-printf", "%P\n"]);
  assert.deepEqual(list.trim().split("\n").sort(), [
    ...["config.json", "rootfs", "rootfs/tmp", "rootfs/tmp/file"],
  ]);
  assert.deepEqual(
    [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(),
    ["absolute.isoc", "bundle"],
  );
});

Deno.test("export -o DIR/ fills an empty directory and refuses one that is not", async () => {
  await using folder = await temporary();
  const { path } = folder;
  await Deno.mkdir(`${path}/empty`);
  const args = ["export", modern.isoc, "--as", "bundle", "-o"];
  assert.equal((await ciso([...args, `${path}/empty`])).code, 0);
  assert.ok((await Deno.stat(`${path}/empty/rootfs/bin/busybox`)).isFile);
  assertRefused(await ciso([...args, `${path}/empty/`]), /it is not empty/);
  assert.ok((await Deno.stat(`${path}/empty/rootfs/bin/busybox`)).isFile);
  await Deno.mkdir(`${path}/cut`);
  const cut = (await Deno.readFile(modern.isoc)).subarray(0, 1_000_000);
  const result = await ciso(
    ["export", "--as", "bundle", "-o", `${path}/cut`],
    { stdin: cut },
  );
  assertRefused(result, /cut short/);
  assert.deepEqual([...Deno.readDirSync(`${path}/cut`)], []);
});

Deno.test("all runtimes export the same", async (t) => {
  const late = await repacked(modern.isoc, LATE);
  for (const runtime of await bundleRuntimes()) {
    const { command } = runtime;
    await t.step({
      ...unlessMissing(runtime.name, runtime),
      async fn() {
        assertNothingMissing(runtime);
        for (const isoc of [modern.isoc, old.isoc, late]) {
          for (const face of FACES) {
            const line = 'cat "$ISOC" | "$@" | sha256sum';
            const args = ["export", "--as", face];
            const options = { env: { ISOC: isoc } };
            const expected = await shell(line, args, {
              ...options,
              command: CISO,
            });
            assertSucceeded(expected);
            const result = await shell(line, args, { ...options, command });
            assert.deepEqual(result, expected);
          }
        }
        const bundle = `${work}/${runtime.name}`;
        const result = await ciso(
          ["export", modern.isoc, "--as", "bundle", "-o", `${bundle}/`],
          { command },
        );
        assert.equal(result.code, 0, result.stderr);
        const options = { noNs: true };
        const ignore = isRoot ? options : { ...options, bare: ["."] };
        if (isRoot) {
          assert.equal(
            diffTrees(
              await listTree(`${bundle}/rootfs`, ignore),
              await gnuTree(rootfs, ignore),
            ),
            "",
          );
        }
      },
    });
  }
});
