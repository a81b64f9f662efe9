// ciso inspect, cat and diff as users run them: on files, pipes, compressed
// files and directories; on hostile names; on the command line's mistakes.

import assert from "node:assert/strict";
import { ascii } from "../../lib/streams/bytes.ts";
import { CISO, ciso, type Result, shell, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

/** JSON of which the test knows what is in it. */
// deno-lint-ignore no-explicit-any
type Loose = any;

const MTIME = 1433664550;
const dir = (name: string): TarEntry => ({ name, type: "5", mode: 0o755 });
const ENTRIES: TarEntry[] = [
  dir("./"),
  dir("bin/"),
  { name: "bin/sh", data: "#!x\n".repeat(300), mode: 0o4755 },
  { name: "bin/ash", type: "1", link: "bin/sh", mode: 0o4755 },
  dir("etc/"),
  { name: "etc/motd", data: "hello\n", uid: 7, gid: 8 },
  { name: "etc/link", type: "2", link: "motd", mode: 0o777 },
  { name: "etc/far", type: "2", link: "/etc/link", mode: 0o777 },
  dir("dev/"),
  dir("run/"),
  { name: "dev/null", type: "3", device: [1, 3], mode: 0o666 },
  { name: "run/fifo", type: "6", mode: 0o600 },
];

const work = await Deno.makeTempDir({ prefix: "isoc-inspect-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
const at = (name: string) => `${work}/${name}`;

/** Builds an isoc of entries. */
async function isocOf(
  name: string,
  entries: (TarEntry | Uint8Array)[],
  ...options: string[]
): Promise<string> {
  await Deno.writeFile(at(`${name}.tar`), tarOf(entries));
  const out = at(`${name}.isoc`);
  const args = [at(`${name}.tar`), "--created=0", "-q", "-o", out, ...options];
  const { code, stderr } = await ciso(args);
  assert.equal(code, 0, stderr);
  return out;
}

const image = ["-t", "isoc/one:1.0", "-e", "A=b c", "-l", "k=v"];
const isoc = await isocOf("plain", ENTRIES, ...image, "--", "/bin/sh", "-l");

/** Runs ciso, which must go well without a word, and gives what it prints. */
async function printed(args: string[], options = {}): Promise<string> {
  const { code, stdout, stderr } = await ciso(args, options);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  return stdout;
}

Deno.test("ciso inspect prints aligned text without colour into a pipe", async () => {
  const text = await printed(["inspect", isoc]);
  assert.match(text, /^ {2}kind {3}isoc$/m);
  assert.match(text, /^ {2}names +isoc\/one:1\.0$/m);
  assert.match(text, /^ {2}platform +linux\/amd64$/m);
  assert.match(text, /^ {2}command +"\/bin\/sh" "-l"$/m);
  assert.match(text, /^ {2}environment +PATH=.*\n {15}A=b c$/m);
  assert.match(text, /^ {2}labels +k=v$/m);
  assert.match(text, / %.*rootfs\/ +appc, bundle, lxd$/m);
  assert.match(
    text,
    /2 files, 4 directories, 2 symlinks, 1 hard link, 1 character device, 1 FIFO; 1\.18 KiB in all/,
  );
  assert.ok(!text.includes("\x1b"));
  const lines = text.split("\n");
  assert.ok(lines.every((line) => line === line.trimEnd()));
});

Deno.test("Colour comes with --color=always only, and NO_COLOR is not asked then", async () => {
  const coloured = await printed(["inspect", isoc, "--color=always"]);
  // deno-lint-ignore no-control-regex
  const bare = coloured.replace(/\x1b\[[\d;]*m/g, "");
  assert.notEqual(bare, coloured);
  assert.equal(bare, await printed(["inspect", isoc, "--color", "never"]));
});

Deno.test("ciso inspect --json has the documented members", async () => {
  const report: Loose = JSON.parse(await printed(["inspect", isoc, "--json"]));
  assert.deepEqual(Object.keys(report), [
    "version",
    "file",
    "faces",
    "bytes",
    "images",
    "image",
    "tree",
    "packages",
    "notes",
  ]);
  assert.equal(report.version, 1);
  const { size } = await Deno.stat(isoc);
  assert.deepEqual(report.file, { name: isoc, kind: "isoc", size });
  const shares: Loose[] = report.bytes.shares;
  assert.equal(shares.reduce((sum, { bytes }) => sum + bytes, 0), size);
  assert.ok(shares.every(({ kind }) => kind !== "other"));
  // Each file takes whole blocks.
  assert.equal(report.bytes.twice, 1536 + 512);
  assert.equal(report.bytes.wasted, 0);
  assert.deepEqual(report.image.command, ["/bin/sh", "-l"]);
  assert.deepEqual(report.image.labels, { k: "v" });
  assert.equal(report.image.created, "1970-01-01T00:00:00Z");
  const [layer] = report.image.layers;
  assert.equal(layer.digest, layer.diffId);
  const digest = (await run("sha256sum", [at("plain.tar")])).slice(0, 64);
  assert.equal(layer.entries, ENTRIES.length);
  assert.equal(layer.digest, `sha256:${digest}`);
  assert.deepEqual(report.tree.largestFiles[0], {
    path: "bin/sh",
    bytes: 1200,
    layer: 1,
  });
  // The docker face is what docker reads, and no more.
  const exported = await shell('"$@" | wc -c', ["export", isoc, "--as=docker"]);
  const docker = report.faces.find(({ name }: Loose) => name === "docker");
  assert.ok(Math.abs(docker.bytes - Number(exported.stdout)) <= 2048);
});

Deno.test("--files lists what tar lists", async () => {
  const files: Loose[] =
    JSON.parse(await printed(["inspect", isoc, "--files", "--json"])).files;
  const listed = await run("tar", [
    "--numeric-owner",
    "--full-time",
    "--utc",
    "-tvf",
    at("plain.tar"),
  ]);
  const expected = listed.trim().split("\n").map((line) => {
    const [mode, owner, size, , , ...rest] = line.split(/\s+/);
    const [name] = rest.join(" ").split(/ -> | link to /);
    return { mode: mode![0], owner, size, name: name!.replace(/\/$/, "") };
  }).filter(({ name }) => name !== ".");
  for (const { mode, owner, size, name } of expected) {
    const file = files.find(({ path }) => path === name);
    assert.ok(file, name);
    const letters: Loose = {
      "-": "file",
      d: "directory",
      l: "symlink",
      h: "hardlink",
      c: "character-device",
      p: "fifo",
    };
    assert.equal(file.type, letters[mode!], name);
    assert.equal(`${file.uid}/${file.gid}`, owner);
    if (file.type === "file") assert.equal(String(file.size), size);
  }
  assert.equal(files.length, expected.length);
  const text = await printed(["inspect", isoc, "--files", "/etc"]);
  assert.equal(
    text,
    [
      "drwxr-xr-x 0:0 0 2015-06-07 08:09 1 etc/",
      "lrwxrwxrwx 0:0 9 2015-06-07 08:09 1 etc/far -> /etc/link",
      "lrwxrwxrwx 0:0 4 2015-06-07 08:09 1 etc/link -> motd",
      "-rw-r--r-- 7:8 6 2015-06-07 08:09 1 etc/motd\n",
    ].join("\n"),
  );
  const bin = await printed(["inspect", isoc, "--files", "bin"]);
  assert.match(bin, /^hrwsr-xr-x 0:0 +0 .* bin\/ash link to bin\/sh$/m);
  const dev = await printed(["inspect", isoc, "--files", "dev/null"]);
  assert.equal(dev, "crw-rw-rw- 0:0 1,3 2015-06-07 08:09 1 dev/null\n");
});

Deno.test("A pipe, a compressed file and a compressed pipe are read alike", async () => {
  const expected = JSON.parse(await printed(["inspect", isoc, "--json"]));
  await run("gzip", ["-k", isoc]);
  const bytes = await Deno.readFile(isoc);
  const runs: [string[], object, string | undefined][] = [
    [["inspect", "--json"], { stdin: bytes }, undefined],
    [["inspect", "-", "--json"], { stdin: `${isoc}` }, undefined],
    [["inspect", `${isoc}.gz`, "--json"], {}, "gzip"],
    [
      ["inspect", "--json"],
      { stdin: await Deno.readFile(`${isoc}.gz`) },
      "gzip",
    ],
  ];
  await using temp = await temporary();
  for (const [args, options, compression] of runs) {
    const report = JSON.parse(
      await printed(args, { ...options, env: { TMPDIR: temp.path } }),
    );
    assert.equal(report.file.compression, compression);
    assert.deepEqual({ ...report, file: 0 }, { ...expected, file: 0 });
  }
  assert.deepEqual([...Deno.readDirSync(temp.path)], []);
});

Deno.test("--config and --manifest print documents byte for byte", async () => {
  await Deno.mkdir(at("unpacked"));
  await run("tar", ["-C", at("unpacked"), "-xf", isoc]);
  const stored = (name: string) => Deno.readTextFile(at(`unpacked/${name}`));
  const places: [string, string][] = [
    ["appc", "manifest"],
    ["docker", "manifest.json"],
    ["bundle", "config.json"],
    ["lxd", "metadata.yaml"],
    ["docker-v1", "rootfs/json"],
  ];
  for (const [face, path] of places) {
    const text = await printed(["inspect", isoc, "--manifest", face]);
    assert.equal(text.trimEnd(), (await stored(path)).trimEnd(), face);
  }
  const index = JSON.parse(await stored("index.json"));
  const blob = (digest: string) =>
    stored(`blobs/sha256/${digest.replace("sha256:", "")}`);
  const manifest = await blob(index.manifests[0].digest);
  assert.equal(
    (await printed(["inspect", isoc, "--manifest=oci"])).trimEnd(),
    manifest.trimEnd(),
  );
  assert.equal(
    (await printed(["inspect", isoc, "--config"])).trimEnd(),
    (await blob(JSON.parse(manifest).config.digest)).trimEnd(),
  );
});

Deno.test("ciso cat prints a file, through links and compression", async () => {
  await run("gzip", ["-fk", isoc]);
  for (const file of [isoc, `${isoc}.gz`]) {
    for (const path of ["etc/motd", "/etc/motd", "etc/far", "./etc//link"]) {
      assert.equal(await printed(["cat", file, path]), "hello\n");
    }
    assert.equal(
      await printed(["cat", file, "bin/ash"]),
      "#!x\n".repeat(300),
    );
  }
  const fails = async (path: string, message: RegExp) => {
    const { code, stdout, stderr } = await ciso(["cat", isoc, path]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, message);
  };
  await fails("etc", /etc is a directory, which has no content/);
  await fails("etc/none", /There is no etc\/none in the image's tree/);
  await fails("etc/motd/x", /There is no etc\/motd\/x/);
  await fails("../../x", /There is no/);
  await fails("a\x1b[31m", /There is no "a\\u001b\[31m"/);
});

Deno.test("Layers are shown apart, and alone", async () => {
  await Deno.writeFile(
    at("upper.tar"),
    tarOf([
      dir("etc/"),
      { name: "etc/motd", data: "a longer text\n" },
      { name: "bin/.wh.ash" },
      { name: "new", data: "x" },
    ]),
  );
  const two = at("two.isoc");
  await printed([
    "build",
    "-q",
    "--layer",
    at("plain.tar"),
    "--layer",
    at("upper.tar"),
    "-t",
    "isoc/two",
    "--created=0",
    "-o",
    two,
    "--",
    "/bin/sh",
  ]);
  const report: Loose = JSON.parse(await printed(["inspect", two, "--json"]));
  const [, upper] = report.image.layers;
  assert.deepEqual(upper.added, { files: 1, bytes: 1 });
  assert.deepEqual(upper.changed, { files: 1, bytes: 14 });
  assert.deepEqual(upper.deleted, { files: 1, bytes: 0 });
  assert.deepEqual(upper.wastes, { files: 1, bytes: 6 });
  assert.equal(report.bytes.wasted, 6);
  assert.deepEqual(report.image.layers[0].wasted, { files: 1, bytes: 6 });
  const all = await printed(["inspect", two, "--files"]);
  assert.match(all, / 2 etc\/motd$/m);
  assert.match(all, / 1 etc\/link -> motd$/m);
  assert.ok(!all.includes("bin/ash"));
  const alone = await printed(["inspect", two, "--layer=2", "--files"]);
  assert.match(alone, /^w--------- .* bin\/\.wh\.ash$/m);
  assert.ok(!alone.includes("bin/sh"));
  const one = await printed(["inspect", two, "--layer=1", "--json"]);
  assert.equal(JSON.parse(one).layer.number, 1);
  assert.equal(await printed(["cat", two, "etc/link"]), "a longer text\n");
});

Deno.test("Foreign text neither commands a terminal nor looks like more lines", async () => {
  const evil = [
    { name: "a\x1b[31m\nb", data: "x".repeat(9000) },
    { name: "\xff\xfe", data: "y".repeat(8000) },
    { name: "rtl\xe2\x80\xaegnp", data: "z" },
    { name: "l", type: "2", link: "\x1b]0;x\x07" },
  ];
  const hostile = await isocOf(
    "hostile",
    evil,
    "-t",
    "isoc/evil",
    "-l",
    "k=\x1b[2J\nv",
    "--author",
    "\x9b31m",
    "--",
    "/x\x07",
  );
  for (const args of [["--files"], [], ["--layer=1"], ["--files", "--json"]]) {
    const text = await printed(["inspect", hostile, ...args]);
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(text), args.join());
  }
  const files = await printed(["inspect", hostile, "--files"]);
  assert.equal(files.split("\n").length, 5);
  assert.ok(files.includes('"a\\u001b[31m\\nb"'));
  const list: Loose[] =
    JSON.parse(await printed(["inspect", hostile, "--files", "--json"])).files;
  const odd = list.find(({ pathBase64 }) => pathBase64);
  assert.equal(odd.pathBase64, btoa("\xff\xfe"));
});

Deno.test("ciso diff tells what differs, by its exit code too", async () => {
  const same = await ciso(["diff", isoc, isoc]);
  assert.equal(same.code, 0);
  assert.equal(same.stdout, "The images are the same.\n");
  const other = ENTRIES.flatMap((entry): TarEntry[] => {
    if (entry.name === "etc/motd") return [{ ...entry, data: "HELLO\n" }];
    if (entry.name === "bin/sh") return [{ ...entry, mode: 0o755 }];
    if (entry.name === "etc/far") return [{ ...entry, link: "x" }];
    if (entry.name === "run/fifo") return [];
    if (entry.name === "bin/ash") return [{ ...entry, mode: 0o755 }];
    return [entry];
  });
  other.push({ name: "zoo", data: "12345" });
  const changed = await isocOf(
    "changed",
    other,
    "-t",
    "isoc/one:1.0",
    "--",
    "/bin/sh",
  );
  const { code, stdout } = await ciso(["diff", isoc, changed]);
  assert.equal(code, 1);
  for (
    const line of [
      "    - A=b c",
      "    - k=v",
      "    - -l",
      "  ~ bin/sh (mode 4755 to 0755)",
      "  ~ etc/motd (content)",
      "  ~ etc/far (target)",
      "  - run/fifo (0 B)",
      "  + zoo (5 B)",
    ]
  ) assert.ok(stdout.split("\n").includes(line), `${line}\n${stdout}`);
  const json = await ciso(["diff", "--json", isoc, changed]);
  assert.equal(json.code, 1);
  const diff: Loose = JSON.parse(json.stdout);
  assert.equal(diff.same, false);
  assert.deepEqual(
    diff.configuration.map(({ field }: Loose) => field).sort(),
    [
      "command",
      "env",
      "id",
      "labels",
      "layers",
    ].filter((field) => field !== "id"),
  );
  const motd = diff.files.find(({ path }: Loose) => path === "etc/motd");
  assert.deepEqual(motd.differs, ["content"]);
});

Deno.test("ciso diff compares contents, whichever way they are stored", async () => {
  await run("gzip", ["-fk", isoc]);
  assert.equal((await ciso(["diff", isoc, `${isoc}.gz`])).code, 0);
  // Other times, and the hard link's two names in the other order.
  const other = ENTRIES.map((entry): TarEntry => ({
    ...entry,
    mtime: MTIME + 1,
  }));
  other[2] = { ...other[2]!, name: "bin/ash" };
  other[3] = { ...other[3]!, name: "bin/sh", link: "bin/ash" };
  const later = await isocOf("later", other, ...image, "--", "/bin/sh", "-l");
  const { stdout } = await ciso(["diff", "--json", isoc, later]);
  const diff: Loose = JSON.parse(stdout);
  for (const file of diff.files) assert.deepEqual(file.differs, ["time"]);
  const quiet = await ciso(["diff", "--json", "--ignore-times", isoc, later]);
  assert.deepEqual(JSON.parse(quiet.stdout).files, []);
});

Deno.test("ciso cat prints several files, or none", async () => {
  const one = await ciso(["cat", isoc, "etc/motd"]);
  const two = await ciso(["cat", isoc, "etc/motd", "/etc/motd"]);
  assert.equal(two.stdout, one.stdout + one.stdout);
  const { code, stdout, stderr } = await ciso([
    ...["cat", isoc, "etc/motd", "etc/none"],
  ]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /There is no etc\/none/);
});

Deno.test("A wrong command line is refused, with exit code 2", async () => {
  const cases: [string[], RegExp][] = [
    [["inspect", isoc, "--layer=2"], /--layer: "2" is not one of/],
    [["inspect", isoc, "--layer=x"], /--layer: "x"/],
    [["inspect", isoc, "--manifest=rpm"], /--manifest: "rpm" is not one of/],
    [["inspect", isoc, "--color=blue"], /--color: "blue" is not one of/],
    [["inspect", isoc, "--config", "--files"], /exclude each other/],
    [
      ["inspect", isoc, "x"],
      /ciso inspect takes one image, but here are 2: ".*", "x"/,
    ],
    [["cat", isoc], /takes an image and paths in it, but here is only "/],
    [["diff", isoc], /takes two images, but here is only "/],
    [["inspect", "--nothing"], /Unknown option/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await ciso(args);
    assert.match(stderr, message);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
  }
});

Deno.test("What cannot be read is named in one line, with exit code 1", async () => {
  const cut = at("cut.isoc");
  const bytes = await Deno.readFile(isoc);
  await Deno.writeFile(cut, bytes.subarray(0, bytes.length / 2));
  await Deno.writeFile(at("junk"), ascii("junk".repeat(1000)));
  await Deno.writeFile(at("nothing"), new Uint8Array(0));
  const failed = async (args: string[]): Promise<Result> => {
    const result = await ciso(args);
    assert.equal(result.code, 1, args.join(" "));
    assert.match(result.stderr, /^ciso: [^\n]*\n$/);
    assert.equal(result.stdout, "");
    return result;
  };
  for (const name of ["cut.isoc", "junk", "nothing", "plain.tar", "none"]) {
    const { stderr } = await failed(["inspect", at(name)]);
    assert.ok(stderr.includes(at(name)), stderr);
  }
  for (const words of [[isoc, at("junk")], [at("junk"), isoc]]) {
    const { stderr } = await failed(["diff", ...words]);
    assert.match(stderr, /^ciso: \S*junk: It is not an image/);
  }
  await failed(["inspect", isoc, "--files", "none"]);
  await failed(["inspect", isoc, "--platform=linux/arm64"]);
  await failed(["inspect", isoc, "--name=other"]);
});

Deno.test("A reader that goes away ends ciso at once", async () => {
  const { stdout, stderr } = await shell(
    '"$@" | head -n 1',
    ["inspect", isoc, "--files"],
    { command: CISO },
  );
  assert.equal(stdout.split("\n").length, 2);
  assert.equal(stderr, "");
});
