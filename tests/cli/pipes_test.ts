// Pipes that are written without waiting for their readers: under Deno a write
// that finds one full does not tell how much it has written.

import assert from "node:assert/strict";
import { equalBytes } from "../../lib/streams/bytes.ts";
import { shell, temporary } from "../support/ciso.ts";
import { bundleRuntimes } from "../support/runtimes.ts";
import { entryOf, tarOf } from "../support/tar_writer.ts";

/** Runs its arguments with a pipe for standard output that is non-blocking. */
const NON_BLOCKING = `
import os, subprocess, sys, time
reader, writer = os.pipe()
os.set_blocking(writer, False)
process = subprocess.Popen(sys.argv[1:], stdout=writer, stderr=subprocess.PIPE)
os.close(writer)
time.sleep(1)
while data := os.read(reader, 1 << 16):
    os.write(1, data)
os.write(2, process.stderr.read())
sys.exit(process.wait())
`;

/** Ends a program whose standard output nobody reads any more; prints its code. */
const UNREAD = `
import os, subprocess, sys
reader, writer = os.pipe()
process = subprocess.Popen(sys.argv[1:], stdout=writer)
os.close(writer)
os.read(reader, 1)
process.terminate()
try:
    code = process.wait(60)
except subprocess.TimeoutExpired:
    process.kill()
    code = "none"
print(143 if code == -15 else code)
`;

/** Makes a tar of one program, of more bytes than a pipe holds. */
async function largerThanPipe(folder: string): Promise<string> {
  const path = `${folder}/in.tar`;
  const data = "x".repeat(1_000_000);
  await Deno.writeFile(path, tarOf([{ name: "a", data, mode: 0o755 }]));
  return path;
}

for (const { name, command, missing, env } of await bundleRuntimes()) {
  Deno.test({
    name: `ciso under ${name} loses nothing in pipes of any kind, or says so`,
    ignore: missing !== undefined,
    async fn() {
      await using work = await temporary();
      const input = await largerThanPipe(work.path);
      const build = [...command, input, "-q", "-t", "x", "--created", "1"];
      const run = (args: string[], way = "") =>
        new Deno.Command("python3", {
          args: ["-c", NON_BLOCKING, ...args, "--", "/a"],
          env: { ...env, CISO_WAY: way },
        }).output();
      const file = `${work.path}/out`;
      assert.equal((await run([...build, "-o", file])).code, 0);
      const whole = await Deno.readFile(file);
      const fifo = await shell(
        `cd '${work.path}'; mkfifo pipe; cat pipe >copy & "$@"; wait`,
        [...build.slice(command.length), "-o", "pipe", "--", "/a"],
        { command, ...(env && { env }) },
      );
      assert.equal(fifo.stderr, "");
      const copy = await Deno.readFile(`${work.path}/copy`);
      assert.equal(equalBytes(copy, whole), true);
      for (const way of ["alone", "beside"]) {
        const { code, stdout, stderr } = await run(build, way);
        if (code !== 0) {
          assert.equal(name, "deno", way);
          assert.match(
            new TextDecoder().decode(stderr),
            /^ciso: Cannot write standard output: it is a non-blocking pipe, of/,
          );
        } else assert.equal(equalBytes(stdout, whole), true, way);
      }
    },
  });
}

/**
 * Runs ciso on a pipe whose writer falls silent, and ends ciso when it has all
 * that has come. The writer is still there then.
 */
const SILENT = `
mkfifo pipe
(head -c 20000000 in.tar; exec sleep 1000) >pipe & writer=$!
"$@" <pipe & pid=$!
until [[ $(stat -c %s out/.x* 2>/dev/null) -gt 19000000 ]]; do sleep 0.05; done
kill -TERM $pid
wait $pid
code=$?
kill $writer || code=99
ls -A out
exit $code
`;

for (const { name, command, missing, env } of await bundleRuntimes()) {
  Deno.test({
    name: `ciso under ${name} ends at once while it waits for a pipe`,
    ignore: missing !== undefined || Deno.build.os !== "linux",
    async fn() {
      for (const way of ["beside", "alone"]) {
        await using work = await temporary();
        const header = entryOf({ name: "large", size: 2 ** 26 });
        await Deno.writeFile(`${work.path}/in.tar`, header.subarray(0, 512));
        await Deno.truncate(`${work.path}/in.tar`, 2 ** 26);
        await Deno.mkdir(`${work.path}/out`);
        const { code, stdout } = await shell(
          `cd '${work.path}'; ${SILENT}`,
          ["-q", "-t", "isoc/x", "-o", "out/x", "--", "/bin/sh"],
          { command, env: { ...env, CISO_WAY: way } },
        );
        assert.equal(code, 143, way);
        assert.equal(stdout, "", way);
      }
    },
  });
}

/** Writes to a device that is full, to a reader that goes, and to one that waits. */
const TROUBLES: [line: string, code: number, said: RegExp][] = [
  ['"$@" >/dev/full', 1, /^ciso: Cannot write standard output: no space left/],
  ['"$@" | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"', 141, /^$/],
  [
    `mkfifo pipe
(head -c 1 >one; exec sleep 1000) <pipe & reader=$!
"$@" >pipe & pid=$!
until [[ -s one ]]; do sleep 0.05; done
kill -TERM $pid
wait $pid
code=$?
kill $reader || code=99
exit $code`,
    143,
    /^$/,
  ],
];

for (const { name, command, missing, env } of await bundleRuntimes()) {
  Deno.test({
    name: `ciso under ${name} ends with what it writes to, in any thread`,
    ignore: missing !== undefined || Deno.build.os !== "linux",
    async fn() {
      await using work = await temporary();
      const data = "x".repeat(6_000_000);
      const tar = tarOf([{ name: "a", data, mode: 0o755 }]);
      await Deno.writeFile(`${work.path}/in.tar`, tar);
      for (const way of ["alone", "beside"]) {
        for (const [line, wanted, said] of TROUBLES) {
          // Deno waits for a write, unless a thread of its own does it.
          const waits = wanted === 143 && name.includes("deno");
          if (waits && way === "alone") continue;
          const { code, stderr } = await shell(
            `cd '${work.path}'; rm -f pipe one; ${line}`,
            ["in.tar", "-q", "-t", "isoc/x", "--", "/a"],
            { command, env: { ...env, CISO_WAY: way } },
          );
          assert.equal(code, wanted, `${line}, ${way}: ${stderr}`);
          assert.match(stderr, said, way);
        }
      }
    },
  });

  Deno.test({
    name: `ciso under ${name} ends by a signal while nobody reads its output`,
    ignore: missing !== undefined,
    async fn() {
      await using work = await temporary();
      const input = await largerThanPipe(work.path);
      const words = [input, "-q", "-t", "x", "--", "/a"];
      const { stdout } = await new Deno.Command("python3", {
        args: ["-c", UNREAD, ...command, ...words],
        ...(env && { env }),
      }).output();
      assert.equal(new TextDecoder().decode(stdout), "143\n");
    },
  });
}
