// The same input and options make the same bytes, whatever else is different:
// the runtime, the day, the time zone, the language, the umask, the user, the
// working directory, the order in which files were made.

import assert from "node:assert/strict";
import { shell, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  lacking,
  lackingRoot,
  type Runtime,
  unlessMissing,
} from "../support/runtimes.ts";

const isRoot = Deno.uid() === 0;
const EPOCH = { SOURCE_DATE_EPOCH: "1433851200" };
const OPTIONS = [
  ...["-t", "isoc/same:1", "-e", "B=2", "-e", "A=1", "-l", "b=2", "-l", "a=1"],
  ...["--annotation", "n=v", "--volume", "/data", "--user", "app"],
  ...["--author", "Jürgen Ünal", "--history", "istanbul I ı İ"],
];
const COMMAND = ["--", "/bin/sh"];

const work = await Deno.makeTempDir({ prefix: "isoc-reproducible-test-" });
/** Tars by name: one that stays as it is, and one whose layer is made anew. */
const TARS = { plain: `${work}/plain.tar`, changed: `${work}/changed.tar` };
const RUNTIMES = await bundleRuntimes();
const DENO = RUNTIMES[0]!.command;

await prepare();
const expected = {
  plain: await digest(TARS.plain),
  changed: await digest(TARS.changed),
};

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

async function prepare() {
  // Another user reads it, too.
  await Deno.chmod(work, 0o755);
  await makeTree(`${work}/tree`, ["bin", "data", "etc", "İ", "ı", "ä", "Z"]);
  const tar = (...args: string[]) =>
    run("tar", ["-C", `${work}/tree`, "--sort=name", ...args]);
  await tar("-cf", TARS.plain, ".");
  // Without the directories' entries, and with a file that comes again.
  const file = "etc/passwd";
  await tar("--no-recursion", "-cf", TARS.changed, file, "bin/sh", "data/x");
  await tar("--no-recursion", "-rf", TARS.changed, file);
}

/** A tree whose files are made in an order, all at the same time. */
async function makeTree(root: string, folders: string[]) {
  await Deno.mkdir(root);
  for (const folder of folders) {
    await Deno.mkdir(`${root}/${folder}`);
    await Deno.writeTextFile(`${root}/${folder}/x`, folder);
    if (folder === "bin") await Deno.copyFile("/bin/sh", `${root}/bin/sh`);
    if (folder === "etc") {
      await Deno.writeTextFile(`${root}/etc/passwd`, "app:x:5:6::/:/bin/sh\n");
    }
  }
  await run("sh", [
    "-c",
    'chmod -R a+rX,go-w "$1" && find "$1" -exec touch -h -d @1000000000 {} +',
    "sh",
    root,
  ]);
}

/** SHA-256 of the archive that a line of bash makes of an input. */
async function digest(
  input: string,
  { command = DENO, line = '"$@"', env = {}, options = OPTIONS, cwd }: {
    command?: string[];
    line?: string;
    env?: Record<string, string>;
    options?: string[];
    cwd?: string;
  } = {},
): Promise<string> {
  const result = await shell(
    `{ ${line}; } | sha256sum`,
    [input, ...options, ...COMMAND],
    { command, env: { ...EPOCH, ...env }, cwd },
  );
  assert.equal(result.stderr, "");
  assert.equal(result.code, 0);
  return result.stdout.slice(0, 64);
}

/** Asserts that both inputs make the archives that they always make. */
async function assertSame(options: Parameters<typeof digest>[1]) {
  for (const [name, tar] of Object.entries(TARS)) {
    assert.equal(
      await digest(tar, options),
      expected[name as keyof typeof expected],
      name,
    );
  }
}

Deno.test("two inputs make two archives", () => {
  // Else the tests below could not fail.
  assert.notEqual(expected.plain, expected.changed);
});

/** A test under a runtime; `needed` is what else it cannot do without. */
function test(
  name: string,
  runtime: Runtime,
  fn: () => Promise<void>,
  needed: { missing?: string | undefined } = {},
): void {
  Deno.test({
    ...unlessMissing(`${name}, under ${runtime.name}`, runtime, needed),
    async fn() {
      assertNothingMissing(runtime, needed);
      await fn();
    },
  });
}

for (const runtime of RUNTIMES) {
  const { command } = runtime;

  test(`the archive is the same from a file and a pipe`, runtime, async () => {
    await assertSame({ command });
    const line = 'cat "$IN" | "$@"';
    for (const [key, tar] of Object.entries(TARS)) {
      const piped = await digest("-", { command, line, env: { IN: tar } });
      assert.equal(piped, expected[key as keyof typeof expected], key);
    }
  });

  test(`the archive is the same on another day`, runtime, async () => {
    for (const day of ["1999-12-31 23:59:58", "2037-07-01 12:00:00"]) {
      await assertSame({ command, line: `faketime '${day}' "$@"` });
    }
  }, lacking("faketime"));

  test(`the archive is the same in other time zones`, runtime, async () => {
    for (const TZ of ["Pacific/Kiritimati", "America/St_Johns"]) {
      await assertSame({ command, env: { TZ } });
    }
  });

  test(`the archive is the same in other languages`, runtime, async () => {
    for (const LC_ALL of ["C", "tr_TR.UTF-8", "de_DE.ISO-8859-1"]) {
      // bash complains where the machine has no such locale.
      const line = `env LC_ALL=${LC_ALL} LANG=${LC_ALL} LANGUAGE=tr "$@"`;
      await assertSame({ command, line });
    }
  });

  test(`the archive is the same with other umasks`, runtime, async () => {
    await assertSame({ command, line: 'umask 077; "$@"' });
    await assertSame({ command, line: 'umask 0; "$@"' });
  });

  test(`the archive is the same in another directory`, runtime, async () => {
    const relative = await digest("plain.tar", { command, cwd: work });
    assert.equal(relative, expected.plain);
    await assertSame({ command, cwd: "/" });
  });

  test(`the archive is the same for another user`, runtime, async () => {
    await using home = await temporary();
    await Deno.chmod(home.path, 0o777);
    const [program, ...args] = command;
    await assertSame({
      command: [
        await forEverybody(program!),
        ...args.slice(0, -1),
        await forEverybody(args.at(-1)!),
      ],
      line: 'setpriv --reuid=65534 --regid=65534 --clear-groups "$@"',
      env: {
        HOME: home.path,
        TMPDIR: home.path,
        DENO_DIR: `${home.path}/deno`,
      },
    });
  }, isRoot ? lacking("setpriv") : lackingRoot());
}

/** A copy of a program where every user may run it, as npx's are not. */
async function forEverybody(program: string): Promise<string> {
  const copy = `${work}/${program.replaceAll("/", "-")}`;
  // A link takes no time, and a copy works across file systems.
  const make = 'ln -f "$0" "$1" 2>/dev/null || cp "$0" "$1"; chmod a+rx "$1"';
  await run("sh", ["-c", make, program, copy]);
  return copy;
}

Deno.test({
  ...unlessMissing(
    "a directory makes the same archive, in whatever order it was made",
    ...RUNTIMES,
    lacking("find"),
  ),
  async fn() {
    assertNothingMissing(...RUNTIMES, lacking("find"));
    const folders = ["bin", "data", "etc", "İ", "ı", "ä", "Z"];
    await makeTree(`${work}/first`, folders);
    await makeTree(`${work}/second`, folders.reverse());
    const options = [...OPTIONS, "--owner=12:34"];
    const made = [];
    // Under Deno, find says what Deno hides.
    for (const { command } of await bundleRuntimes(["--allow-run=find"])) {
      for (const tree of ["first", "second"]) {
        made.push(await digest(`${work}/${tree}`, { command, options }));
      }
    }
    assert.deepEqual(new Set(made).size, 1, made.join("\n"));
  },
});

Deno.test("the order of labels, options and names of files does not count", async () => {
  const options = OPTIONS.slice(0, -4).concat(
    ["--history", "istanbul I ı İ", "--author=Jürgen Ünal"],
  );
  const swapped = options.map((word) =>
    word === "b=2" ? "a=1" : word === "a=1" ? "b=2" : word
  );
  assert.equal(await digest(TARS.plain, { options: swapped }), expected.plain);
  await Deno.copyFile(TARS.plain, `${work}/other name.tar`);
  assert.equal(await digest(`${work}/other name.tar`), expected.plain);
});

Deno.test("--created changes documents and no layer", async () => {
  await using folder = await temporary();
  for (const tar of Object.values(TARS)) {
    const made: Record<
      "digest" | "imageId" | "manifestDigest" | "created",
      string
    >[] = [];
    for (const created of ["0", "1433851200", "2037-07-01T12:00:00Z"]) {
      const archive = `${folder.path}/x.isoc`;
      const { stdout, code } = await shell('"$@"', [
        ...[tar, ...OPTIONS, "--created", created, "-o", archive, "--json"],
        ...COMMAND,
      ], { command: DENO });
      assert.equal(code, 0);
      const { layers, imageId, manifestDigest } = JSON.parse(stdout);
      const digest = layers[0].digest.replace("sha256:", "");
      const blob = await run("sh", [
        "-c",
        'tar -xOf "$0" "blobs/sha256/$1" | sha256sum',
        archive,
        digest,
      ]);
      assert.equal(blob.slice(0, 64), digest);
      const [{ Config }] = JSON.parse(
        await run("tar", ["-xOf", archive, "manifest.json"]),
      );
      const config = JSON.parse(await run("tar", ["-xOf", archive, Config]));
      made.push({ digest, imageId, manifestDigest, created: config.created });
    }
    const count = (key: keyof typeof made[0]) =>
      new Set(made.map((one) => one[key])).size;
    assert.equal(count("digest"), 1);
    assert.equal(count("imageId"), 3);
    assert.equal(count("manifestDigest"), 3);
    assert.deepEqual(made.map(({ created }) => created), [
      "1970-01-01T00:00:00Z",
      "2015-06-09T12:00:00Z",
      "2037-07-01T12:00:00Z",
    ]);
  }
});
