// Files edited on the way: --exclude, --add, --chmod and the like, as a user
// gives them.

import assert from "node:assert/strict";
import {
  allowing,
  ciso as runCiso,
  type CisoOptions,
  shell as runShell,
  temporary,
} from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  unlessMissing,
} from "../support/runtimes.ts";

const work = await Deno.makeTempDir({ prefix: "isoc-edits-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

const IMAGE = ["-t", "isoc/edits", "--created", "0"];
const COMMAND = ["--", "/bin/sh"];
// Under Deno, find says what Deno hides of a directory.
const FIND = "--allow-run=find";
const RUNTIMES = await bundleRuntimes([FIND]);
const ciso = (args: string[], options: CisoOptions = {}) =>
  runCiso(args, { command: allowing(FIND), ...options });
const shell = (line: string, args: string[], options: CisoOptions = {}) =>
  runShell(line, args, { command: allowing(FIND), ...options });

await run("bash", ["-ec", SCRIPT(), "bash", work]);

/** Makes a tree, tars of it by several programs, and an image of two layers. */
function SCRIPT() {
  return `
cd "$1"; umask 022
long=tree/long/$(printf x%.0s {1..90}); mkdir -p tree/bin tree/etc tree/log $long
echo sh >tree/bin/sh; chmod 755 tree/bin/sh; ln tree/bin/sh tree/bin/ash
echo a >tree/etc/a; echo log >tree/log/x.log; echo keep >tree/log/keep.log
echo deep >$long/$(printf y%.0s {1..90}); ln -s ash tree/bin/link
head -c 300000 /dev/zero | tr '\\\\0' z >tree/big
find tree -exec touch -h -d @1000000000 {} +
tar -C tree -cf tree.tar .; tar -C tree --format=posix -cf posix.tar .
(cd tree; find . | sort -r | tar --no-recursion -T - -cf ../reversed.tar)
python3 -c "import tarfile
with tarfile.open('python.tar','w') as t: t.add('tree', '.')"
mkdir -p up/etc; touch up/etc/.wh.a; echo b >up/etc/b; tar -C up -cf up.tar etc
echo added >added; chmod 600 added; touch -d @1500000000 added
tar -cf below.tar tree; printf '/log\\n!log/keep.log\\n' >ignore; touch none; echo [ >wrong`;
}

/** Builds an archive and lists what is below its rootfs/. */
async function listed(
  args: string[],
  options: CisoOptions = {},
): Promise<{ lines: string[]; stderr: string }> {
  const archive = `${work}/listed.isoc`;
  const result = await ciso([...args, ...IMAGE, "-o", archive, ...COMMAND], {
    cwd: work,
    ...options,
  });
  assert.equal(result.code, 0, result.stderr);
  const list = await run("tar", ["--numeric-owner", "--utc", "-tvf", archive]);
  const lines = list.split("\n").flatMap((line) => {
    const found = /^(\S+) (\S+) +(\S+) (\S+ \S+) rootfs\/(.*)$/.exec(line);
    if (!found || /^(json|VERSION|layer\.tar.*)?$/.test(found[5]!)) return [];
    return [`${found[1]} ${found[2]} ${found[4]} ${found[5]}`];
  });
  return { lines: lines.sort(), stderr: result.stderr };
}

/** The paths below rootfs/, but for the long ones. */
async function paths(args: string[]): Promise<string[]> {
  const { lines } = await listed(args);
  return lines.map((line) => line.replace(/^(\S+ ){4}/, ""))
    .filter((path) => !path.startsWith("long")).sort();
}

const ALL = [
  ...[
    "big",
    "bin/",
    "bin/ash",
    "bin/link -> ash",
    "bin/sh link to rootfs/bin/ash",
  ],
  ...["etc/", "etc/a", "log/", "log/keep.log", "log/x.log"],
];

Deno.test("a tar is edited as a directory is", async () => {
  const without = (...gone: string[]) =>
    ALL.filter((path) => !gone.includes(path));
  const links = (path: string) =>
    /^bin\/a?sh/.test(path) ? path.replace(/ .*/, "") : path;
  for (const input of ["reversed.tar", "tree"]) {
    for (
      const [args, expected] of [
        [[], ALL],
        [["--exclude", "log"], without("log/", "log/x.log", "log/keep.log")],
        [["--ignore-file", "ignore"], without("log/x.log")],
        [
          ["--exclude=**/*.log", "--exclude=!**/keep.log"],
          without("log/x.log"),
        ],
        [
          ["--remove", "/log", "--remove", "big"],
          without("log/", "log/x.log", "log/keep.log", "big"),
        ],
        [["--add", "added:/etc/new/"], [...ALL, "etc/new/", "etc/new/added"]],
        [["--add", "added:/"], [...ALL, "added"]],
        [["--add", "up:/opt"], [
          ...ALL,
          "opt/",
          "opt/etc/",
          "opt/etc/.wh.a",
          "opt/etc/b",
        ]],
      ] as [string[], string[]][]
    ) {
      const more = args.includes("up:/opt") ? ["--allow-whiteouts"] : [];
      const found = await paths([input, ...args, ...more]);
      assert.deepEqual(
        found.map(links),
        expected.map(links).sort(),
        `${input} ${args.join(" ")}`,
      );
    }
  }
});

Deno.test("a hard link becomes the file when its file is left out", async () => {
  for (
    const edit of ["--exclude=bin/ash", "--remove=bin/ash", "--exclude=bin/sh"]
  ) {
    for (const input of ["tree.tar", "reversed.tar"]) {
      const { stdout } = await shell(
        `"$@" | tar -xOf - --wildcards 'rootfs/bin/*sh'`,
        [input, edit, ...IMAGE, ...COMMAND],
        { cwd: work },
      );
      assert.equal(stdout, "sh\n", `${input} ${edit}`);
    }
  }
});

Deno.test("a hard link that becomes its left out file gets the link's mode", async () => {
  for (
    const [out, link, rules, mode] of [
      ["bin/ash", "bin/sh", ["bin/sh=4700"], "-rws------"],
      ["bin/sh", "bin/ash", ["bin/ash=4700"], "-rws------"],
      // A path that is left out has no say.
      ["bin/ash", "bin/sh", ["bin/ash=4700"], "-rwxr-xr-x"],
      ["bin/ash", "bin/sh", ["bin/*=a-x", "bin/sh=u+s"], "-rwSr--r--"],
      ["bin/ash", "bin/sh", ["**=600"], "-rw-------"],
    ] as const
  ) {
    const edits = [
      ...rules.map((rule) => `--chmod=${rule}`),
      `--exclude=${out}`,
    ];
    // Which of both comes first differs.
    for (const input of ["tree.tar", "reversed.tar", "tree"]) {
      const args = [input, ...edits, ...(rules.length > 1 ? ["--sort"] : [])];
      const { lines } = await listed(args);
      const found = lines.filter((line) => / bin\/(a?)sh/.test(line));
      assert.equal(found.length, 1, `${args} ${found}`);
      assert.match(found[0]!, new RegExp(`^${mode} .* ${link}$`), `${args}`);
    }
  }
});

Deno.test("modes, owners and times go where they are to go", async () => {
  const { lines } = await listed([
    ...["tree.tar", "--owner=7:8", "--mtime=2001-02-03", "--remove=long"],
    ...["--chmod=**=u=rwX,go=rX", "--chmod=log/*=a+x", "--chmod=bin/ash=4700"],
    ...["--add=added:/a:b:0640:1:2", "--add=added:/c"],
  ]);
  const time = "2001-02-03 00:00";
  assert.deepEqual(
    lines,
    [
      `-rw-r----- 1/2 ${time} a:b`,
      `-rw-r--r-- 7/8 ${time} big`,
      `-rw-r--r-- 7/8 ${time} c`,
      `-rw-r--r-- 7/8 ${time} etc/a`,
      `-rws------ 7/8 ${time} bin/ash`,
      `-rwxr-xr-x 7/8 ${time} log/keep.log`,
      `-rwxr-xr-x 7/8 ${time} log/x.log`,
      `drwxr-xr-x 7/8 ${time} bin/`,
      `drwxr-xr-x 7/8 ${time} etc/`,
      `drwxr-xr-x 7/8 ${time} log/`,
      `hrws------ 7/8 ${time} bin/sh link to rootfs/bin/ash`,
      `lrwxrwxrwx 7/8 ${time} bin/link -> ash`,
    ].map((line) => line).sort(),
  );
});

Deno.test("--clamp-mtime changes newer times alone", async () => {
  const add = ["--add", "added:/new"];
  for (
    const [args, env, time] of [
      [["--clamp-mtime", "--mtime", "@1200000000"], {}, "2008-01-10"],
      [["--clamp-mtime"], { SOURCE_DATE_EPOCH: "1200000000" }, "2008-01-10"],
      [["--clamp-mtime", "--mtime=2020-01-01T00:00:00Z"], {}, "2017-07-14"],
    ] as [string[], Record<string, string>, string][]
  ) {
    const { lines } = await listed(["tree.tar", ...add, ...args], { env });
    assert.match(
      lines.find((line) => line.endsWith(" new"))!,
      new RegExp(time),
    );
    assert.match(lines.find((line) => line.endsWith(" big"))!, /2001-09-09/);
  }
});

Deno.test("--sort makes one digest of what tar programs make", async () => {
  const digests = new Map<string, string[]>();
  for (
    const input of [
      "tree",
      "tree.tar",
      "posix.tar",
      "reversed.tar",
      "python.tar",
    ]
  ) {
    const args = [input, "--sort", ...IMAGE, "--json", "-q", ...COMMAND];
    const { stderr } = await shell('"$@" >/dev/null', args, { cwd: work });
    const { digest } = JSON.parse(stderr).layers[0];
    digests.set(digest, [...digests.get(digest) ?? [], input]);
  }
  assert.equal(digests.size, 1, JSON.stringify([...digests]));
});

Deno.test("an image keeps its layers under what --add and --remove make", async () => {
  await using folder = await temporary();
  const base = `${folder.path}/base.isoc`;
  const out = `${folder.path}/out.isoc`;
  const layers = ["build", "--layer", "tree.tar", "--layer", "up.tar"];
  const json = async (args: string[]) => {
    const { code, stdout, stderr } = await ciso(args, { cwd: work });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const before = await json([
    ...layers,
    ...IMAGE,
    "--json",
    "-q",
    "-o",
    base,
    ...COMMAND,
  ]);
  const convert = (...args: string[]) =>
    json(["convert", base, ...args, "--json", "-q", "-o", out]);
  const digests = (made: { layers: { digest: string }[] }) =>
    made.layers.map(({ digest }) => digest);
  const after = await convert(
    "--add=added:/etc/added",
    "--remove=/log",
    "--remove=/nix",
  );
  assert.deepEqual(digests(after).slice(0, 2), digests(before));
  assert.equal(after.layers.length, 3);
  assert.deepEqual(after.layers[2].changes.includes("edited"), true);
  assert.deepEqual(after.edits, [
    { edit: "remove", value: "/log", entries: 1 },
    { edit: "remove", value: "/nix", entries: 0 },
    { edit: "add", value: "added:/etc/added", entries: 1 },
  ]);
  const list = await run("tar", ["-tf", out]);
  assert.match(list, /^rootfs\/etc\/added$/m);
  assert.doesNotMatch(list, /^rootfs\/(log|etc\/a$)/m);
  const { code, stdout } = await ciso(["verify", out]);
  assert.equal(code, 0, stdout);
  // Nothing to remove: the same image.
  const same = await convert("--remove=/nix");
  assert.equal(same.imageId, before.imageId);
  // What is left out is in no layer.
  const left = await convert("--exclude=etc", "--exclude=log");
  assert.equal(left.layers.length, 2);
  assert.equal(left.edits[0].entries, 8);
  assert.doesNotMatch(await run("tar", ["-tf", out]), /^rootfs\/(log|etc)/m);
});

Deno.test("an edit that finds nothing gets a note", async () => {
  for (
    const [args, note] of [
      [
        ["--exclude", "nix", "--exclude", "log"],
        '--exclude "nix" matches nothing',
      ],
      [
        ["--ignore-file", "/dev/null"],
        '--ignore-file "/dev/null" leaves nothing out',
      ],
      [
        ["--remove", "/nix"],
        '--remove "/nix" removes nothing: there is no such path',
      ],
      [["--chmod", "nix=755"], '--chmod "nix=755" matches nothing'],
      // It is so already: that is no mistake.
      [["--chmod", "bin=755"], undefined],
      [["--mtime", "@1000000000"], undefined],
      [["--mtime", "2002-01-01", "--clamp-mtime"], undefined],
      [["--sort"], undefined],
    ] as [string[], string | undefined][]
  ) {
    for (const input of ["tree.tar", "tree"]) {
      const { stderr } = await listed([input, ...args]);
      const notes = stderr.split("\n").filter((line) => line.includes("--"));
      const expected = note === undefined ? [] : [`ciso: ${note}`];
      assert.deepEqual(notes, expected, `${input}: ${stderr}`);
    }
  }
});

Deno.test("a tree one directory too deep gets a note, and loses it", async () => {
  const { stderr } = await listed(["below.tar"]);
  assert.match(
    stderr,
    /All is below the directory "tree"; .* --strip-components 1$/m,
  );
  const stripped = await listed(["below.tar", "--strip-components", "1"]);
  assert.doesNotMatch(stripped.stderr, /All is below/);
  assert.deepEqual(stripped.lines, (await listed(["tree.tar"])).lines);
});

Deno.test("--add takes pipes, standard input and paths with colons", async () => {
  const script =
    `cp added a:b; mkfifo p; printf pipe >p & "$@" --add p:/p --add -:/i \
    --add 'a\\:b:/c' --add a:b:/d:600 ${[...IMAGE, ...COMMAND].join(" ")} |
    tar -xOf - rootfs/p rootfs/i rootfs/c rootfs/d`;
  const { stdout, stderr } = await shell(script, ["tree.tar"], {
    cwd: work,
    stdin: new TextEncoder().encode("stdin"),
  });
  assert.equal(stdout, "pipestdinadded\nadded\n", stderr);
});

Deno.test("wrong edits are refused", async () => {
  for (
    const [args, message, code] of [
      [["--strip-components", "x"], /--strip-components "x" is not a count/, 2],
      [
        ["--strip-components", "9"],
        /left of its \d+ entries after --strip-components "9":/,
        1,
      ],
      [
        ["--exclude", "**", "--sort"],
        /Nothing is left of its \d+ entries after --exclude: leave out fewer/,
        1,
      ],
      [["--exclude", "["], /--exclude: The pattern "\[" is malformed/, 2],
      [["--ignore-file", "wrong"], /"wrong": The pattern "\[" is malformed/, 2],
      [["--chmod", "bin=99999"], /is not GLOB=MODE; .* up to 7777/, 2],
      [
        ["--strip-components", "1000000000"],
        /"1000000000" is not a count of directories, from 0 to 9999/,
        2,
      ],
      [["--chmod", "bin"], /--chmod "bin" is not GLOB=MODE/, 2],
      [["--chmod", "bin=9"], /--chmod "bin=9" is not GLOB=MODE/, 2],
      [["--chmod", "[=755"], /--chmod: The pattern "\[" is malformed/, 2],
      [["--owner", "root"], /--owner "root" is not UID:GID/, 2],
      [
        ["--owner", "4294967295:0"],
        /is not UID:GID, .* of 4294967294 at most/,
        2,
      ],
      [
        ["--mtime", "yesterday"],
        /--mtime "yesterday" is not an RFC 3339 time/,
        2,
      ],
      [["--clamp-mtime"], /--clamp-mtime needs a time: .*SOURCE_DATE_EPOCH/, 2],
      [["--remove", "/"], /--remove "\/" is the root/, 2],
      [["--remove", "../x"], /--remove "\.\.\/x": the path climbs/, 2],
      [["--add", "added"], /--add "added" is not FILE:PATH/, 2],
      [["--add", "x:y:z"], /--add "x:y:z" has more colons/, 2],
      // These would be odd names, and are modes that are none.
      [["--add", "added:/x:99999"], /octal, up to 7777, .* colon of a path/, 2],
      [["--add", "added:/x:0644:1"], /is not FILE:PATH\[:MODE\[:UID:GID/, 2],
      [["--add", "added:/x:0644:a:b"], /UID and GID are numbers/, 2],
      [["--add", "added:/x:u=q"], /is not FILE:PATH/, 2],
      [["--add", "added:../../x"], /"added:\.\.\/\.\.\/x": the path climbs/, 2],
      [["--add", "-:/etc/"], /standard input has no name/, 2],
      [["--add", "nothing:/x"], /nothing/, 1],
      [
        ["--add", "up:/opt:755"],
        /"up" is a directory, whose files keep their modes/,
        2,
      ],
      [
        ["--add", "added:/etc"],
        /"etc" cannot be added: it is a directory there/,
        1,
      ],
      [
        ["--add", "added:/etc/a/b"],
        /"etc\/a" is there, which is no directory/,
        1,
      ],
      [
        ["--add", "-:/a", "--add", "-:/b"],
        /Standard input can be read once/,
        2,
      ],
    ] as [string[], RegExp, number][]
  ) {
    const archive = `${work}/refused.isoc`;
    const all = ["tree.tar", ...args, ...IMAGE, "-o", archive, ...COMMAND];
    const result = await ciso(all, { cwd: work });
    assert.match(result.stderr, message, args.join(" "));
    assert.equal(result.code, code, result.stderr);
    await assert.rejects(Deno.stat(archive));
  }
});

/** Digests of an archive that is made in three ways. */
async function waysOf(command: string[], edits: string[]): Promise<string[]> {
  const words = (input: string, ...more: string[]) => [
    ...[input, ...edits, ...IMAGE, ...more, ...COMMAND],
  ];
  const ways: [string, string[]][] = [
    ['"$@" | sha256sum', words("posix.tar")],
    ['cat posix.tar | "$@" | sha256sum', words("-")],
    ['"$@" && sha256sum <same.isoc', words("posix.tar", "-o", "same.isoc")],
  ];
  const found: string[] = [];
  for (const [line, args] of ways) {
    const { stdout, stderr, code } = await shell(line, args, {
      command,
      cwd: work,
    });
    assert.equal(code, 0, stderr);
    found.push(stdout);
  }
  return found;
}

const EDITS = [
  ...["--exclude=bin/ash", "--strip-components=1", "--owner=0:0"],
  ...["--chmod=**=a+r", "--mtime=@5", "--add=up:/opt", "--allow-whiteouts"],
];
for (const more of [[], ["--sort"]]) {
  let expected: Promise<string[]> | undefined;
  for (const runtime of RUNTIMES) {
    Deno.test({
      ...unlessMissing(
        `edits make the same bytes ${more} on ${runtime.name}`,
        runtime,
      ),
      async fn() {
        assertNothingMissing(runtime);
        const edits = [...EDITS, ...more];
        expected ??= waysOf(RUNTIMES[0]!.command, edits);
        const [first] = await expected;
        const found = await waysOf(runtime.command, edits);
        assert.deepEqual(found, [first, first, first]);
      },
    });
  }
}

Deno.test("a saved image below a directory is called that", async () => {
  const script = `mkdir -p saved/in && cd saved
    "$@" -o x.isoc --faces docker,oci ${[...IMAGE, ...COMMAND].join(" ")} &&
    tar -C in -xf x.isoc && tar -cf ../saved.tar in && rm x.isoc`;
  const made = await shell(script, ["../tree.tar"], { cwd: work });
  assert.equal(made.code, 0, made.stderr);
  for (const words of [["saved.tar"], ["saved"], ["convert", "saved.tar"]]) {
    const args = [...words, ...IMAGE, ...COMMAND];
    const { code, stderr, stdout } = await ciso(args, { cwd: work });
    assert.match(
      stderr,
      /: It is a saved image \(docker save\) below the directory "in".*tar -c -C "in" \..* ciso convert/,
    );
    assert.equal(code, 1);
    assert.equal(stdout, "");
  }
  for (
    const words of [["convert", "saved"], ["inspect", "saved"], [
      "verify",
      "saved",
    ]]
  ) {
    const { code, stderr } = await ciso(words, { cwd: work });
    assert.match(
      stderr,
      /below the directory "in": give that directory itself/,
    );
    assert.equal(code, 1);
  }
});

Deno.test("a runtime bundle below a directory is called that", async () => {
  const script = `mkdir -p run/my/rootfs/bin && cd run && >my/rootfs/bin/sh &&
    echo '{"ociVersion": "1.0.2", "root": {"path": "rootfs"}}' >my/config.json &&
    tar -cf ../run.tar my && tar -cf ../bare.tar my/config.json my/rootfs/bin/sh`;
  await shell(script, [], { cwd: work });
  for (
    const words of [["run.tar"], ["convert", "run.tar"], [
      "convert",
      "bare.tar",
    ]]
  ) {
    const args = [...words, ...IMAGE, ...COMMAND];
    const { code, stderr } = await ciso(args, { cwd: work });
    assert.match(
      stderr,
      /: It is a runtime bundle below the directory "my".*tar -c -C "my" \..* ciso convert/,
    );
    assert.equal(code, 1);
  }
});

Deno.test("inspect, verify and export say where the image is", async () => {
  const script = `mkdir -p low/in/rootfs && cd low && >../nothing &&
    echo '{"ociVersion": "1.0.2"}' >in/config.json && tar -cf ../low.tar in`;
  await shell(script, [], { cwd: work });
  for (const command of [["inspect"], ["verify"], ["export", "--as", "oci"]]) {
    const low = await ciso([...command, "low.tar"], { cwd: work });
    assert.match(
      low.stderr,
      /: It is a runtime bundle below the directory "in"/,
    );
    const none = await ciso([...command, "nothing"], { cwd: work });
    assert.match(none.stderr, /^ciso: nothing: .* is empty; make or fetch/);
    assert.deepEqual([low.code, none.code], [1, 1]);
  }
});

Deno.test("an edited tar may come out larger than it seems", async () => {
  // Without its times in PAX records the sparse file is whole.
  const script = `mkdir holes && cd holes && mkdir tree && echo a >tree/a
    truncate -s 40M tree/z && echo z >>tree/z
    tar -SC tree --format=posix -cf tar.tar .
    for way in '' alone beside stream; do
      CISO_WAY=$way "$@" tar.tar --mtime @1 -o $way.isoc ${
    [...IMAGE, ...COMMAND].join(" ")
  }
      sha256sum <$way.isoc
    done`;
  const made = await shell(script, [], { cwd: work });
  assert.equal(made.code, 0, made.stderr);
  const digests = new Set(made.stdout.trim().split("\n"));
  assert.equal(digests.size, 1, made.stdout);
});

/** Edits of a tar in a format, by what becomes of its bytes. */
const WAYS: Record<string, string> = {
  "headers in their place": "gnu --owner 7:8 --chmod **/f1*=0600",
  "modes by the ends of names": "posix --chmod **/*9=0600 --mtime @7",
  "headers that lose records": "posix --mtime @1000000",
  "headers of later files": "posix --clamp-mtime --mtime @1500000000",
  "shorter paths": "gnu --strip-components 1",
  "files left out": "posix --exclude **/*7",
  "a directory left out, but for a file":
    "gnu --exclude sub --exclude !sub/f33",
  "a file left out that has a hard link": "gnu --remove a-first",
  "files added": "posix --add kept:/sub/new --add kept:/new/er",
  "all at once": "posix --exclude **/*7 --owner 1:2 --mtime @5 " +
    "--chmod **/*3=0700 --add kept:/x",
};

Deno.test("an edited tar is the same in all ways", async () => {
  const cwd = `${work}/ways`;
  await Deno.mkdir(cwd);
  await Deno.writeFile(`${cwd}/kept`, new Uint8Array(40_000).fill(75));
  const long = "n".repeat(120);
  const trees = `mkdir -p tree/sub/${long} && cd tree &&
    head -c 700000 /dev/urandom >a-first && ln a-first sub/z-link
    for i in $(seq 90); do
      head -c $((i * 331)) ../kept >sub/f$i && cp sub/f$i sub/${long}/f$i
    done
    truncate -s 3M sub/holes && echo z >>sub/holes
    touch -d @1400000000.5 sub/f1* && cd .. &&
    for format in gnu posix; do
      tar --sort=name -SC tree --format=$format -cf $format.tar .
    done`;
  const archived = await shell(trees, [], { cwd });
  assert.equal(archived.code, 0, archived.stderr);
  for (const [name, words] of Object.entries(WAYS)) {
    const [format, ...edits] = words.split(" ");
    const script = `set -e
      for way in alone beside stream; do
        CISO_WAY=$way "$@" ${format}.tar -o x.isoc -- /bin/sh
        sha256sum <x.isoc
      done
      cat ${format}.tar | "$@" - -o x.isoc -- /bin/sh
      sha256sum <x.isoc`;
    const made = await shell(script, [...edits, ...IMAGE, "-q"], { cwd });
    assert.equal(made.code, 0, made.stderr);
    const digests = made.stdout.trim().split("\n");
    assert.equal(digests.length, 4, name);
    assert.equal(new Set(digests).size, 1, `${name}: ${digests.join(" ")}`);
  }
});

Deno.test("a layer without the files that are below is the same in all ways", async () => {
  const build = `--layer gnu.tar --dedupe ${IMAGE.join(" ")}`;
  const script = `set -e
    touch tree/sub/f2*
    tar --sort=name -SC tree --format=gnu -cf more.tar .
    for way in alone beside stream; do
      CISO_WAY=$way "$@" ${build} --layer more.tar -qo x.isoc -- /bin/sh
      sha256sum <x.isoc
    done
    "$@" ${build} --layer more.tar -q -- /bin/sh | sha256sum
    cat more.tar | "$@" ${build} --layer - -qo x.isoc -- /bin/sh
    sha256sum <x.isoc
    "$@" ${build} --layer more.tar --json -qo x.isoc -- /bin/sh`;
  const made = await shell(script, [], { cwd: `${work}/ways` });
  assert.equal(made.code, 0, made.stderr);
  const digests = made.stdout.trim().split("\n").slice(0, 5);
  assert.equal(new Set(digests).size, 1, made.stdout);
  assert.match(made.stdout, /"duplicates"/);
  const { layers: [whole, rest] } = JSON.parse(
    made.stdout.slice(made.stdout.indexOf("{")),
  );
  assert.ok(rest.size < whole.size, made.stdout);
});

Deno.test("the only directory may have a long name that is not UTF-8", async () => {
  const name = "\"$(printf '\\377%.0s' $(seq 255))\"";
  const script = `mkdir -p odd/${name} && tar -cf odd.tar -C odd ${name} &&
    "$@" odd.tar -q -o odd.isoc ${[...IMAGE, ...COMMAND].join(" ")}`;
  const { code, stderr } = await shell(script, [], { cwd: work });
  assert.equal(code, 0, stderr);
});
