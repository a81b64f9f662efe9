// The command line of ciso as a user meets it: real processes, real files.

import assert from "node:assert/strict";
import { CISO, ciso, ROOT, shell, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertQuiet,
  assertRefused,
  filesIn,
  IMAGE,
  linux,
  list,
  NAMES,
  readConfig,
  readJson,
  rootfs,
  sha256,
  work,
} from "../support/small_rootfs.ts";

Deno.test("ciso takes NAME and COMMAND from the environment", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  assertQuiet(
    await shell('cat "$ROOTFS" | "$@" >"$OUT"', [], {
      env: {
        ROOTFS: rootfs,
        OUT: archive,
        NAME: "isoc/hello",
        COMMAND: "/bin/sh  -c\t'echo \"a  b\"' c\\ d \"e 'f\" $HOME ''",
      },
    }),
  );
  assert.deepEqual(await readJson(archive, "repositories"), {
    "isoc/hello": { latest: await sha256(rootfs) },
  });
  assert.deepEqual((await readConfig(archive)).config.Cmd, [
    ...["/bin/sh", "-c", 'echo "a  b"', "c d", "e 'f", "$HOME", ""],
  ]);
});

Deno.test("ciso lets --tag and the words after -- win over the environment", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  assertQuiet(
    await ciso(
      [rootfs, "-t", "mine", "-o", archive, "--", "/bin/sh", "-c", ""],
      {
        env: { NAME: "Not a name", COMMAND: "'not closed" },
      },
    ),
  );
  const [image] = await readJson(archive, "manifest.json");
  assert.deepEqual(image.RepoTags, ["mine:latest"]);
  assert.deepEqual((await readConfig(archive)).config.Cmd, [
    "/bin/sh",
    "-c",
    "",
  ]);
});

Deno.test("ciso refuses a COMMAND with an open quote", async () => {
  assertRefused(
    await ciso([rootfs, "-t", "x"], { env: { COMMAND: "/bin/echo 'a b" } }),
    2,
    /COMMAND: The single quote at character 11, .* is not closed/,
  );
});

Deno.test("ciso shows the usage of 2015 when name or command is missing", async () => {
  for (
    const [args, env] of [
      [[], {}],
      [[rootfs], {}],
      [[rootfs], { NAME: "x" }],
      [[rootfs], { COMMAND: "/bin/sh" }],
      [[rootfs], { NAME: "", COMMAND: "/bin/sh" }],
      [[rootfs], { NAME: "x", COMMAND: " " }],
      [[rootfs, "-t", "x"], {}],
      [[rootfs, "-t", "x", "--"], {}],
      [["build", rootfs, "--", "/bin/sh"], {}],
    ] as [string[], Record<string, string>][]
  ) {
    assertRefused(await ciso(args, { env }), 2, /^.*NAME= COMMAND= ✂/m);
  }
});

Deno.test("ciso gives an image all of its names", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const tags = [
    ...["-t", "isoc/hello:1.0", "-tisoc/hello:2", "--tag=localhost:5000/a/b"],
    ...["--tag", "registry.test:5000/c:v1", "-t", "hello"],
  ];
  assertQuiet(await ciso([rootfs, ...tags, "-o", archive, "--", "/bin/sh"]));
  const [image] = await readJson(archive, "manifest.json");
  assert.deepEqual(image.RepoTags, [
    "isoc/hello:1.0",
    "isoc/hello:2",
    "localhost:5000/a/b:latest",
    "registry.test:5000/c:v1",
    "hello:latest",
  ]);
  const digest = await sha256(rootfs);
  assert.deepEqual(await readJson(archive, "repositories"), {
    "isoc/hello": { "1.0": digest, "2": digest },
    "localhost:5000/a/b": { latest: digest },
    "registry.test:5000/c": { v1: digest },
    "hello": { latest: digest },
  });
  const { manifests } = await readJson(archive, "index.json");
  assert.deepEqual(
    manifests.map(({ annotations }: { annotations: Record<string, string> }) =>
      annotations["io.containerd.image.name"]
    ),
    [
      "docker.io/isoc/hello:1.0",
      "docker.io/isoc/hello:2",
      "localhost:5000/a/b:latest",
      "registry.test:5000/c:v1",
      "docker.io/library/hello:latest",
    ],
  );
});

Deno.test("ciso writes to standard output with -o -", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const env = { OUT: archive, SOURCE_DATE_EPOCH: "1" };
  assertQuiet(
    await shell('"$@" >"$OUT"', [rootfs, "-o", "-", ...IMAGE], {
      env,
      cwd: folder.path,
    }),
  );
  assert.deepEqual(filesIn(folder.path), ["x.isoc"]);
  const digest = await sha256(archive);
  assertQuiet(await ciso([rootfs, "-o", archive, ...IMAGE], { env }));
  assert.equal(await sha256(archive), digest);
});

Deno.test("ciso reads standard input when the rootfs is -, a pipe or a file", async () => {
  const env = { ROOTFS: rootfs, SOURCE_DATE_EPOCH: "1" };
  const lines = [
    '"$@" <"$ROOTFS"',
    'cat "$ROOTFS" | "$@"',
    'cat "$ROOTFS" | (shift 0; "$@" -)',
  ];
  const digests = new Set<string>();
  for (const line of lines) {
    const result = await shell(`${line} | sha256sum`, [
      "-t",
      "x",
      "--cmd=/bin/sh",
    ], {
      env,
    });
    assertQuiet(result);
    digests.add(result.stdout);
  }
  assert.equal(digests.size, 1);
});

Deno.test("ciso refuses wrong options", async () => {
  for (
    const [args, line] of [
      [["--nonsense"], /Unknown option --nonsense/],
      [["--nonsense=1"], /Unknown option --nonsense/],
      [["-z"], /Unknown option -z/],
      [["-t"], /-t\/--tag needs NAME/],
      [["-o"], /-o\/--output needs FILE/],
      [["--layout=new"], /--layout is full or classic, not "new"/],
      [["second.tar"], /One rootfs is taken, but here are 2/],
      [["--as", "oci"], /Unknown option --as: it is an option of ciso export/],
      [["--name", "a"], /--name is about the image of --from; --tag names/],
      [["-o", "\ufffd"], /The word "\ufffd" is not UTF-8/],
    ] as [string[], RegExp][]
  ) {
    assertRefused(await ciso([rootfs, ...args, ...IMAGE]), 2, line);
  }
});

Deno.test("ciso refuses a rootfs that is none", async () => {
  await using folder = await temporary();
  const file = `${folder.path}/file`;
  const refused = async (bytes: Uint8Array, line: RegExp) => {
    await Deno.writeFile(file, bytes);
    assertRefused(await ciso([file, ...IMAGE]), 1, line);
    assertRefused(await ciso(IMAGE, { stdin: bytes }), 1, line);
  };
  const bytes = await Deno.readFile(rootfs);
  await refused(new Uint8Array(0), /The input is empty/);
  await refused(new TextEncoder().encode("no tar"), /The input is not a tar/);
  await refused(bytes.subarray(1), /The input is not a tar/);
  await refused(new Uint8Array(10240), /The tar has no entries/);
  await refused(bytes.subarray(0, 1_000_000), /: .*(cut|end|truncated)/);
  assertRefused(
    await ciso([`${folder.path}/none.tar`, ...IMAGE]),
    1,
    /none\.tar: no such file or directory/,
  );
  assertRefused(
    await ciso([`${folder.path}/a\nb.tar`, ...IMAGE]),
    1,
    /^ciso: Cannot read .*\/a\\nb\.tar: no such file or directory\n$/,
  );
  assertRefused(
    await ciso(["x".repeat(5000), ...IMAGE]),
    1,
    /^ciso: Cannot look at "x+"…: the name is too long\n$/,
  );
});

Deno.test("ciso names the input and the entry that it refuses", async () => {
  await using folder = await temporary();
  const bad = `${folder.path}/bad.tar`;
  await run("tar", [
    ...["-C", `${work}/tree`, "--transform=s,etc/hosts,../out,", "-P"],
    ...["-cf", bad, "etc/hosts"],
  ]);
  assertRefused(await ciso([bad, ...IMAGE]), 1, /bad\.tar: .*"\.\.\/out"/);
});

Deno.test("ciso makes the same bytes from the same SOURCE_DATE_EPOCH", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const digests: string[] = [];
  for (const SOURCE_DATE_EPOCH of ["1433664550", "1433664550", "1433664551"]) {
    assertQuiet(
      await ciso([rootfs, "-o", archive, ...IMAGE], {
        env: { SOURCE_DATE_EPOCH },
      }),
    );
    digests.push(await sha256(archive));
  }
  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[1], digests[2]);
  const { created } = await readConfig(archive);
  assert.match(created, /^2015-06-07T08:09:11(\.0+)?Z$/);
});

Deno.test("ciso takes the time of now where SOURCE_DATE_EPOCH is not set", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const before = Math.floor(Date.now() / 1000) * 1000;
  assertQuiet(await ciso([rootfs, "-o", archive, ...IMAGE]));
  const created = Date.parse((await readConfig(archive)).created);
  assert.ok(before <= created && created <= Date.now());
});

Deno.test("ciso refuses a SOURCE_DATE_EPOCH that is no count of seconds", async () => {
  for (
    const SOURCE_DATE_EPOCH of [
      "yesterday",
      "-1",
      "1e9",
      "1.5",
      "99999999999999",
    ]
  ) {
    assertRefused(
      await ciso([rootfs, ...IMAGE], { env: { SOURCE_DATE_EPOCH } }),
      2,
      /SOURCE_DATE_EPOCH .*seconds since 1970/,
    );
  }
});

Deno.test("ciso --layout classic writes the entries of 2015 and no others", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  assertQuiet(
    await ciso([rootfs, "--layout=classic", "-o", archive, ...IMAGE]),
  );
  assert.deepEqual(
    (await list(archive)).sort(),
    [
      "manifest",
      "repositories",
      ...NAMES.map((name) => name.replace("./", "rootfs/")),
      "rootfs/VERSION",
      "rootfs/json",
      "rootfs/layer.tar",
    ].sort(),
  );
  // The layer is a file of its own, and the input.
  const same = await shell(
    'tar -xOf "$ARCHIVE" rootfs/layer.tar | cmp - "$ROOTFS"',
    [],
    { env: { ARCHIVE: archive, ROOTFS: rootfs } },
  );
  assertQuiet(same);
  const { id } = await readJson(archive, "rootfs/json");
  assert.equal(id, await sha256(rootfs));
});

Deno.test("ciso --pristine puts nothing below rootfs/ that the input lacks", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const below = async () =>
    (await list(archive)).filter((name) => name.startsWith("rootfs/"));
  assertQuiet(await ciso([rootfs, "--pristine", "-o", archive, ...IMAGE]));
  assert.deepEqual(
    await below(),
    NAMES.map((name) => name.replace("./", "rootfs/")),
  );
  const v1 = await readJson(archive, `${await sha256(rootfs)}/json`);
  assert.equal(v1.id, await sha256(rootfs));
  assertQuiet(await ciso([rootfs, "-o", archive, ...IMAGE]));
  const added = ["VERSION", "json", "layer.tar"];
  assert.deepEqual(
    (await below()).filter((name) => added.includes(name.slice(7))),
    added.map((name) => `rootfs/${name}`),
  );
});

Deno.test("ciso --json says what was made", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const result = await ciso([
    ...[rootfs, "--json", "-t", "a:1", "-t", "host:5000/b", "-o", archive],
    ...["--", "/bin/sh"],
  ]);
  assertQuiet(result);
  const said = JSON.parse(result.stdout);
  const [image] = await readJson(archive, "manifest.json");
  assert.deepEqual(said.names, [
    "docker.io/library/a:1",
    "host:5000/b:latest",
  ]);
  assert.equal(said.size, (await Deno.stat(archive)).size);
  assert.equal(said.entries, NAMES.length);
  assert.equal(
    said.imageId.replace("sha256:", ""),
    image.Config.split("/").at(-1),
  );
  assert.deepEqual(said.layers, [{
    digest: `sha256:${await sha256(rootfs)}`,
    size: (await Deno.stat(rootfs)).size,
    changes: [],
  }]);
  // The archive has standard output for itself.
  const piped = await shell('"$@" >"$OUT"', [rootfs, "--json", ...IMAGE], {
    env: { OUT: archive },
  });
  assert.equal(piped.code, 0);
  assert.equal(JSON.parse(piped.stderr).size, (await Deno.stat(archive)).size);
});

Deno.test("ciso -v says what was made, and what was changed", async () => {
  await using folder = await temporary();
  const archive = `${folder.path}/x.isoc`;
  const plain = await ciso([rootfs, "-v", "-o", archive, ...IMAGE]);
  assert.equal(plain.code, 0);
  assert.equal(plain.stdout, "");
  assert.match(plain.stderr, /x\.isoc: isoc\/hello:latest, .* 6 entries/);
  assert.ok(plain.stderr.includes(`layer sha256:${await sha256(rootfs)}`));
  assert.match(plain.stderr, /the layer is the input, byte for byte/);
  const twice = `${folder.path}/twice.tar`;
  await Deno.copyFile(rootfs, twice);
  await run("tar", ["-C", `${work}/tree`, "-rf", twice, "./etc/hosts"]);
  const changed = await ciso([twice, "-v", "-o", archive, ...IMAGE]);
  assert.equal(changed.code, 0);
  assert.match(
    changed.stderr,
    /the layer is not the input: .*, first "etc\/hosts"/,
  );
});

Deno.test("ciso -q leaves out notes, not errors", async () => {
  await using folder = await temporary();
  const build = (...options: string[]) =>
    ciso([
      ...options,
      rootfs,
      "-t",
      "x",
      "-o",
      `${folder.path}/x.isoc`,
      "--",
      "/no",
    ]);
  const { code, stderr } = await build();
  assert.equal(code, 0);
  assert.match(stderr, /"\/no" is not in the rootfs/);
  assertQuiet(await build("-q"));
  assertRefused(await ciso(["-q", "/no.tar", ...IMAGE]), 1, /\/no\.tar/);
});

Deno.test("ciso shows help and version wherever they are asked for", async () => {
  for (
    const args of [["--help"], ["build", "--help"], [rootfs, "--help"]]
  ) {
    const { code, stdout, stderr } = await ciso(args);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    for (const part of ["Usage:", "NAME= COMMAND= ✂", "--tag", "Exit codes:"]) {
      assert.ok(stdout.includes(part), part);
    }
    // It fits a terminal, but for the commands to copy.
    const [text] = stdout.split("Examples:");
    for (const line of text!.split("\n")) assert.ok(line.length < 80, line);
  }
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  for (const args of [["--version"], ["-V"]]) {
    const result = await ciso(args);
    assertQuiet(result);
    assert.equal(result.stdout, `ciso ${version}\n`);
  }
  for (const args of [["--version", "--verbose"], ["verify", "-v", "-V"]]) {
    const result = await ciso(args);
    assertQuiet(result);
    const [first, second, end] = result.stdout.split("\n");
    assert.equal(first, `ciso ${version}`);
    // scripts/build knows it, the sources do not.
    assert.match(
      second!,
      CISO.length > 1
        ? /^commit: unknown$/
        : /^commit: ([0-9a-f]{40}(-dirty)?|unknown)$/,
    );
    assert.equal(end, "");
  }
  // After -- they are the image's.
  assert.equal(
    (await ciso([rootfs, "-q", "-t", "x", "-o", `${work}/x.isoc`, "--", "-h"]))
      .stdout,
    "",
  );
});

Deno.test({
  name: "ciso shows no progress where standard error is no terminal",
  ignore: !linux,
  async fn() {
    assertQuiet(
      await shell(
        '(head -c 1000000; sleep 0.7; cat) <"$ROOTFS" | "$@" | (sleep 0.7; cat >/dev/null)',
        IMAGE,
        { env: { ROOTFS: rootfs } },
      ),
    );
  },
});

Deno.test("ciso tells in a line which permission it lacks under Deno", async () => {
  const command = [Deno.execPath(), "run", "--no-prompt", `${ROOT}/main.ts`];
  assertRefused(await ciso([rootfs, ...IMAGE], { command }), 1, /--allow-env/);
  command.splice(2, 0, "--allow-env");
  assertRefused(await ciso([rootfs, ...IMAGE], { command }), 1, /--allow-read/);
  command.splice(2, 0, "--allow-read");
  assertRefused(
    await ciso(["-q", rootfs, "-o", `${work}/x.isoc`, ...IMAGE], { command }),
    1,
    /--allow-write/,
  );
});
