// ciso export --as bundle -o DIR/: what becomes of the files, and that nothing
// gets out of the directory. runc runs it.

import assert from "node:assert/strict";
import { ciso, type Result, ROOT, temporary } from "../support/ciso.ts";
import {
  assertRefused,
  build,
  exported,
  isRoot,
  modern,
  SAMPLES,
  TEXT,
} from "../support/exporting.ts";
import { isInstalled, run } from "../support/run.ts";
import { built } from "../support/runtimes.ts";
import { diffTrees, gnuTree, listTree } from "../support/tree.ts";
import { engineTest } from "../support/with_engine.ts";

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
      await unpacked(isoc, `${path}/bundle`);
      const args = ["--root", `${path}/runc`, "run", "-b", `${path}/bundle`];
      assert.equal(
        await run("runc", [...args, `isoc-${Deno.pid}`]),
        TEXT + "\n",
      );
    }
  },
);

/** Unpacks a bundle with all of Deno's permissions, as devices need them. */
async function unpacked(
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
    await unpacked(`${path}/odd.isoc`, `${path}/bundle`, "--allow-devices");
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
