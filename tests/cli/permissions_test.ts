// ciso under Deno with fewer permissions than all: the same bytes, or one line that
// names what is missing. Unless it may do all, Deno follows paths in a way of its
// own: it ignores O_NOFOLLOW, a slash at the end and symlinks before `..`.

import assert from "node:assert/strict";
import { ciso, PERMISSIONS, type Result, shell } from "../support/ciso.ts";
import { bundleRuntimes, lacking, unlessMissing } from "../support/runtimes.ts";
import { tarOf } from "../support/tar_writer.ts";

const work = await Deno.makeTempDir({ prefix: "isoc-permissions-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
const [deno] = await bundleRuntimes();
const bundle = deno!.command.at(-1)!;

const ROOTFS = tarOf([{ name: "a", data: "a", mode: 0o755 }]);
const IMAGE = ["-q", "-t", "isoc/hello", "--created=0", "--cmd=/a"];

/** A new directory with an input, another one for outputs, and one in between. */
async function place(): Promise<string> {
  const path = await Deno.makeTempDir({ dir: work });
  for (const name of ["in", "out", "tmp", "in/tree", "away", "away/below"]) {
    await Deno.mkdir(`${path}/${name}`);
  }
  await Deno.writeFile(`${path}/in/a.tar`, ROOTFS);
  await Deno.writeTextFile(`${path}/in/tree/a`, "a");
  await Deno.chmod(`${path}/in/tree/a`, 0o755);
  return path;
}

/** Runs ciso in such a directory, or a line of bash in which `"$@"` is ciso. */
function allowed(
  permissions: string[],
  args: string[],
  cwd: string,
  line = '"$@"',
): Promise<Result> {
  const command = [Deno.execPath(), "run", "--no-prompt", "--no-config"];
  return shell(line, args, {
    command: [...command, ...permissions, bundle],
    cwd,
    env: { TMPDIR: `${cwd}/tmp` },
  });
}

function assertLine({ code, stderr }: Result, text: RegExp): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^ciso: [^\n]*\n$/);
  assert.match(stderr, text);
}

const PATHS = ["--allow-read=in,out,tmp", "--allow-write=out,tmp"];
const [READ, WRITE, ENV] = ["--allow-read", "--allow-write", "--allow-env"];

Deno.test({
  ...unlessMissing("ciso gives the same bytes with paths alone", deno!),
  async fn() {
    const path = await place();
    const args = ["in/a.tar", ...IMAGE, "-o"];
    const runs: [string, string[], string][] = [
      ["all", ["--allow-all"], '"$@"'],
      ["paths", PATHS, '"$@"'],
      ["file", ["--allow-read=in,out", "--allow-write=out"], '"$@"'],
      ["environment", [...PATHS, ENV], '"$@"'],
    ];
    for (const [name, permissions, line] of runs) {
      const out = `out/${name}`;
      const result = await allowed(permissions, [...args, out], path, line);
      assert.deepEqual(result, { code: 0, stdout: "", stderr: "" });
      assert.deepEqual(
        await Deno.readFile(`${path}/${out}`),
        await Deno.readFile(`${path}/out/all`),
      );
    }
    // A path in the image is no path of this machine.
    const cat = ["cat", "out/all", "/a"];
    assert.equal((await allowed(["--allow-read=out"], cat, path)).stdout, "a");
  },
});

const BUILD = ["in/a.tar", ...IMAGE, "-o", "out/x"];
const TREE = ["in/tree", ...IMAGE, "-o", "out/x"];
const SERVE = ["serve", "out/all", "--listen", "127.0.0.1:0"];
/** Permissions, arguments, and what the one line says. */
const LACKING: Record<string, [string[], string[], RegExp]> = {
  "to read": [
    [WRITE, ENV],
    BUILD,
    /Cannot read in\/a\.tar: Deno does not let ciso read "in\/a\.tar"; run it with --allow-read$/m,
  ],
  "to write": [
    [READ, ENV],
    BUILD,
    /Cannot write out\/x: Deno does not let ciso write "out\/\.x\..*"; run it with --allow-write$/m,
  ],
  "the environment": [
    [READ, WRITE],
    ["in/a.tar", "-o", "out/x"],
    /ciso: Deno does not let ciso read the environment variable "NAME"; run it with --allow-env$/m,
  ],
  "find": [PERMISSIONS, TREE, /allow it with --allow-run=find/],
  "find's environment": [
    [READ, WRITE, "--allow-env=TMPDIR", "--allow-run=find"],
    TREE,
    /Cannot run find: Deno does not let ciso read the environment; run it with --allow-env$/m,
  ],
  "the whole disk, for a directory": [
    [...PATHS, ENV],
    ["copy", "-q", "out/all", "oci:out/layout"],
    /Cannot write out\/layout: Deno does not let ciso read "\/"; run it with --allow-read$/m,
  ],
  "the network, to serve": [
    PERMISSIONS,
    SERVE,
    /Deno does not let ciso reach "127\.0\.0\.1:0"; run it with --allow-net$/m,
  ],
  "a device": [
    PERMISSIONS,
    ["/dev/stdin", ...IMAGE, "-o", "out/x"],
    /Cannot read \/dev\/stdin: Deno does not let ciso use "\/dev\/stdin"; run it with --allow-all, or use a pipe/,
  ],
};

Deno.test({
  ...unlessMissing("ciso names the permission that it lacks", deno!),
  ignore: Deno.build.os !== "linux",
  async fn() {
    const path = await place();
    const all = ["in/a.tar", ...IMAGE, "-o", "out/all"];
    assert.equal((await allowed(["--allow-all"], all, path)).code, 0);
    for (const [permissions, args, line] of Object.values(LACKING)) {
      assertLine(await allowed(permissions, args, path), line);
      // Nothing half-written is left.
      assert.deepEqual([...Deno.readDirSync(`${path}/tmp`)], []);
      const out = [...Deno.readDirSync(`${path}/out`)];
      assert.deepEqual(out.map(({ name }) => name), ["all"]);
    }
  },
});

Deno.test({
  ...unlessMissing("ciso load runs engines that Deno must not look for", deno!),
  async fn() {
    const path = await place();
    const result = await allowed([...PATHS, ENV], ["load", "in/a.tar"], path);
    assert.equal(result.code, 2);
    assert.match(
      result.stderr,
      /docker \(cannot be run\).*--allow-run=docker,/,
    );
  },
});

// The same under all runtimes, and under Deno with all permissions or less.
for (
  const { name, command, missing } of [
    ...await bundleRuntimes(),
    {
      name: "deno with all permissions",
      command: [Deno.execPath(), "run", "--allow-all", bundle],
      missing: deno!.missing,
    },
  ]
) {
  Deno.test({
    ...unlessMissing(`a slash makes a path a directory, under ${name}`, {
      missing,
    }),
    async fn() {
      const cwd = await place();
      for (
        const [input, output] of [
          ["in/a.tar/", "out/x"],
          ["in/a.tar", "out/x/"],
          ["in/a.tar", "away/a/"],
        ]
      ) {
        await Deno.writeTextFile(`${cwd}/away/a`, "kept");
        const args = [input!, ...IMAGE, "-o", output!];
        assertLine(
          await ciso(args, { command, cwd }),
          /: a part of the path is not a directory$/m,
        );
        assert.deepEqual([...Deno.readDirSync(`${cwd}/out`)], []);
        assert.equal(await Deno.readTextFile(`${cwd}/away/a`), "kept");
      }
    },
  });

  Deno.test({
    ...unlessMissing(`.. leads from where a symlink leads, under ${name}`, {
      missing,
    }),
    async fn() {
      const cwd = await place();
      await Deno.symlink("../away/below", `${cwd}/in/link`);
      await Deno.copyFile(`${cwd}/in/a.tar`, `${cwd}/away/a.tar`);
      await Deno.writeTextFile(`${cwd}/in/a.tar`, "another file");
      const around = await ciso(
        ["in/link/../a.tar", ...IMAGE, "-o", "out/x"],
        { command, cwd },
      );
      const onto = await ciso(
        ["away/a.tar", ...IMAGE, "-o", "in/link/../x"],
        { command, cwd },
      );
      if (name === "deno") {
        const past =
          /Deno leads "in\/link\/\.\.\/\w+.*past the symlink "in\/link"/;
        assertLine(around, past);
        assertLine(onto, past);
      } else {
        assert.deepEqual([around.code, onto.code], [0, 0], around.stderr);
        assert.ok((await Deno.stat(`${cwd}/away/x`)).isFile);
      }
      assert.throws(() => Deno.statSync(`${cwd}/in/x`), Deno.errors.NotFound);
    },
  });
}

Deno.test({
  ...unlessMissing("programs need the environment", deno!, lacking("xz")),
  async fn() {
    const cwd = await place();
    await new Deno.Command("xz", { args: [`${cwd}/in/a.tar`] }).output();
    const args = ["in/a.tar.xz", ...IMAGE, "-o", "out/x"];
    assertLine(
      await allowed([READ!, WRITE!, "--allow-run=xz"], args, cwd),
      /cannot start xz: Deno does not let ciso read the environment; run it with --allow-env$/m,
    );
  },
});
