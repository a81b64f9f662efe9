// The same input and options make the same bytes, whatever else is different:
// the runtime, the day, the time zone, the language, the umask, the user, the
// working directory, the order in which files were made.

import assert from "node:assert/strict";
import { CISO, ROOT, shell, temporary } from "../support/ciso.ts";
import { isInstalled, run } from "../support/run.ts";

const CI = Deno.env.get("CI") === "true";
const isRoot = Deno.uid() === 0;
const EPOCH = { SOURCE_DATE_EPOCH: "1433851200" };
const OPTIONS = [
  ...["-t", "isoc/same:1", "-e", "B=2", "-e", "A=1", "-l", "b=2", "-l", "a=1"],
  ...["--annotation", "n=v", "--volume", "/data", "--user", "app"],
  ...["--author", "Jürgen Ünal", "--history", "istanbul I ı İ"],
];
const COMMAND = ["--", "/bin/sh"];

const work = await Deno.makeTempDir({ prefix: "isoc-reproducible-test-" });
const bundle = `${work}/ciso.js`;
/** Tars by name: one that stays as it is, and one whose layer is made anew. */
const TARS = { plain: `${work}/plain.tar`, changed: `${work}/changed.tar` };
const DENO = [...CISO.slice(0, -1), bundle];
const RUNTIMES: Record<string, { command: string[]; missing?: boolean }> = {
  deno: { command: DENO },
  bun: {
    command: isInstalled("bun")
      ? ["bun", bundle]
      : ["npx", "-y", "bun@1.4.5", bundle],
    missing: !isInstalled("bun") && !isInstalled("npx"),
  },
  node: { command: ["node", bundle], missing: !isInstalled("node") },
};

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
  await run(Deno.execPath(), [
    ...["bundle", "--quiet", `${ROOT}/main.ts`, "--output", bundle],
  ]);
  await Deno.chmod(bundle, 0o644);
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

for (const [name, { command, missing = false }] of Object.entries(RUNTIMES)) {
  const ignore = missing && !CI;

  Deno.test({
    name: `the archive is the same under ${name}, from a file and a pipe`,
    ignore,
    async fn() {
      await assertSame({ command });
      const line = 'cat "$IN" | "$@"';
      for (const [key, tar] of Object.entries(TARS)) {
        const piped = await digest("-", { command, line, env: { IN: tar } });
        assert.equal(piped, expected[key as keyof typeof expected], key);
      }
    },
  });

  Deno.test({
    name: `the archive is the same on another day, under ${name}`,
    ignore: ignore || !isInstalled("faketime"),
    async fn() {
      for (const day of ["1999-12-31 23:59:58", "2037-07-01 12:00:00"]) {
        await assertSame({ command, line: `faketime '${day}' "$@"` });
      }
    },
  });

  Deno.test({
    name: `the archive is the same in other time zones, under ${name}`,
    ignore,
    async fn() {
      for (const TZ of ["Pacific/Kiritimati", "America/St_Johns"]) {
        await assertSame({ command, env: { TZ } });
      }
    },
  });

  Deno.test({
    name: `the archive is the same in other languages, under ${name}`,
    ignore,
    async fn() {
      for (const LC_ALL of ["C", "tr_TR.UTF-8", "de_DE.ISO-8859-1"]) {
        // bash complains where the machine has no such locale.
        const line = `env LC_ALL=${LC_ALL} LANG=${LC_ALL} LANGUAGE=tr "$@"`;
        await assertSame({ command, line });
      }
    },
  });

  Deno.test({
    name: `the archive is the same with other umasks, under ${name}`,
    ignore,
    async fn() {
      await assertSame({ command, line: 'umask 077; "$@"' });
      await assertSame({ command, line: 'umask 0; "$@"' });
    },
  });

  Deno.test({
    name: `the archive is the same in another directory, under ${name}`,
    ignore,
    async fn() {
      const relative = await digest("plain.tar", { command, cwd: work });
      assert.equal(relative, expected.plain);
      await assertSame({ command, cwd: "/" });
    },
  });

  Deno.test({
    name: `the archive is the same for another user, under ${name}`,
    ignore: ignore || !isRoot || !isInstalled("setpriv") ||
      !await isRunnableByNobody(command[0]!),
    async fn() {
      await using home = await temporary();
      await Deno.chmod(home.path, 0o777);
      await assertSame({
        command,
        line: 'setpriv --reuid=65534 --regid=65534 --clear-groups "$@"',
        env: {
          HOME: home.path,
          TMPDIR: home.path,
          DENO_DIR: `${home.path}/deno`,
        },
      });
    },
  });
}

/** Whether the runtime is where every user may look: npx's are not. */
async function isRunnableByNobody(program: string): Promise<boolean> {
  if (!isRoot || !isInstalled("setpriv") || program === "npx") return false;
  const as = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  return await run("setpriv", [...as, program, "--version"]).then(
    () => true,
    () => false,
  );
}

Deno.test({
  name: "a directory makes the same archive, in whatever order it was made",
  ignore: Deno.build.os !== "linux" || !isInstalled("node"),
  async fn() {
    const folders = ["bin", "data", "etc", "İ", "ı", "ä", "Z"];
    await makeTree(`${work}/first`, folders);
    await makeTree(`${work}/second`, folders.reverse());
    const options = [...OPTIONS, "--owner=0:0"];
    const made = [];
    for (const tree of ["first", "second"]) {
      for (const command of [["node", bundle], [...CISO]]) {
        // Under Deno, find says what Deno hides.
        const allowed = command[0] === "node"
          ? command
          : [...command.slice(0, -1), "--allow-run=find", bundle];
        made.push(
          await digest(`${work}/${tree}`, { command: allowed, options }),
        );
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
