// What archives ciso export takes: late documents, several layers, faces that
// were left out, compressed ones; the same from each runtime.

import assert from "node:assert/strict";
import { CISO, ciso, shell, temporary } from "../support/ciso.ts";
import {
  assertRefused,
  assertSucceeded,
  build,
  digest,
  ENTRIES,
  exported,
  FACES,
  isRoot,
  LATE,
  modern,
  names,
  old,
  piped,
  readJson,
  repacked,
  rootfs,
  SAMPLES,
  work,
} from "../support/exporting.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  unlessMissing,
} from "../support/runtimes.ts";
import { appcValidate, diffTrees, gnuTree, listTree } from "../support/tree.ts";

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
