// The same archives, byte for byte, whatever ciso runs on: Deno with the sources
// or with the bundle from a URL, Bun, Node, and the programs that scripts/build
// compiles.
//
// What cannot run here is ignored, with the reason in the test's name; with
// CI=true it fails.

import assert from "node:assert/strict";
import {
  ciso,
  PERMISSIONS,
  type Result,
  ROOT,
  shell,
  SOURCES,
} from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  built,
  bundleRuntimes,
  compiledPrograms,
  notMade,
  type Runtime,
  unlessMissing,
} from "../support/runtimes.ts";

/** A root file system, or why there is none. */
interface Input {
  name: string;
  file: string;
  missing?: string | undefined;
}

const COMMAND = ["/bin/echo", "make", "container", "not", "war"];
/** 2015-06-07 08:09:10 UTC. */
const EPOCH = { SOURCE_DATE_EPOCH: "1433664550" };

const work = await Deno.makeTempDir({ prefix: "isoc-runtimes-test-" });
const files = await built();
const server = serve("text/javascript");
const runtimes = await findRuntimes();
const inputs = [
  await makeInput(
    "a busybox tree",
    (file) => run(`${ROOT}/scripts/rootfs`, ["busybox", file]),
  ),
  await makeInput(
    "a Debian tree",
    (file) => run(`${ROOT}/scripts/rootfs`, ["debian", file]),
  ),
  await makeInput("an odd tree in GNU's format", (file) => oddTar("gnu", file)),
  await makeInput(
    "an odd tree in the PAX format",
    (file) => oddTar("pax", file),
  ),
];

Deno.test.afterAll(async () => {
  await server.shutdown();
  await Deno.remove(work, { recursive: true });
});

/** Serves the bundle on the loopback interface, as a MIME type or as none. */
function serve(type?: string) {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async () =>
      new Response(await Deno.readFile(`${files.directory}/ciso.js`), {
        ...(type !== undefined && { headers: { "content-type": type } }),
      }),
  );
}

async function findRuntimes(): Promise<Runtime[]> {
  const { port } = server.addr as Deno.NetAddr;
  return [
    { name: "deno run main.ts", command: SOURCES },
    {
      name: "deno run with the bundle from a URL",
      command: [
        Deno.execPath(),
        ...["run", "--quiet", "--no-prompt", ...PERMISSIONS],
        `http://127.0.0.1:${port}/ciso.js`,
      ],
      missing: notMade(files, "ciso.js"),
      // The port is another one each time: the user's cache is no place for it.
      env: { DENO_DIR: `${work}/deno` },
    },
    ...(await bundleRuntimes()).map((runtime) => ({
      ...runtime,
      name: `${runtime.name} with the bundle`,
    })),
    ...await compiledPrograms(),
  ];
}

for (
  const type of [
    "text/html; charset=utf-8",
    "text/plain",
    "application/octet-stream",
    undefined,
  ]
) {
  const needed = { missing: notMade(files, "ciso.js") };
  Deno.test({
    ...unlessMissing(
      `deno run takes the bundle as ${type ?? "no type"}`,
      needed,
    ),
    async fn() {
      assertNothingMissing(needed);
      await using typed = serve(type);
      const { port } = typed.addr as Deno.NetAddr;
      // Without --allow-net: only push, pull and serve need it.
      const command = [
        ...[...SOURCES.slice(0, -1), "--quiet", "--deny-net"],
        `http://127.0.0.1:${port}/ciso.js`,
      ];
      const env = { DENO_DIR: `${work}/deno` };
      for (const args of [["--version"], ["--help"]]) {
        assertSucceeded(await ciso(args, { command, env }));
      }
    },
  });
}

async function makeInput(
  name: string,
  make: (file: string) => Promise<unknown>,
): Promise<Input> {
  const file = `${work}/${name.replaceAll(/\W+/g, "-")}.tar`;
  try {
    await make(file);
    return { name, file };
  } catch (error) {
    const missing = (error as Error).message.trim().split("\n").at(-1);
    return { name, file, missing };
  }
}

async function oddTar(format: string, file: string): Promise<void> {
  const tree = `${file}.tree`;
  await run("python3", [`${ROOT}/tests/support/odd_tree.py`, tree]);
  await run("tar", [
    ...["-C", tree, `--format=${format}`, "--sort=name", "--sparse"],
    ...["--xattrs", "--xattrs-include=*", "-cf", file, "."],
  ]);
}

function assertSucceeded({ code, stderr }: Result): void {
  assert.equal(stderr, "");
  assert.equal(code, 0);
}

/** Asserts that an error is one line that matches, and perhaps the usage. */
function assertTold(result: Result, code: number, line: RegExp): void {
  const lines = result.stderr.split("\n");
  assert.match(lines[0]!, line);
  assert.doesNotMatch(result.stderr, /^\s+at |Uncaught|\.[jt]s:\d/m);
  assert.equal(result.stdout, "");
  assert.equal(result.code, code);
}

/** A file of an archive, as GNU tar reads it. */
async function readEntry(archive: string, name: string): Promise<string> {
  return await run("tar", ["-xOf", archive, name]);
}

/** SHA-256 of what ciso makes of the input, called by a line of bash. */
async function digest(
  { command, env }: Runtime,
  input: Input,
  line: string,
): Promise<string> {
  const result = await shell(`${line} | sha256sum`, ["--quiet"], {
    command,
    env: {
      ...env,
      ...EPOCH,
      NAME: "isoc/hello",
      COMMAND: COMMAND.join(" "),
      ROOTFS: input.file,
    },
  });
  assertSucceeded(result);
  assert.match(result.stdout, /^[0-9a-f]{64} /);
  return result.stdout.slice(0, 64);
}

const [busybox] = inputs as [Input];

for (const runtime of runtimes) {
  const { name, command, env } = runtime;

  Deno.test({
    ...unlessMissing(
      `${name} makes an isoc by the usage of 2015`,
      runtime,
      busybox,
    ),
    async fn() {
      assertNothingMissing(runtime, busybox);
      const archive = `${work}/2015.isoc`;
      assertSucceeded(
        await shell('cat "$ROOTFS" | "$@" >"$ARCHIVE"', [], {
          command,
          env: {
            ...env,
            NAME: "isoc/hello",
            COMMAND: COMMAND.join(" "),
            ROOTFS: busybox.file,
            ARCHIVE: archive,
          },
        }),
      );
      const [image] = JSON.parse(await readEntry(archive, "manifest.json"));
      assert.deepEqual(image.RepoTags, ["isoc/hello:latest"]);
      const { config } = JSON.parse(await readEntry(archive, image.Config));
      assert.deepEqual(config.Cmd, COMMAND);
      assert.equal(
        await run("sh", [
          "-c",
          'tar -xOf "$0" "$1" | cmp - "$2"',
          archive,
          image.Layers[0],
          busybox.file,
        ]),
        "",
      );
    },
  });

  Deno.test({
    ...unlessMissing(`${name} takes a file and options`, runtime, busybox),
    async fn() {
      assertNothingMissing(runtime, busybox);
      const archive = `${work}/options.isoc`;
      const result = await ciso(
        [
          "build",
          busybox.file,
          "-t",
          "isoc/hello:1.0",
          "--tag=localhost:5000/x",
          "-o",
          archive,
          "--",
          ...COMMAND,
        ],
        // What the environment says counts for less.
        { command, env: { ...env, NAME: "other", COMMAND: "/bin/false" } },
      );
      assertSucceeded(result);
      assert.equal(result.stdout, "");
      const [image] = JSON.parse(await readEntry(archive, "manifest.json"));
      assert.deepEqual(image.RepoTags, [
        "isoc/hello:1.0",
        "localhost:5000/x:latest",
      ]);
      const { config } = JSON.parse(await readEntry(archive, image.Config));
      assert.deepEqual(config.Cmd, COMMAND);
    },
  });

  Deno.test({
    ...unlessMissing(
      `${name} tells errors by a line and the exit code`,
      runtime,
    ),
    async fn() {
      assertNothingMissing(runtime);
      const call = (args: string[], stdin?: Uint8Array) =>
        ciso(args, { command, env, stdin });
      const image = ["-t", "isoc/hello", "--", "/bin/sh"];
      assertTold(await call([]), 2, /NAME= COMMAND= ✂/);
      assertTold(await call(["--nonsense"]), 2, /--nonsense/);
      assertTold(await call(["-t", "Up/Case", "--", "x"]), 2, /Up\/Case/);
      assertTold(await call(["/no/such.tar", ...image]), 1, /\/no\/such\.tar/);
      assertTold(await call(image), 1, /empty/);
      const noTar = crypto.getRandomValues(new Uint8Array(5000));
      assertTold(await call(image, noTar), 1, /not a tar/);
    },
  });

  Deno.test({
    ...unlessMissing(`${name} shows help and version`, runtime),
    async fn() {
      assertNothingMissing(runtime);
      const help = await ciso(["--help"], { command, env });
      assertSucceeded(help);
      assert.match(help.stdout, /^ {2}-o, --output FILE/m);
      const version = await ciso(["-V"], { command, env });
      assertSucceeded(version);
      assert.match(version.stdout, /^ciso \d+\.\d+\.\d+\n$/);
    },
  });

  const [program, ...args] = command;
  // /proc is Linux's.
  if (Deno.build.os !== "linux") continue;
  Deno.test({
    ...unlessMissing(
      `${name} leaves it to the pipe to wait for its reader`,
      runtime,
      busybox,
    ),
    // Where it does not, each 64 KiB take milliseconds: Node likes to change that.
    async fn() {
      assertNothingMissing(runtime, busybox);
      await using child = new Deno.Command(program!, {
        args: [...args, busybox.file, "-t", "x", "--", "/bin/sh"],
        ...(env && { env }),
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      const info = await Deno.readTextFile(`/proc/${child.pid}/fdinfo/1`);
      const [, flags] = /^flags:\s+(\d+)/m.exec(info)!;
      assert.equal(parseInt(flags!, 8) & 0o4000, 0, "O_NONBLOCK is set");
      while (!(await reader.read()).done);
    },
  });
}

for (const input of inputs) {
  Deno.test({
    ...unlessMissing(`all runtimes make the same isoc of ${input.name}`, input),
    async fn(t) {
      assertNothingMissing(input);
      const first = await digest(runtimes[0]!, input, '"$@" "$ROOTFS"');
      for (const runtime of runtimes) {
        for (
          const [kind, line] of [
            ["file", '"$@" "$ROOTFS"'],
            ["pipe", 'cat "$ROOTFS" | "$@"'],
          ] as const
        ) {
          await t.step({
            ...unlessMissing(`${runtime.name}, from a ${kind}`, runtime),
            async fn() {
              assertNothingMissing(runtime);
              assert.equal(await digest(runtime, input, line), first);
            },
          });
        }
      }
    },
  });
}
