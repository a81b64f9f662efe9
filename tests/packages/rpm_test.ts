// rpm's databases: those that rpm itself makes, those made by hand with large
// headers and many pages, and damaged ones.

import assert from "node:assert/strict";
import { DatabaseError } from "../../lib/packages/database_error.ts";
import { readRpmSqlite } from "../../lib/packages/rpm.ts";
import { temporary } from "../support/ciso.ts";
import { rpmDatabase, rpmHeader } from "../support/rpm_database.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";
import { seededRandom } from "../support/random.ts";

const rpm = lacking("rpm", "rpmbuild");

Deno.test({
  ...unlessMissing("A database that rpm makes says what rpm -qa says", rpm),
  async fn() {
    assertNothingMissing(rpm);
    await using work = await temporary();
    const at = (name: string) => `${work.path}/${name}`;
    const files: string[] = [];
    for (const [name, epoch] of [["one", 0], ["two", 3], ["three", 0]]) {
      const spec = at(`${name}.spec`);
      await Deno.writeTextFile(
        spec,
        `Name: ${name}\nVersion: 1.2~rc1\nRelease: 4.el9\n` +
          (epoch ? `Epoch: ${epoch}\n` : "") +
          "Summary: x\nLicense: GPLv2+ and MIT\nVendor: Makers Inc.\n" +
          "URL: https://example.com/\nBuildArch: noarch\n%description\nx\n" +
          `%install\nmkdir -p %{buildroot}/usr/share/${name}\n` +
          `echo x >%{buildroot}/usr/share/${name}/a\n%files\n/usr/share/${name}\n`,
      );
      await run("rpmbuild", [
        "-bb",
        "--quiet",
        "--define",
        `_topdir ${at("build")}`,
        "--define",
        `_rpmdir ${at("rpms")}`,
        spec,
      ]);
      files.push(at(`rpms/noarch/${name}-1.2~rc1-4.el9.noarch.rpm`));
    }
    const define = ["--define", "_db_backend sqlite", "--dbpath", at("db")];
    await run("rpm", [...define, "--initdb"]);
    await run("rpm", [
      ...define,
      ...["--justdb", "--nodeps", "--nosignature", "-i"],
      ...files,
    ]);
    const query = "%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t" +
      "%{ARCH}\t%{VENDOR}\t%{URL}\t%{SOURCERPM}\n";
    const said = await run("rpm", [...define, "-qa", "--qf", query]);
    const found = readRpmSqlite(
      await Deno.readFile(at("db/rpmdb.sqlite")),
      true,
    );
    const lines = found.map((one) =>
      [
        one.name,
        one.version,
        one.architecture,
        one.supplier,
        one.homepage,
        `${one.source!.name}-${one.source!.version}.src.rpm`,
      ].join("\t")
    );
    assert.deepEqual(lines.sort(), said.trim().split("\n").sort());
    assert.equal(found[0]!.licence, "GPL-2.0-or-later AND MIT");
    const owned = await run("rpm", [...define, "-ql", "one"]);
    assert.deepEqual(
      found.find(({ name }) => name === "one")!.files!.map((path) =>
        `/${path}`
      ),
      owned.trim().split("\n"),
    );
  },
});

const header = (i: number, more = 0) =>
  rpmHeader({
    1000: `p${i}`,
    1001: "1",
    1002: `${i}`,
    1003: [i % 2],
    1022: "x86_64",
    1014: "MIT",
    1117: Array.from({ length: more }, (_, j) => `file-${j}`),
    1118: ["/usr/", "/etc/"],
    1116: Array.from({ length: more }, (_, j) => j % 2),
  });

Deno.test("Many headers, and those that fill many pages, are all read", async () => {
  for (const pageSize of [512, 4096, 65536]) {
    const headers = Array.from(
      { length: 500 },
      (_, i) => header(i, i % 50 === 0 ? 3000 : i % 7),
    );
    const found = readRpmSqlite(await rpmDatabase(headers, pageSize), true);
    assert.deepEqual(
      found.map(({ name, version }) => `${name} ${version}`),
      headers.map((_, i) => `p${i} ${i % 2 ? "1:" : ""}1-${i}`),
    );
    assert.equal(found[50]!.files!.length, 3000);
    assert.deepEqual(found[50]!.files!.slice(0, 2), [
      "usr/file-0",
      "etc/file-1",
    ]);
  }
});

Deno.test("Keys are no packages, and a database without packages is none", async () => {
  const key = rpmHeader({ 1000: "gpg-pubkey", 1001: "aa", 1002: "bb" });
  assert.deepEqual(readRpmSqlite(await rpmDatabase([key]), false), []);
  assert.deepEqual(readRpmSqlite(await rpmDatabase([]), false), []);
});

Deno.test("A damaged database is an error that says so, whatever the damage", async () => {
  const whole = await rpmDatabase(
    Array.from({ length: 60 }, (_, i) => header(i, i % 20 ? 3 : 400)),
    1024,
  );
  const random = seededRandom(5);
  let refused = 0;
  for (let i = 0; i < 1200; i++) {
    const bytes = whole.slice(0, i % 3 ? whole.length : random(whole.length));
    for (let j = 0; j < 1 + random(8) && bytes.length > 0; j++) {
      bytes[random(i % 2 ? bytes.length : Math.min(bytes.length, 2000))] =
        random(256);
    }
    try {
      readRpmSqlite(bytes, true);
    } catch (error) {
      assert.ok(
        error instanceof DatabaseError || error instanceof RangeError,
        String(error),
      );
      refused++;
    }
  }
  assert.ok(refused > 200, String(refused));
});
