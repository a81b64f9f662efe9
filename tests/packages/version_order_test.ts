// The orders of versions, against the package managers themselves where they are
// here: dpkg and rpm on versions made at random; apk's and others' by examples.

import assert from "node:assert/strict";
import { versionOrder } from "../../lib/packages/version_order.ts";
import type { PackageType } from "../../lib/packages/package.ts";
import { seededRandom } from "../support/random.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";

const dpkg = lacking("dpkg");
const rpm = lacking("rpm");

/** Pairs of versions that differ in little, or in nothing that counts. */
function pairs(
  pieces: string[],
  count: number,
): [a: string, b: string][] {
  const random = seededRandom(11);
  const version = () =>
    `1${
      Array.from({ length: random(6) }, () => pieces[random(pieces.length)])
        .join("")
    }`;
  return Array.from({ length: count }, () => {
    const a = version();
    if (random(3) > 0) return [a, version()];
    const cut = random(a.length) + 1;
    return [a, a.slice(0, cut) + pieces[random(pieces.length)] + a.slice(cut)];
  });
}

const PIECES = ["0", "00", "1", "9", "10", "a", "b", "Z", ".", "+", "~", "~~"];

Deno.test({
  ...unlessMissing("Debian's order is that of dpkg", dpkg),
  async fn() {
    assertNothingMissing(dpkg);
    const all = pairs([...PIECES, "-1"], 500).map(([a, b], i) =>
      i % 5 === 0 ? [`1:${a}`, b] : i % 7 === 0 ? [`0:${a}`, `00:${b}`] : [a, b]
    );
    const said = await run("bash", [
      "-c",
      'while (($#)); do if dpkg --compare-versions "$1" lt "$2"; then echo -1; ' +
      'elif dpkg --compare-versions "$1" eq "$2"; then echo 0; else echo 1; ' +
      "fi; shift 2; done",
      "bash",
      ...all.flat(),
    ]);
    const expected = said.trim().split("\n");
    for (const [i, [a, b]] of all.entries()) {
      const order = Math.sign(versionOrder("deb", a!, b!));
      assert.equal(String(order), expected[i], `${a} ${b}`);
    }
  },
});

Deno.test({
  ...unlessMissing("rpm's order is that of rpm", rpm),
  async fn() {
    assertNothingMissing(rpm);
    const all = pairs([...PIECES, "^", "_", ".."], 1000);
    const lua = `for a, b in (${
      JSON.stringify(`${all.map((pair) => pair.join(" ")).join(" ")} `)
    }):gmatch("([^ ]+) ([^ ]+) ") do print(rpm.vercmp(a, b) .. " ") end`;
    const said = await run("rpm", ["--eval", `%{lua:${lua}}`]);
    const expected = said.trim().split(" ");
    assert.equal(expected.length, all.length);
    for (const [i, [a, b]] of all.entries()) {
      const order = Math.sign(versionOrder("rpm", a, b));
      assert.equal(String(order), expected[i], `${a} ${b}`);
    }
  },
});

/** Versions of each type, the oldest first. */
const SORTED: [PackageType, string[]][] = [
  ["rpm", ["1.0-1.el9", "1.0-2.el9", "1.1-1", "1:0.1-1", "2:0-0"]],
  [
    "apk",
    [
      ...["0.9", "1.0_alpha", "1.0_alpha2", "1.0_beta1", "1.0_pre1", "1.0_rc1"],
      ...["1.0", "1.0-r1", "1.0-r10", "1.0_git20200101", "1.0_p1", "1.0a"],
      ...["1.0b", "1.0.1", "1.01", "1.1", "1.2.3_p1-r0", "1.10", "2"],
    ],
  ],
  [
    "npm",
    [
      ...["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta"],
      ...["1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1"],
      ...["1.9.0", "1.10.0", "2.0.0"],
    ],
  ],
  ["golang", ["v0.0.0-20190101000000-abc", "v0.1.0", "v1.2.0", "v1.10.0"]],
  ["cargo", ["0.9.9", "1.0.0-pre", "1.0.0"]],
  ["composer", ["v1.0.0-RC1", "1.0.0", "v1.0.1"]],
  ["pypi", ["1.0.dev1", "1.0a1", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.1"]],
  ["gem", ["1.0.0.beta", "1.0.0.rc1", "1.0.0", "1.0.0.1", "1.10"]],
];

for (const [type, sorted] of SORTED) {
  Deno.test(`Versions of ${type} are in their order`, () => {
    for (const [i, a] of sorted.entries()) {
      for (const [j, b] of sorted.entries()) {
        const order = Math.sign(versionOrder(type, a, b));
        assert.equal(order, Math.sign(i - j), `${a} ${b}`);
      }
    }
  });
}

Deno.test("Each order is one: of three versions, none is before itself", () => {
  const all = pairs([...PIECES, "-", "_rc", "-r1"], 60).flat();
  for (const [type] of SORTED) {
    const sorted = all.toSorted((a, b) => versionOrder(type, a, b));
    for (let i = 0; i < sorted.length; i += 7) {
      for (let j = i; j < sorted.length; j += 5) {
        const [a, b] = [sorted[i]!, sorted[j]!];
        assert.ok(versionOrder(type, a, b) <= 0, `${type}: ${a} ${b}`);
        const turned = -Math.sign(versionOrder(type, b, a));
        assert.equal(Math.sign(versionOrder(type, a, b)), turned + 0);
      }
    }
  }
});
