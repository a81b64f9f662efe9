// A rootfs that --layer-size splits is the same tree in every engine: modes, owners
// and times of directories that several layers share, hard links between files that
// are far apart, extended attributes, sparse files; also where each layer comes amid
// its own files below rootfs/, as in a compressed archive.

import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import {
  checkEngines,
  dockerForAll,
  ignoreTrees,
} from "../support/every_engine.ts";
import { run } from "../support/run.ts";

const ODD_TREE = `${import.meta.dirname}/../support/odd_tree.py`;

Deno.test({
  name: "a rootfs split into layers is the same tree in every engine",
  ignore: ignoreTrees,
  async fn(t) {
    await using work = await temporary();
    const tree = `${work.path}/tree`;
    await run("python3", [ODD_TREE, tree]);
    const script = `
      cd "$0"
      mkdir -p a/deep/er z/empty m
      for i in 1 2 3 4; do head -c 600000 /dev/urandom >a/deep/$i; done
      ln a/deep/1 z/first; ln a/deep/4 m/fourth; ln z/first a/deep/er/again
      head -c 600000 /dev/urandom >m/other; ln m/other z/other
      chmod 2711 a/deep; chown 5:7 a/deep z; chmod 1700 z
      touch -d @1000000 a a/deep a/deep/er z z/empty m
    `;
    await run("bash", ["-euc", script, tree]);
    const tar = `${work.path}/odd.tar`;
    const form = ["--format=pax", "--xattrs", "--xattrs-include=*", "--acls"];
    await run("tar", [...form, "--sort=name", "-C", tree, "-cf", tar, "."]);
    const packed = `${work.path}/split.isoc.zst`;
    const image = ["-t", "isoc/split", "--created=0", "-o", packed];
    const small = ["--layer-size=1.25M", "--window=1M", "--json"];
    const { stdout, stderr, code } = await ciso(
      [tar, ...image, ...small, "--", "/bin/true"],
    );
    assert.equal(code, 0, stderr);
    const archive = `${work.path}/split.isoc`;
    await run("zstd", ["-dq", packed, "-o", archive]);
    const names = (await run("tar", ["-tf", archive])).split("\n");
    const isFile = (name: string) => name.startsWith("rootfs/z/");
    const last = names.findLastIndex((name) => name.startsWith("blobs/"));
    assert.ok(
      names.findIndex(isFile) > 0 && last > names.indexOf("rootfs/bin/"),
    );
    assert.ok(JSON.parse(stdout).layers.length > 3, stdout);
    const verified = await ciso(["verify", archive]);
    assert.match(verified.stdout, /no findings/);
    await using docker = await dockerForAll();
    await checkEngines(t, { tar, archive, docker });
  },
});
