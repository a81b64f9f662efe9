// Readers of package databases and lock files, one file each.

import assert from "node:assert/strict";
import { readApkInstalled } from "../../lib/packages/apk.ts";
import { readDpkgStatus } from "../../lib/packages/deb.ts";
import { GoBuildInfo } from "../../lib/packages/go_build_info.ts";
import {
  readCargoLock,
  readComposerLock,
  readGemfileLock,
} from "../../lib/packages/lock_files.ts";
import { readPackageJson, readPackageLock } from "../../lib/packages/npm.ts";
import { readOsRelease } from "../../lib/packages/os_release.ts";
import type { FoundPackage } from "../../lib/packages/package.ts";
import { packageFile } from "../../lib/packages/package_files.ts";
import { readPythonMetadata } from "../../lib/packages/python.ts";
import { ascii, concat, utf8 } from "../../lib/streams/bytes.ts";

const names = (packages: FoundPackage[]) =>
  packages.map(({ namespace, name, version }) =>
    `${namespace === undefined ? "" : `${namespace}/`}${name} ${version}`
  );

Deno.test("dpkg's status: only packages that have files", () => {
  const one = (name: string, state: string) =>
    `Package: ${name}\nStatus: ${state}\nMaintainer: A <a@example.com>\n` +
    `Architecture: amd64\nVersion: 1-2\nSource: src (1-1)\nDescription: x\n more\n`;
  const found = readDpkgStatus([
    one("a", "install ok installed"),
    one("b", "deinstall ok config-files"),
    one("c", "purge ok not-installed"),
    one("d", "install reinstreq half-installed"),
    "Package: e\nVersion: 7\nStatus: hold ok installed\r\n",
  ].join("\n"));
  assert.deepEqual(names(found), ["a 1-2", "d 1-2", "e 7"]);
  assert.deepEqual(found[0], {
    type: "deb",
    name: "a",
    version: "1-2",
    architecture: "amd64",
    supplier: "A <a@example.com>",
    source: { name: "src", version: "1-1" },
  });
  assert.deepEqual(found[2]!.source, { name: "e", version: "7" });
  assert.deepEqual(readDpkgStatus(""), []);
  assert.throws(() => readDpkgStatus("<html>\nnothing"), /names a package/);
});

Deno.test("apk's database: fields of a letter, and files", () => {
  const text = `C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
L:MIT
o:musl
m:Timo <timo@example.com>
U:https://musl.example/
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
F:
R:top

P:broken
A:x86_64

P:busybox
V:1.36.1-r5
L:GPL-2.0-only
`;
  const found = readApkInstalled(text, true);
  assert.deepEqual(names(found), ["musl 1.2.4-r2", "busybox 1.36.1-r5"]);
  assert.deepEqual(found[0]!.files, ["lib/ld-musl-x86_64.so.1", "top"]);
  assert.deepEqual(found[0]!.source, { name: "musl", version: "1.2.4-r2" });
  assert.equal(found[1]!.licence, "GPL-2.0-only");
  assert.equal(readApkInstalled(text, false)[0]!.files, undefined);
  assert.throws(() => readApkInstalled("nothing", false), /names a package/);
});

Deno.test("npm's package.json and package-lock.json", () => {
  const json = (value: unknown) => readPackageJson(JSON.stringify(value));
  assert.deepEqual(
    json({
      name: "@a/b",
      version: "1.0.0",
      license: "(MIT OR ISC)",
      author: { name: "A" },
      homepage: "https://x.example/",
      __proto__: { name: "no" },
    }),
    [{
      type: "npm",
      namespace: "@a",
      name: "b",
      version: "1.0.0",
      licence: "(MIT OR ISC)",
      supplier: "A",
      homepage: "https://x.example/",
    }],
  );
  assert.equal(
    json({ name: "x", version: "1", licenses: [{ type: "MIT" }] })[0]!.licence,
    "MIT",
  );
  for (
    const value of [{}, [], 7, { name: "x" }, { name: "a/b/c", version: "1" }]
  ) {
    assert.deepEqual(json(value), []);
  }
  const lock = {
    lockfileVersion: 3,
    packages: {
      "": { name: "app", version: "1.0.0" },
      "packages/own": { version: "1.0.0" },
      "node_modules/a": { version: "1.0.0", license: "MIT" },
      "node_modules/a/node_modules/@s/b": { version: "2.0.0" },
      "node_modules/dev": { version: "3.0.0", dev: true },
      "node_modules/own": { link: true, resolved: "packages/own" },
      "node_modules/alias": { name: "real", version: "4.0.0" },
    },
  };
  assert.deepEqual(names(readPackageLock(JSON.stringify(lock))), [
    ...["a 1.0.0", "@s/b 2.0.0", "real 4.0.0"],
  ]);
  const old = {
    dependencies: {
      a: { version: "1.0.0", dependencies: { b: { version: "2.0.0" } } },
      c: { version: "3.0.0", dev: true },
    },
  };
  assert.deepEqual(names(readPackageLock(JSON.stringify(old))), [
    ...["a 1.0.0", "b 2.0.0"],
  ]);
  assert.throws(() => readPackageLock("{"), /not JSON/);
});

Deno.test("Python's METADATA: the licence where it is one", () => {
  const [found] = readPythonMetadata(
    "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\nLicense: MIT\n" +
      "Author: A\nAuthor-email: a@example.com\nHome-page: https://x.example\n" +
      "\nName: not this one\n",
  );
  assert.deepEqual(found, {
    type: "pypi",
    name: "Foo.Bar",
    version: "1.0",
    licence: "MIT",
    supplier: "A <a@example.com>",
    homepage: "https://x.example",
  });
  const [whole] = readPythonMetadata(
    "Name: x\nVersion: 1\nLicense: Copyright A\n        Permission is granted\n" +
      "License-Expression: BSD-3-Clause\n",
  );
  assert.equal(whole!.licence, "BSD-3-Clause");
  assert.throws(() => readPythonMetadata("Version: 1"), /names no package/);
});

Deno.test("Lock files of PHP, Ruby and Rust", () => {
  const composer = {
    packages: [
      { name: "Vendor/pkg", version: "v1.2", license: ["MIT", "GPL-2.0-only"] },
      { name: "x" },
    ],
    "packages-dev": [{ name: "a/dev", version: "1" }],
  };
  const [php, ...more] = readComposerLock(JSON.stringify(composer));
  assert.deepEqual(names([php!]), ["vendor/pkg v1.2"]);
  assert.equal(php!.licence, "MIT OR GPL-2.0-only");
  assert.deepEqual(more, []);
  const gems = `GEM
  remote: https://gems.example/
  specs:
    rails (7.0.1)
      rack (>= 2)
    rack (2.2.4)

DEPENDENCIES
  rails (= 7.0.1)
`;
  assert.deepEqual(names(readGemfileLock(gems)), ["rails 7.0.1", "rack 2.2.4"]);
  const cargo = `version = 3
[[package]]
name = "app"
version = "0.1.0"

[[package]]
name = "serde"
version = "1.0.1"
source = "registry+https://index.example"
dependencies = [
 "x",
]
`;
  assert.deepEqual(names(readCargoLock(cargo)), ["serde 1.0.1"]);
});

Deno.test("os-release, quoted or not", () => {
  assert.deepEqual(
    readOsRelease(
      `# comment\nID=debian\nVERSION_ID="12"\nPRETTY_NAME='A "B" \\$x'\n`,
    ),
    { id: "debian", version: "12", name: 'A "B" $x' },
  );
  assert.deepEqual(readOsRelease("ID=Arch\nVERSION_CODENAME=x"), {
    id: "arch",
    version: "x",
  });
  assert.equal(readOsRelease('ID="a b"'), undefined);
  assert.equal(readOsRelease(""), undefined);
});

/** What Go's linker puts into a program, at an offset. */
function goProgram(offset: number, modules: string): Uint8Array {
  const text = (value: Uint8Array) => {
    const length: number[] = [];
    for (let rest = value.length;; rest >>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) return concat([new Uint8Array(length), value]);
    }
  };
  const mark = new Uint8Array(16).fill(0x33);
  return concat([
    ascii("\x7fELF"),
    new Uint8Array(offset - 4).fill(0xff),
    ascii("\xff Go buildinf:\x08\x02"),
    new Uint8Array(16),
    text(utf8("go1.22.1")),
    text(concat([mark, utf8(modules), mark])),
    new Uint8Array(100),
  ]);
}

Deno.test("The modules of a Go program, however its bytes come", () => {
  const modules = "path\texample.com/cmd\nmod\texample.com/app\t(devel)\t\n" +
    "dep\tgithub.com/a/b\tv1.2.3\th1:x=\ndep\tgolang.org/x/old\tv0.1.0\n" +
    "=>\tgolang.org/x/new\tv0.2.0\th1:y=\nbuild\t-compiler=gc\n";
  const program = goProgram(4096, modules);
  for (const size of [7, 512, 4100, program.length]) {
    const info = new GoBuildInfo();
    for (let at = 0; at < program.length; at += size) {
      info.onData(program.subarray(at, at + size));
    }
    assert.deepEqual(names(info.packages()), [
      "stdlib 1.22.1",
      "github.com/a/b v1.2.3",
      "golang.org/x/new v0.2.0",
    ], String(size));
  }
  for (const bytes of [program.subarray(1), program.slice(0, 4130)]) {
    const info = new GoBuildInfo();
    info.onData(bytes);
    assert.deepEqual(info.packages(), []);
  }
});

Deno.test("A file is known by its path", () => {
  const all = { thorough: true, files: true };
  const known = (path: string, options = all) =>
    packageFile(utf8(path), options) !== undefined;
  for (
    const path of [
      ...["var/lib/dpkg/status", "var/lib/dpkg/status.d/base"],
      ...["lib/apk/db/installed", "usr/lib/apk/db/installed", "etc/os-release"],
      ...["var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite"],
      ...["var/lib/rpm/Packages", "app/node_modules/a/package.json"],
      ...["node_modules/@a/b/package.json", "app/package-lock.json"],
      ...["x/a-1.dist-info/METADATA", "x/a.egg-info/PKG-INFO", "x/a.egg-info"],
      ...["composer.lock", "a/Gemfile.lock", "a/Cargo.lock"],
    ]
  ) {
    assert.ok(known(path), path);
    assert.ok(known(path, { thorough: false, files: false }), path);
  }
  for (
    const path of [
      ...["status", "home/var/lib/dpkg/status", "app/package.json"],
      ...["node_modules/a/lib/package.json", "METADATA", "etc/passwd", "", "d"],
      ...["node_modules/a/package-lock.json", "usr/share/doc/a"],
      ...["var/lib/dpkg/status-old", "x/PKG-INFO"],
    ]
  ) assert.ok(!known(path), path);
  for (
    const path of [
      ...["usr/share/doc/a/copyright", "var/lib/dpkg/info/a.list"],
      "var/lib/dpkg/status.d/a.md5sums",
    ]
  ) {
    assert.ok(known(path), path);
    assert.ok(!known(path, { thorough: false, files: false }), path);
  }
});
