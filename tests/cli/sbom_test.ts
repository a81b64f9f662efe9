// Packages and SBOMs as users see them: inspect, build, convert and diff, on
// every runtime; hostile and damaged databases; wrong words.

import assert from "node:assert/strict";
import { binary } from "../../lib/streams/bytes.ts";
import { ciso, shell } from "../support/ciso.ts";
import { rpmDatabase, rpmHeader } from "../support/rpm_database.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  unlessMissing,
} from "../support/runtimes.ts";
import { faultsOf } from "../support/sbom_schema.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

/** JSON of which the test knows what is in it. */
// deno-lint-ignore no-explicit-any
type Loose = any;

const work = await Deno.makeTempDir({ prefix: "isoc-sbom-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
const at = (name: string) => `${work}/${name}`;

const file = (name: string, data: string, mode?: number): TarEntry => ({
  name,
  data,
  ...(mode !== undefined && { mode }),
});
const dpkg = (...packages: [name: string, version: string][]) =>
  file(
    "var/lib/dpkg/status",
    packages.map(([name, version]) =>
      `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\n` +
      "Maintainer: The Team <team@example.com>\nArchitecture: amd64\n" +
      "Homepage: https://home.example/\n"
    ).join("\n"),
  );
const SYSTEM = [
  { name: "etc/os-release", type: "2", link: "../usr/lib/os-release" },
  file(
    "usr/lib/os-release",
    'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
  ),
];
const COPYRIGHT =
  "Format: https://www.debian.org/x/\n\nFiles: *\nLicense: GPL-2+ or own\n";
const LOWER: TarEntry[] = [
  ...SYSTEM,
  dpkg(["a", "1.0-1"], ["b", "2:1~rc1"], ["gone", "1"]),
  file("usr/share/doc/a/copyright", COPYRIGHT),
  file("var/lib/dpkg/info/a.list", "/.\n/bin\n/bin/a\n/etc/link\n"),
  file("bin/a", "program\n", 0o755),
  file(
    "app/node_modules/@s/x/package.json",
    JSON.stringify({ name: "@s/x", version: "1.0.0", license: "MIT" }),
  ),
  file("usr/lib/python3/y-1.dist-info/METADATA", "Name: Y\nVersion: 1\n"),
];
const UPPER: TarEntry[] = [
  dpkg(["a", "1.0-1"], ["b", "2:1"], ["new", "0.9"]),
  { name: "app/node_modules/@s/.wh.x", data: "" },
];

async function build(
  name: string,
  layers: (TarEntry | Uint8Array)[][],
  ...options: string[]
): Promise<string> {
  const words = [];
  for (const [i, entries] of layers.entries()) {
    const path = at(`${name}-${i}.tar`);
    await Deno.writeFile(path, tarOf(entries));
    words.push("--layer", path);
  }
  const out = at(`${name}.isoc`);
  const args = ["-t", `isoc/${name}:1.0`, "--created=86400", "-q", "-o", out];
  const all = [...words, ...args, ...options, "--", "/bin/a"];
  const { code, stderr } = await ciso(all);
  assert.equal(code, 0, stderr);
  return out;
}

async function printed(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ciso(args);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  return stdout;
}

const lower = await build("app", [LOWER]);
const both = await build("app2", [LOWER, UPPER]);

Deno.test("ciso inspect counts packages, and --json lists them", async () => {
  const text = await printed(["inspect", lower]);
  assert.match(text, /^Packages\n {2}3 deb, 1 npm, 1 pypi; Debian 12$/m);
  const { packages, distribution }: Loose = JSON.parse(
    await printed(["inspect", lower, "--json"]),
  );
  assert.deepEqual(distribution, {
    id: "debian",
    version: "12",
    name: "Debian 12",
  });
  assert.deepEqual(packages.map(({ purl }: Loose) => purl), [
    "pkg:deb/debian/a@1.0-1?arch=amd64&distro=debian-12",
    "pkg:deb/debian/b@2:1~rc1?arch=amd64&distro=debian-12",
    "pkg:deb/debian/gone@1?arch=amd64&distro=debian-12",
    "pkg:npm/%40s/x@1.0.0",
    "pkg:pypi/y@1",
  ]);
  assert.deepEqual(packages[0].paths, ["var/lib/dpkg/status"]);
});

Deno.test("Of several layers the last counts, and a package has the one it came with", async () => {
  const { packages }: Loose = JSON.parse(
    await printed(["inspect", both, "--packages", "--json"]),
  );
  assert.deepEqual(
    packages.map(({ name, version, layer }: Loose) => [name, version, layer]),
    [["a", "1.0-1", 1], ["b", "2:1", 2], ["new", "0.9", 2], ["Y", "1", 1]],
  );
  assert.equal(packages[0].licence, "GPL-2.0-or-later OR LicenseRef-own");
  const text = await printed(["inspect", both, "--packages", "--layer", "2"]);
  assert.equal(
    text,
    "TYPE  NAME  VERSION  ARCH   LAYER  LICENCE\n" +
      "deb   b     2:1      amd64      2  -\n" +
      "deb   new   0.9      amd64      2  -\n",
  );
});

Deno.test("ciso diff names packages added, removed, up- and downgraded", async () => {
  const { code, stdout } = await ciso(["diff", lower, both]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^Packages\n {2}\^ b amd64 \(deb, upgraded: 2:1~rc1 to 2:1\)\n {2}- gone amd64 \(deb, removed: 1\)\n {2}\+ new amd64 \(deb, added: 0\.9\)\n {2}- @s\/x \(npm, removed: 1\.0\.0\)\n {2}1 added, 1 upgraded, 2 removed$/m,
  );
  const json: Loose = JSON.parse(
    (await ciso(["diff", both, lower, "--json"])).stdout,
  );
  assert.deepEqual(json.packages[0], {
    change: "downgraded",
    type: "deb",
    name: "b",
    architecture: "amd64",
    a: "2:1",
    b: "2:1~rc1",
  });
});

for (const format of ["spdx", "cyclonedx"] as const) {
  for (const options of [[], ["--sbom-files"]]) {
    Deno.test(`The SBOM in ${format} ${options} is valid and says what is there`, async () => {
      const sbom: Loose = JSON.parse(
        await printed(["inspect", both, "--sbom", format, ...options]),
      );
      assert.deepEqual(faultsOf(format, sbom), []);
      const isSpdx = format === "spdx";
      const list = isSpdx ? sbom.packages.slice(1) : sbom.components.slice(1);
      const found = list.filter(({ type }: Loose) => type !== "file").map((
        one: Loose,
      ) => [one.name, isSpdx ? one.versionInfo : one.version]);
      assert.deepEqual(found, [
        ...[["a", "1.0-1"], ["b", "2:1"], ["new", "0.9"], ["Y", "1"]],
      ]);
      const [first] = list;
      const time = isSpdx ? sbom.creationInfo.created : sbom.metadata.timestamp;
      assert.equal(time, "1970-01-02T00:00:00Z");
      const licence = isSpdx
        ? first.licenseDeclared
        : first.licenses[0].expression;
      assert.equal(licence, "GPL-2.0-or-later OR LicenseRef-own");
      if (isSpdx) {
        assert.equal(
          first.supplier,
          "Organization: The Team (team@example.com)",
        );
      }
      const path = isSpdx ? "./bin/a" : "/bin/a";
      const files = isSpdx ? sbom.files ?? [] : first.components ?? [];
      const file = files.find((one: Loose) =>
        (isSpdx ? one.fileName : one.name) === path
      );
      if (options.length === 0) return assert.equal(file, undefined);
      await Deno.writeTextFile(at("program"), "program\n");
      const [sha1, sha256] = await Promise.all(
        ["sha1sum", "sha256sum"].map(async (program) =>
          (await run(program, [at("program")])).split(" ")[0]
        ),
      );
      const sums = isSpdx
        ? file.checksums.map((one: Loose) => one.checksumValue)
        : file.hashes.map((one: Loose) => one.content);
      assert.deepEqual(sums, [sha1, sha256]);
    });
  }
}

Deno.test("build and convert write what inspect prints, beside the archive or where asked", async () => {
  const out = at("beside.isoc");
  const args = ["-t", "isoc/app2:1.0", "--created=86400", "-q", "-o", out];
  const layers = ["--layer", at("app2-0.tar"), "--layer", at("app2-1.tar")];
  const named = at("named.json");
  const sboms = ["--sbom", "spdx", "--sbom", `cyclonedx=${named}`];
  const { code, stderr } = await ciso([
    ...[...layers, ...args, ...sboms],
    ...["--", "/bin/a"],
  ]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await Deno.readFile(out), await Deno.readFile(both));
  for (
    const [format, path] of [["spdx", `${out}.spdx.json`], ["cyclonedx", named]]
  ) {
    assert.equal(
      await Deno.readTextFile(path!),
      await printed(["inspect", both, "--sbom", format!]),
    );
  }
  const converted = at("converted.isoc");
  await printed(["convert", both, "-q", "-o", converted, "--sbom", "spdx"]);
  assert.equal(
    await Deno.readTextFile(`${converted}.spdx.json`),
    await Deno.readTextFile(`${out}.spdx.json`),
  );
});

Deno.test("Into a pipe, the SBOM of the archive goes to its file", async () => {
  const sbom = at("piped.spdx.json");
  const { code, stderr } = await shell(
    `"$@" | cat >${at("piped.isoc")}`,
    [
      ...["build", "-", "-t", "isoc/app:1.0", "--created=86400", "-q"],
      ...["--sbom", `spdx=${sbom}`, "--", "/bin/a"],
    ],
    { stdin: await Deno.readFile(at("app-0.tar")) },
  );
  assert.equal(code, 0, stderr);
  assert.equal(
    await Deno.readTextFile(sbom),
    await printed(["inspect", at("piped.isoc"), "--sbom", "spdx"]),
  );
});

Deno.test("An image without layers has its packages in rootfs/", async () => {
  const aci = at("app.aci");
  await printed(["export", lower, "--as", "appc", "-q", "-o", aci]);
  assert.match(await printed(["inspect", aci]), /^ {2}3 deb, 1 npm, 1 pypi; /m);
});

Deno.test("Alpine's and rpm's databases are read, too", async () => {
  const apk = await build("alpine", [[
    file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.1\n"),
    file("lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\n"),
  ]]);
  const rpm = await build("fedora", [[
    file("etc/os-release", "ID=fedora\nVERSION_ID=40\n"),
    file(
      "usr/lib/sysimage/rpm/rpmdb.sqlite",
      binary(
        await rpmDatabase([
          rpmHeader({
            1000: "bash",
            1001: "5.2",
            1002: "4.fc40",
            1022: "x86_64",
          }),
        ]),
      ),
    ),
  ]]);
  const purls = async (image: string) =>
    JSON.parse(await printed(["inspect", image, "--json"])).packages.map((
      { purl }: Loose,
    ) => purl);
  assert.deepEqual(await purls(apk), [
    "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.1",
  ]);
  assert.deepEqual(await purls(rpm), [
    "pkg:rpm/fedora/bash@5.2-4.fc40?arch=x86_64&distro=fedora-40",
  ]);
});

Deno.test("A damaged database is a warning with its name, and the image is made", async () => {
  const entries = [
    file("var/lib/dpkg/status", "\x1b[31mnothing\n"),
    file("var/lib/rpm/rpmdb.sqlite", "SQLite format 3\0 and no more"),
    file("var/lib/rpm/Packages", "x"),
    file("node_modules/a/package.json", "{"),
    file(
      "app/Cargo.lock",
      '[[package]]\nname = "x"\nversion = "1"\nsource = "y"\n',
    ),
  ];
  const out = at("damaged.isoc");
  await Deno.writeFile(at("damaged.tar"), tarOf(entries));
  const { code, stderr } = await ciso([
    ...[at("damaged.tar"), "-t", "isoc/x:1", "-o", out, "--created=0"],
    ...["--sbom", "spdx", "--sbom", "cyclonedx", "--", "/bin/a"],
  ]);
  assert.equal(code, 0, stderr);
  for (
    const name of [
      "dpkg/status",
      "rpmdb.sqlite",
      "rpm/Packages",
      "a/package.json",
    ]
  ) {
    assert.match(
      stderr,
      new RegExp(
        `packages that "[^"]*${name}" of layer 1 names are not listed: `,
      ),
    );
  }
  assert.match(stderr, /rpmdb --rebuilddb/);
  // Each is said once.
  assert.equal(stderr.split("not listed").length - 1, 4);
  assert.ok(!stderr.includes("\x1b"));
  const sbom = JSON.parse(await Deno.readTextFile(`${out}.spdx.json`));
  assert.deepEqual(faultsOf("spdx", sbom), []);
  assert.equal(sbom.packages[1].name, "x");
  const { notes }: Loose = JSON.parse(
    await printed(["inspect", out, "--json"]),
  );
  assert.equal(
    notes.filter((note: string) => note.includes("not listed")).length,
    4,
  );
});

Deno.test("Names made to deceive are shown in quotes, and SBOMs stay valid", async () => {
  const names = [
    "__proto__",
    "constructor",
    "a\u202eb",
    "\x1b[2J",
    "a b",
    "../../x",
    "é".repeat(200),
  ];
  const status = names.map((name) =>
    `Package: ${name}\nVersion: 1\x07\nMaintainer: <script>\x1b]0;x\x07 <a@b>\n`
  ).join("\n");
  const bytes = binary(new TextEncoder().encode(status));
  const image = await build("odd", [[file("var/lib/dpkg/status", bytes)]]);
  const text = await printed(["inspect", image, "--packages"]);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\x00-\x09\x0b-\x1f\u202e]/.test(text));
  assert.ok(text.includes('"a\\u202eb"'));
  for (const format of ["spdx", "cyclonedx"] as const) {
    const raw = await printed([
      "inspect",
      image,
      "--sbom",
      format,
      "--sbom-files",
    ]);
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\x00-\x09\x0b-\x1f\u202e]/.test(raw));
    const sbom: Loose = JSON.parse(raw);
    assert.deepEqual(faultsOf(format, sbom), []);
    const all = (format === "spdx" ? sbom.packages : sbom.components)
      .map(({ name }: Loose) => name);
    assert.ok(names.every((name) => all.includes(name)));
  }
});

const WRONG: [words: string[], message: RegExp][] = [
  [
    ["inspect", lower, "--sbom", "x"],
    /--sbom: "x" is not one of spdx, cyclonedx/,
  ],
  [["inspect", lower, "--sbom"], /--sbom needs spdx\|cyclonedx/],
  [
    ["inspect", lower, "--sbom", "spdx", "--sbom", "cyclonedx"],
    /Two SBOMs cannot go to standard output/,
  ],
  [
    ["inspect", lower, "--sbom", "spdx", "--sbom", "spdx=x"],
    /--sbom spdx is there twice/,
  ],
  [
    ["inspect", lower, "--sbom", "spdx=x", "--sbom", "cyclonedx=x"],
    /Both --sbom go to "x"/,
  ],
  [["inspect", lower, "--sbom", "spdx="], /names no file/],
  [["inspect", lower, "--sbom-files"], /--sbom-files goes with --sbom/],
  [["inspect", lower, "--sbom", "spdx", "--layer", "1"], /--sbom and --layer/],
  [["inspect", lower, "--sbom", `spdx=${lower}`], /is the image itself/],
  [["inspect", lower, "--packages", "--files"], /exclude each other/],
  [["convert", lower, "--sbom", "spdx"], /give it one with --sbom spdx=FILE/],
  [
    ["convert", lower, "-o", at("w.isoc"), "--sbom", `spdx=${lower}`],
    /is the image itself/,
  ],
  [["convert", lower, "-o", at("w.isoc"), "--sbom", "spdx=-"], /give a file/],
  [
    ["push", lower, "localhost:1/a", "--sbom", "spdx=x"],
    /sends the SBOM to the registry/,
  ],
];

for (const [words, message] of WRONG) {
  const shown = words.join(" ").replaceAll(`${work}/`, "");
  Deno.test(`Wrong: ciso ${shown}`, async () => {
    const { code, stdout, stderr } = await ciso(words);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  });
}

Deno.test("Where no SBOM can be written, nothing else is", async () => {
  const out = at("none.isoc");
  const { code, stderr } = await ciso([
    ...["convert", lower, "-o", out, "--sbom", `spdx=${at("no/such/x.json")}`],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /no\/such\/x\.json/);
  const left = [...Deno.readDirSync(work)].filter(({ name }) =>
    name.includes("none")
  );
  assert.deepEqual(left, []);
});

for (const runtime of await bundleRuntimes()) {
  Deno.test({
    ...unlessMissing(`${runtime.name} writes the same SBOMs`, runtime),
    async fn() {
      assertNothingMissing(runtime);
      for (const format of ["spdx", "cyclonedx"]) {
        const args = ["inspect", both, "--sbom", format, "--sbom-files"];
        const [program, ...first] = runtime.command;
        assert.equal(
          await run(program!, [...first, ...args]),
          await printed(args),
        );
      }
    },
  });
}
