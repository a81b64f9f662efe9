// The file at -o, and what ciso keeps until it is complete: nothing is left
// where it fails or is stopped.

import assert from "node:assert/strict";
import { CISO, ciso, shell, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertQuiet,
  assertRefused,
  filesIn,
  IMAGE,
  isRoot,
  linux,
  list,
  makeLargeRootfs,
  rootfs,
  until,
  work,
} from "../support/small_rootfs.ts";

Deno.test("ciso refuses a forbidden name before it writes anything", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  for (
    const [name, line] of [
      ["isoc/Hello", /"?isoc\/Hello"?.*(lower|upper)/],
      ["isoc hello", /isoc hello/],
      ["isoc/hello:", /isoc\/hello:/],
      ["a".repeat(300), /aaa.*\d+/],
      [`x:${"a".repeat(129)}`, /aaa.*128/],
      ["-", /-/],
    ] as [string, RegExp][]
  ) {
    const words = [rootfs, `--tag=${name}`, "--", "/bin/sh"];
    assertRefused(await ciso(words), 2, line);
    assertRefused(await ciso(["-o", archive, ...words]), 2, line);
    assertRefused(
      await ciso([rootfs, "--", "/bin/sh"], { env: { NAME: name } }),
      2,
      line,
    );
    assert.deepEqual(filesIn(folder.path), []);
  }
});

Deno.test("ciso leaves the file at -o as it was when the build fails", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  await Deno.writeTextFile(archive, "old");
  const short = `${folder.path}/short.tar`;
  await Deno.writeFile(
    short,
    (await Deno.readFile(rootfs)).subarray(0, 999_424),
  );
  assert.equal((await ciso([short, "-o", archive, ...IMAGE])).code, 1);
  assert.equal(await Deno.readTextFile(archive), "old");
  assert.deepEqual(filesIn(folder.path), ["short.tar", "x.isoc"]);
});

Deno.test("ciso replaces the file at -o, through a symlink too", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const link = `${folder.path}/link`;
  await Deno.writeTextFile(archive, "old");
  await Deno.symlink("x.isoc", link);
  assertQuiet(await ciso([rootfs, "-o", link, ...IMAGE]));
  assert.equal(await Deno.readLink(link), "x.isoc");
  assert.ok((await list(archive)).includes("manifest.json"));
  assert.deepEqual(filesIn(folder.path), ["link", "x.isoc"]);
});

Deno.test("ciso refuses an -o that cannot be written", async () => {
  await using folder = await temporary();
  assertRefused(
    await ciso([rootfs, "-o", `${folder.path}/no/x.isoc`, ...IMAGE]),
    1,
    /Cannot write .*\/no\/x\.isoc: the directory .* does not exist; make it first/,
  );
  assertRefused(
    await ciso([rootfs, "-o", folder.path, ...IMAGE]),
    1,
    /Cannot write .*: it is a directory/,
  );
  assert.deepEqual(filesIn(folder.path), []);
});

for (
  const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], [
    "SIGHUP",
    129,
  ]] as const
) {
  Deno.test(`ciso leaves no file after ${signal} while it writes`, async () => {
    await using folder = await temporary();
    const input = `${work}/large.tar`;
    await makeLargeRootfs(input, 2 ** 28);
    const archive = `${folder.path}/x.isoc`;
    await Deno.writeTextFile(archive, "old");
    const [program, ...args] = [...CISO, input, "-q", "-o", archive, ...IMAGE];
    await using child = new Deno.Command(program!, { args }).spawn();
    await until("a temporary file", () => filesIn(folder.path).length === 2);
    child.kill(signal);
    assert.equal((await child.status).code, code);
    assert.deepEqual(filesIn(folder.path), ["x.isoc"]);
    assert.equal(await Deno.readTextFile(archive), "old");
  });
}

Deno.test({
  name:
    "ciso keeps a piped rootfs in TMPDIR, where it is gone however ciso ends",
  ignore: !linux,
  async fn() {
    await using folder = await temporary();
    const archive = `${folder.path}/x.isoc`;
    const spool = `${folder.path}/spool`;
    await Deno.mkdir(spool);
    // Into a file it goes at once to its place in there.
    for (const output of [[], ["-o", archive]]) {
      const [program, ...args] = [...CISO, ...output, ...IMAGE];
      await using child = new Deno.Command(program!, {
        args,
        env: { TMPDIR: spool },
        stdin: "piped",
        stdout: output.length > 0 ? "inherit" : "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write((await Deno.readFile(rootfs)).subarray(0, 1_000_000));
      const place = output.length > 0 ? `${folder.path}/.x.isoc.` : `${spool}/`;
      await until(
        "a spool file",
        () => openFiles(child.pid).some((path) => path.startsWith(place)),
      );
      child.kill("SIGINT");
      assert.equal((await child.status).code, 130);
      await writer.abort().catch(() => {});
      if (output.length === 0) await child.stdout.cancel();
      assert.deepEqual(filesIn(spool), []);
      assert.deepEqual(filesIn(folder.path), ["spool"]);
    }
  },
});

/** What a process has open. */
function openFiles(pid: number): string[] {
  return filesIn(`/proc/${pid}/fd`).map((fd) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
}

Deno.test("ciso tells when TMPDIR cannot hold a piped rootfs", async () => {
  const stdin = await Deno.readFile(rootfs);
  for (const TMPDIR of ["/no/such/directory", rootfs]) {
    assertRefused(
      await ciso(IMAGE, { stdin, env: { TMPDIR } }),
      1,
      new RegExp(`Cannot keep standard input in ${TMPDIR} .*TMPDIR`),
    );
  }
  // A file needs no spool file, nor does a pipe whose archive goes into a file.
  const env = { TMPDIR: "/no/such/directory" };
  const output = ["-q", "-o", `${work}/x.isoc`];
  assertQuiet(await ciso([rootfs, ...output, ...IMAGE], { env }));
  assertQuiet(await ciso([...output, ...IMAGE], { stdin, env }));
});

Deno.test({
  name: "ciso leaves no file on a full disk",
  ignore: !linux || !isRoot,
  async fn() {
    await using folder = await temporary();
    const disk = `${folder.path}/disk`;
    await Deno.mkdir(disk);
    await makeLargeRootfs(`${folder.path}/rootfs.tar`, 2 ** 21);
    await run("mount", ["-t", "tmpfs", "-o", "size=1m", "none", disk]);
    try {
      await Deno.writeTextFile(`${disk}/x.isoc`, "old");
      assertRefused(
        await ciso([
          "-q",
          `${folder.path}/rootfs.tar`,
          "-o",
          `${disk}/x.isoc`,
          ...IMAGE,
        ]),
        1,
        /Cannot write .*x\.isoc: no space left on the device/,
      );
      assert.deepEqual(filesIn(disk), ["x.isoc"]);
      assert.equal(await Deno.readTextFile(`${disk}/x.isoc`), "old");
      assertRefused(
        await ciso(["-q", ...IMAGE], {
          stdin: await Deno.readFile(`${folder.path}/rootfs.tar`),
          env: { TMPDIR: disk },
        }),
        1,
        /Cannot keep standard input in .*TMPDIR.*: no space left on the device/,
      );
      assert.deepEqual(filesIn(disk), ["x.isoc"]);
    } finally {
      await run("umount", [disk]);
    }
  },
});

Deno.test({
  name: "ciso fails when standard output is full",
  ignore: !linux,
  async fn() {
    const full = /Cannot write standard output: no space left on the device/;
    for (const args of [[rootfs, ...IMAGE], ["--help"], ["--version"]]) {
      assertRefused(await shell('"$@" >/dev/full', args), 1, full);
    }
  },
});

Deno.test("ciso ends quietly when its reader goes away", async () => {
  const { code, stdout, stderr } = await shell(
    '"$@" | head -c 1 | wc -c; exit "${PIPESTATUS[0]}"',
    [rootfs, ...IMAGE],
  );
  assert.equal(stdout.trim(), "1");
  assert.equal(stderr, "");
  assert.equal(code, 141);
});
