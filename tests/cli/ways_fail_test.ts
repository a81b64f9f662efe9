// Whichever way an archive is written, nothing half-written is left: not when
// ciso is killed, not on a full disk, not when the input changes meanwhile.

import assert from "node:assert/strict";
import { shell, temporary } from "../support/ciso.ts";
import { bundleRuntimes } from "../support/runtimes.ts";
import { entryOf, tarOf } from "../support/tar_writer.ts";

/** Bytes of the input: so many that it is not read before a signal comes. */
const SIZE = 2 ** 29;

const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;

/** How archives are written, and of what. */
const WAYS: [way: string, inputs: string[]][] = [
  ["beside", ["in.tar"]],
  ["alone", ["--layer", "small.tar", "--layer", "in.tar"]],
  ["beside", ["--layer", "in.tar", "--layer", "small.tar"]],
  ["stream", ["in.tar"]],
];

/** Runs ciso in the background until it has made its temporary file. */
const START = `
"$@" & pid=$!
until compgen -G 'out/.x*' >/dev/null; do sleep 0.01; done
`;

/** What happens meanwhile, the exit code and what ciso says. */
const TROUBLES: Record<string, [line: string, code: number, said: RegExp]> = {
  "a signal": [`${START} kill -TERM $pid; wait $pid`, 143, /^$/],
  "another signal": [`${START} kill -INT $pid; wait $pid`, 130, /^$/],
  "a change of the input": [
    `${START} kill -STOP $pid
    printf x | dd of=in.tar bs=1 seek=${SIZE} conv=notrunc status=none
    kill -CONT $pid; wait $pid`,
    1,
    /changed while it was read/,
  ],
};

/** Writes a tar of a few files without content, and one of a large one. */
async function writeInputs(folder: string, size = SIZE): Promise<void> {
  const shellEntry = { name: "bin/sh", mode: 0o755, data: "#!/bin/sh\n" };
  const bin = { name: "bin/", type: "5", mode: 0o755 };
  await Deno.writeFile(`${folder}/small.tar`, tarOf([bin, shellEntry]));
  // Its data are a hole.
  const header = entryOf({ name: "large", size });
  await Deno.writeFile(`${folder}/in.tar`, header.subarray(0, 512));
  await Deno.truncate(`${folder}/in.tar`, 512 + size + 1024);
  await Deno.mkdir(`${folder}/out`);
  await Deno.writeTextFile(`${folder}/out/x`, "old");
}

/** What is exported, in all runtimes and ways. */
const digests = new Set<string>();

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

for (const { name, command, missing, env } of await bundleRuntimes()) {
  Deno.test({
    name: `ciso under ${name} leaves nothing in any way of writing`,
    ignore: missing !== undefined || !isRoot,
    async fn() {
      await using work = await temporary();
      await writeInputs(work.path);
      const folder = `${work.path}/out`;
      const run = (line: string, way: string, inputs: string[]) =>
        shell(
          `cd '${work.path}'; ${line}`,
          [...inputs, "-q", "-t", "isoc/x", "-o", "out/x", "--", "/bin/sh"],
          { command, env: { ...env, CISO_WAY: way } },
        );
      for (const [way, inputs] of WAYS) {
        for (const [what, [line, wanted, said]] of Object.entries(TROUBLES)) {
          const where = `${what}, ${way}, ${inputs}`;
          const { code, stderr } = await run(line, way, inputs);
          assert.equal(code, wanted, `${where}: ${stderr}`);
          assert.match(stderr.trim(), said, where);
          assert.deepEqual(namesIn(folder), ["x"], where);
          assert.equal(await Deno.readTextFile(`${folder}/x`), "old", where);
          await Deno.truncate(`${work.path}/in.tar`, 512 + SIZE + 1024);
        }
      }
      const mount = `mount -t tmpfs -o size=4m none out; echo old >out/x`;
      for (const [way, inputs] of WAYS) {
        const { code, stdout, stderr } = await run(
          `${mount}; "$@"; code=$?; ls -A out; umount out; exit $code`,
          way,
          inputs,
        );
        assert.equal(code, 1, stderr);
        assert.equal(stdout, "x\n", way);
        assert.match(stderr, /Cannot write out\/x: no space left/, way);
      }
    },
  });

  Deno.test({
    name: `ciso export under ${name} leaves nothing, with a thread or without`,
    ignore: missing !== undefined || !isRoot,
    async fn() {
      await using work = await temporary();
      const size = SIZE / 4;
      await writeInputs(work.path, size);
      const folder = `${work.path}/out`;
      const run = (line: string, way: string, args: string[]) =>
        shell(`cd '${work.path}'; ${line}`, args, {
          command,
          env: { ...env, CISO_WAY: way },
        });
      const made = await run('"$@"', "beside", [
        ...["in.tar", "--faces", "docker,oci", "--created", "1", "-q"],
        ...["-t", "isoc/x", "-o", "in.isoc", "--", "/bin/sh"],
      ]);
      assert.equal(made.code, 0, made.stderr);
      await Deno.remove(`${work.path}/in.tar`);
      const args = ["export", "in.isoc", "--as", "oci", "-q", "-o", "out/x"];
      const write = (byte: string, at: number) =>
        `printf '${byte}' | dd of=in.isoc bs=1 seek=${at} conv=notrunc status=none`;
      const troubles: typeof TROUBLES = {
        "a signal": TROUBLES["a signal"]!,
        "a change of the input": [
          `${START} kill -STOP $pid; touch in.isoc; kill -CONT $pid; wait $pid`,
          1,
          /changed while it was read/,
        ],
        "a full disk": [
          `mount -t tmpfs -o size=4m none out; "$@"; code=$?; ls -A out >&2
          umount out; exit $code`,
          1,
          /^ciso: Cannot write out\/x: no space left on the device$/,
        ],
        "damage": [
          `${write("x", size)}; "$@"; code=$?; ${
            write("\\0", size)
          }; exit $code`,
          1,
          /blobs\/sha256\/[0-9a-f]{64} is damaged: its digest is/,
        ],
      };
      for (const [what, [line, wanted, said]] of Object.entries(troubles)) {
        const { code, stderr } = await run(line, "beside", args);
        assert.equal(code, wanted, `${what}: ${stderr}`);
        assert.match(stderr.trim(), said, what);
        assert.deepEqual(namesIn(folder), ["x"], what);
        assert.equal(await Deno.readTextFile(`${folder}/x`), "old", what);
      }
      for (const way of ["beside", "alone"]) {
        const { code, stdout, stderr } = await run(
          '"$@" | sha256sum',
          way,
          [...args.slice(0, -2)],
        );
        assert.equal(code, 0, stderr);
        digests.add(stdout);
      }
      assert.equal(digests.size, 1);
    },
  });
}
