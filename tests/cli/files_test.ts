// What ciso does with the files, pipes and devices that it is pointed to, under
// every runtime: no hang, no half-written file, and an old file's mode stays.

import assert from "node:assert/strict";
import { ciso, type Result, shell } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  type Runtime,
  unlessMissing,
} from "../support/runtimes.ts";
import { tarOf } from "../support/tar_writer.ts";

const work = await Deno.makeTempDir({ prefix: "isoc-files-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
const RUNTIMES: Runtime[] = await bundleRuntimes(["--allow-run=find"]);
const root = Deno.uid() === 0 ? {} : { missing: "root" };

const rootfs = `${work}/rootfs.tar`;
await Deno.writeFile(rootfs, tarOf([{ name: "a", data: "a", mode: 0o755 }]));
const large = `${work}/large.tar`;
await Deno.writeFile(
  large,
  tarOf([{ name: "a", data: "a".repeat(8 << 20), mode: 0o755 }]),
);
const IMAGE = ["-q", "-t", "isoc/hello", "--created=0", "--cmd=/a"];
const plain = `${work}/plain.isoc`;
assert.equal((await ciso([rootfs, ...IMAGE, "-o", plain])).stderr, "");

function test(
  name: string,
  fn: (
    runtime: Runtime,
    place: string,
    make: (...args: string[]) => Promise<Result>,
  ) => Promise<void>,
): void {
  for (const runtime of RUNTIMES) {
    const needed = [runtime, root];
    Deno.test({
      ...unlessMissing(`${name}, under ${runtime.name}`, ...needed),
      async fn() {
        assertNothingMissing(...needed);
        const place = await Deno.makeTempDir({ dir: work });
        const options = { command: runtime.command };
        await fn(
          runtime,
          place,
          (...args) => ciso([...IMAGE, ...args], options),
        );
        await Deno.remove(place, { recursive: true });
      },
    });
  }
}

const names = (path: string) =>
  [...Deno.readDirSync(path)].map(({ name }) => name).sort();

/** Asserts one line of error and exit code 1. */
function assertRefused({ code, stderr }: Result, words: RegExp): void {
  assert.match(stderr, /^ciso: [^\n]*\n$/);
  assert.match(stderr, words);
  assert.equal(code, 1);
}

async function assertMade(path: string, result: Result): Promise<void> {
  assert.equal(result.stderr, "");
  assert.equal(result.code, 0);
  assert.equal(await run("cmp", [plain, path]), "");
}

test("-o keeps an old file's mode and owner", async (runtime, place, make) => {
  const file = `${place}/out`;
  for (
    const [mode, uid, gid] of [[0o600, 0, 0], [0o640, 1, 2], [0o4755, 3, 0]]
  ) {
    await Deno.writeTextFile(file, "old");
    await Deno.chown(file, uid!, gid!);
    await Deno.chmod(file, mode!);
    await assertMade(file, await make(rootfs, "-o", file));
    const stat = Deno.statSync(file);
    assert.deepEqual(
      [stat.mode! & 0o7777, stat.uid, stat.gid],
      [mode, uid, gid],
    );
  }
  // The exported face is no other.
  await Deno.chmod(file, 0o600);
  const exported = await ciso(
    ["export", "--as", "docker", plain, "-q", "-o", file],
    { command: runtime.command },
  );
  assert.equal(exported.code, 0, exported.stderr);
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
  // A new one follows the umask.
  const made = await shell(`umask 027; "$@"`, [
    ...[...IMAGE, rootfs, "-o", `${place}/new`],
  ], { command: runtime.command });
  await assertMade(`${place}/new`, made);
  assert.equal(Deno.statSync(`${place}/new`).mode! & 0o777, 0o640);
  assert.deepEqual(names(place), ["new", "out"]);
});

test("-o writes where symlinks lead", async (_, place, make) => {
  await Deno.mkdir(`${place}/dir`);
  await Deno.symlink("dir/target", `${place}/dangling`);
  await Deno.symlink("dangling", `${place}/second`);
  await assertMade(
    `${place}/dir/target`,
    await make(rootfs, "-o", `${place}/second`),
  );
  assert.ok(Deno.lstatSync(`${place}/second`).isSymlink);
  assert.ok(Deno.lstatSync(`${place}/dangling`).isSymlink);
  await Deno.symlink("nowhere/target", `${place}/lost`);
  assertRefused(
    await make(rootfs, "-o", `${place}/lost`),
    /Cannot write \S*lost: the directory that it goes to does not exist; make it/,
  );
  await Deno.symlink("loop", `${place}/loop`);
  assertRefused(
    await make(rootfs, "-o", `${place}/loop`),
    /Cannot write \S*loop: its symlinks lead in a circle/,
  );
  assertRefused(
    await make(`${place}/loop`, "-o", `${place}/x`),
    /Cannot read \S*loop: its symlinks lead in a circle/,
  );
  assert.deepEqual(names(`${place}/dir`), ["target"]);
});

test("-o on a mounted file says so in plain words", async (runtime, place) => {
  const { stderr, code } = await shell(
    `cd '${place}'; touch file from
    unshare --mount bash -c 'mount --bind from file && "$@"' bash "$@"`,
    [...IMAGE, rootfs, "-o", "file"],
    { command: runtime.command },
  );
  if (/unshare|mount/.test(stderr) && !/^ciso/.test(stderr)) return;
  assert.match(
    stderr,
    /^ciso: Cannot write file: it is in use, or something is mounted there\n$/,
  );
  assert.equal(code, 1);
  assert.deepEqual(names(place), ["file", "from"]);
});

test(
  "a pipe without another end does not hang",
  async (runtime, place, make) => {
    const fifo = `${place}/fifo`;
    await run("mkfifo", [fifo]);
    const writes =
      /fifo is a pipe that nobody writes to: start the other program/;
    assertRefused(await make(fifo, "-o", `${place}/x`), writes);
    assertRefused(
      await make(rootfs, "-o", fifo),
      /fifo is a pipe that nobody reads: start the other program first/,
    );
    assertRefused(
      await make(rootfs, "--config", fifo, "-o", `${place}/x`),
      writes,
    );
    const options = { command: runtime.command };
    assertRefused(
      await ciso(["convert", fifo, ...IMAGE, "-o", `${place}/x`], options),
      writes,
    );
    await Deno.writeTextFile(`${place}/oci-layout`, "{}");
    for (const name of ["index.json", "manifest.json"]) {
      await run("mkfifo", [`${place}/${name}`]);
    }
    assertRefused(
      await ciso(["convert", place, ...IMAGE, "-o", `${work}/x`], options),
      /(index|manifest)\.json: it is not a regular file/,
    );
    assert.ok(!names(place).includes("x"));
  },
);

test(
  "pipes with another end work, whoever comes first",
  async (runtime, place) => {
    const options = { command: runtime.command };
    await run("mkfifo", [`${place}/in`, `${place}/out`]);
    const result = await shell(
      `cd '${place}'; (sleep 0.5; cat '${rootfs}' >in) & (sleep 0.5; cat out >made) &
    "$@"; code=$?; wait; exit $code`,
      [...IMAGE, "in", "-o", "out"],
      options,
    );
    await assertMade(`${place}/made`, result);
    await Deno.writeTextFile(
      `${place}/config`,
      JSON.stringify({ config: { Cmd: ["/a"] } }),
    );
    const config = await shell(
      `cd '${place}'; "$@" --config <(sleep 0.3; cat config)`,
      [...IMAGE, rootfs, "-o", "configured"],
      options,
    );
    assert.equal(config.code, 0, config.stderr);
    assert.ok(names(place).includes("configured"));
  },
);

test("-o /dev/stdout appends as a redirection does", async (runtime, place) => {
  const result = await shell(
    `cd '${place}'; printf old >file; "$@" >>file && tail -c +4 file >rest`,
    [...IMAGE, rootfs, "-o", "/dev/stdout"],
    { command: runtime.command },
  );
  await assertMade(`${place}/rest`, result);
});

test(
  "standard input goes on where others have read to",
  async (runtime, place) => {
    const { command } = runtime;
    for (const input of [rootfs, large]) {
      const read = (line: string) =>
        shell(`cd '${place}'; ${line}`, [...IMAGE, "-o", "out"], {
          command,
          env: { IN: input, CISO_WAY: "beside" },
        });
      const whole = await read('"$@" "$IN"; mv out whole');
      assert.equal(whole.stderr, "");
      // Another tar before it may have the same beginning.
      for (const size of [5, 512, 2048]) {
        const { code, stderr } = await read(
          `head -c ${size} "$IN" | cat - "$IN" >in
        (head -c ${size} >/dev/null; "$@" -) <in; cmp out whole && rm out`,
        );
        assert.equal(stderr, "", `${size}`);
        assert.equal(code, 0);
      }
      const none = await read('(cat >/dev/null; "$@" -) <"$IN"');
      assertRefused(none, /standard input: The input is empty/);
    }
  },
);

test("a closed standard output is an error", async (runtime, place) => {
  const options = { command: runtime.command };
  for (const args of [[rootfs], [large], ["export", "--as", "oci", plain]]) {
    const command = args[0] === "export" ? args : [...IMAGE, ...args];
    assertRefused(
      await shell('"$@" >&-', command, options),
      /Cannot write standard output: it is closed/,
    );
  }
  const { code } = await shell('"$@" >/dev/null', [...IMAGE, rootfs], options);
  assert.equal(code, 0);
  assert.deepEqual(names(place), []);
});

test("--json reaches a slow reader whole", async (runtime, place) => {
  const labels = Array.from({ length: 3000 }, (_, i) => [
    "-t",
    `isoc/${"n".repeat(60)}${i}`,
  ]).flat();
  // A pipe that does not block, as some programs leave theirs.
  const result = await shell(
    `"$@" --json | (sleep 1; python3 -c '
import sys, time, json
text = b""
while chunk := sys.stdin.buffer.read1(3000):
    text += chunk
    time.sleep(0.001)
print(len(json.loads(text)["names"]))')`,
    ["-q", "--cmd=/a", "--created=0", ...labels, rootfs, "-o", `${place}/x`],
    { command: runtime.command },
  );
  assert.equal(result.stderr, "");
  assert.equal(result.stdout, "3000\n");
  assert.equal(result.code, 0);
});

test(
  "an input that changes is noticed with size and mtime restored",
  async (runtime, place) => {
    const input = `${place}/in.tar`;
    await Deno.copyFile(large, input);
    // The output's reader waits, so that the input is read while it changes.
    const result = await shell(
      `cd '${place}'; touch -d @1000000000 in.tar; mkfifo out
    "$@" & pid=$!
    exec 3<out; head -c 65536 <&3 >/dev/null
    printf b | dd of=in.tar bs=1 seek=7000000 conv=notrunc status=none
    touch -d @1000000000 in.tar; cat <&3 >/dev/null; wait $pid`,
      [...IMAGE, "in.tar", "-o", "out"],
      { command: runtime.command },
    );
    assertRefused(
      result,
      /in\.tar(: The input)? changed while it was read; try again/,
    );
  },
);

test(
  "nohup's SIGHUP is ignored, all others end ciso",
  async (runtime, place) => {
    // A pipe holds less: ciso reads by then.
    const line = (nohup: string, then: string) =>
      `cd '${place}'; mkfifo in; ${nohup} "$@" <in & pid=$!
    exec 3>in; head -c 1000000 '${large}' >&3; kill -HUP $pid; ${then}
    exec 3>&-; rm in; wait $pid`;
    const args = [...IMAGE, "-", "-o", "made"];
    const options = { command: runtime.command };
    // The pipe stays open: nothing but the signal ends it.
    const end = "timeout 60 tail --pid=$pid -s 0.05 -f /dev/null";
    const ended = await shell(line("", end), args, options);
    assert.equal(ended.code, 129, ended.stderr);
    assert.deepEqual(names(place), []);
    const rest = `sleep 0.3; tail -c +1000001 '${large}' >&3`;
    const survived = await shell(line("nohup", rest), args, options);
    assert.equal(survived.code, 0, survived.stderr);
    assert.deepEqual(names(place), ["made"]);
  },
);

test(
  "a low limit of the file size is an error like others",
  async (runtime, place) => {
    const result = await shell(
      `cd '${place}'; ulimit -f 1024; "$@"`,
      [...IMAGE, large, "-o", "made"],
      { command: runtime.command },
    );
    assertRefused(
      result,
      /Cannot write made: the file is too large for this file system, or for ulimit -f/,
    );
    assert.deepEqual(names(place), []);
  },
);

test(
  "standard output that is a file is what it was after a failure",
  async (runtime, place) => {
    const result = await shell(
      `cd '${place}'; echo old >out; ulimit -f 1024; "$@" >>out`,
      [...IMAGE, large],
      { command: runtime.command },
    );
    assertRefused(
      result,
      /Cannot write standard output: the file is too large/,
    );
    assert.equal(await Deno.readTextFile(`${place}/out`), "old\n");
  },
);

test("--no-fsync changes nothing but the wait", async (_, place, make) => {
  const file = `${place}/out`;
  await assertMade(file, await make(rootfs, "-o", file, "--no-fsync"));
});

test(
  "few file descriptors are named as what is missing",
  async (runtime, place) => {
    await Deno.mkdir(`${place}/tree`);
    await Deno.writeTextFile(`${place}/tree/a`, "a");
    const seen = new Set<string>();
    for (let limit = 20; limit < 30; limit++) {
      const { code, stderr } = await shell(
        `cd '${place}'; ulimit -n ${limit}; "$@"`,
        [...IMAGE, "tree", "-o", "made"],
        { command: runtime.command },
      );
      // With fewer still the runtime itself does not start.
      if (code === 0 || !stderr.startsWith("ciso: ")) continue;
      seen.add(stderr);
    }
    for (const line of seen) {
      assert.match(
        line,
        /: too many files are open; raise the limit with ulimit -n\n$/,
      );
    }
  },
);
