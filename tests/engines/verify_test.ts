import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { toBytes } from "@std/streams";
import { ciso, ROOT, temporary } from "../support/ciso.ts";
import { fuzzVerify } from "../support/fuzz_verify.ts";
import { isInstalled, run } from "../support/run.ts";
import { findingLines } from "../support/verify.ts";

const TREES = `${import.meta.dirname}/../support/random_trees.py`;

/** Why random trees cannot be made here: owners and devices need root. */
const obstacle = Deno.uid() !== 0
  ? "not run by root"
  : ["python3", "tar", "bsdtar"].filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (obstacle) console.warn(`Random trees are not verified: ${obstacle}`);

const COUNT = 500;
const BATCH = 100;

Deno.test({
  name: `verify finds nothing in isocs of ${COUNT} random trees`,
  ignore: obstacle !== undefined,
  async fn() {
    const wrong: string[] = [];
    let built = 0;
    for (let first = 0; first < COUNT; first += BATCH) {
      await using work = await temporary();
      const args = ["14", first, BATCH].map(String);
      await run("python3", [TREES, "make", work.path, ...args]);
      for (let i = first; i < first + BATCH; i++) {
        const tar = await Deno.readFile(`${work.path}/${i}.tar`);
        let isoc;
        try {
          isoc = await build(new Blob([tar]), {
            names: ["isoc/random"],
            command: ["/bin/true"],
            created: 0,
          });
        } catch {
          // What cannot be an isoc is no matter of verify's.
          continue;
        }
        built++;
        const lines = await findingLines(await toBytes(isoc.stream()));
        wrong.push(
          ...lines.filter((line) => !line.startsWith("note"))
            .map((line) => `${i}: ${line.slice(0, 300)}`),
        );
      }
    }
    assert.ok(built > COUNT * 0.9, `Only ${built} trees became isocs`);
    assert.equal(wrong.slice(0, 20).join("\n"), "");
  },
});

Deno.test({
  name: "what verify calls clean, GNU tar, Go and Python read alike",
  ignore: !isInstalled("go") || !isInstalled("bsdtar"),
  async fn() {
    const { tried, clean, failure } = await fuzzVerify(20261126, 15);
    assert.equal(failure?.reason, undefined);
    assert.ok(tried > 100, `Only ${tried} isocs were tried`);
    // A fuzzer whose isocs are all clean, or none, tests nothing.
    assert.ok(clean > 10 && clean < tried - 10, `${clean} of ${tried}`);
  },
});

/** Options that make isocs of all kinds. */
const KINDS: Record<string, string[]> = {
  all: ["IN"],
  directory: ["DIR"],
  "several layers": ["--layer", "IN", "--layer", "UPPER"],
  "--from": ["--from", "ISOC", "--layer", "UPPER"],
  classic: ["IN", "--layout", "classic"],
  pristine: ["IN", "--pristine"],
  "all options": [
    ...["IN", "-t", "isoc/other:2", "-e", "A=1", "-l", "Org.Example=x"],
    ...["--annotation", "some.key=y", "-u", "1000:1000", "-w", "/etc"],
    ...["--expose", "80", "--expose", "53/udp", "--volume", "/data"],
    ...["--volume", "/a/b"],
    ...["--stop-signal", "INT", "--health-cmd", "true", "--author", "Jane"],
    ...["--entrypoint", "/bin/sh", "--platform", "linux/arm/v7"],
  ],
  ...Object.fromEntries(
    [
      ...["appc", "docker", "docker-v1", "oci", "bundle", "lxd"],
      ...["docker,oci", "appc,bundle,lxd", "docker-v1,appc", "docker,lxd"],
    ].map((faces) => [`--faces ${faces}`, ["IN", "--faces", faces]]),
  ),
};

Deno.test("verify finds nothing in any kind of isoc, nor in their faces", async (t) => {
  await using work = await temporary();
  const at = (name: string) => `${work.path}/${name}`;
  await Deno.mkdir(at("tree/bin"), { recursive: true });
  await Deno.mkdir(at("tree/etc"));
  await Deno.writeTextFile(at("tree/bin/sh"), "#!", { mode: 0o755 });
  await Deno.writeTextFile(at("tree/etc/issue"), "hello\n");
  await Deno.link(at("tree/bin/sh"), at("tree/bin/ash"));
  await Deno.symlink("sh", at("tree/bin/bash"));
  await Deno.mkdir(at("upper/etc"), { recursive: true });
  await Deno.writeTextFile(at("upper/etc/.wh.issue"), "");
  await Deno.writeTextFile(at("upper/etc/motd"), "new\n");
  await run("tar", ["-C", at("tree"), "-cf", at("in.tar"), "."]);
  await run("tar", ["-C", at("upper"), "-cf", at("upper.tar"), "."]);
  const places = new Map([
    ["IN", at("in.tar")],
    ["DIR", at("tree")],
    ["UPPER", at("upper.tar")],
    ["ISOC", at("all.isoc")],
  ]);
  const clean = async (...files: string[]) => {
    const { code, stdout, stderr } = await ciso(["verify", ...files]);
    assert.equal(code, 0, stdout + stderr);
  };
  for (const [kind, options] of Object.entries(KINDS)) {
    await t.step(kind, async () => {
      const out = at(`${kind.replaceAll(/\W/g, "-")}.isoc`);
      const words = options.map((word) => places.get(word) ?? word);
      const { code, stderr } = await ciso([
        "build",
        ...["-t", "isoc/kind:1.0", "-o", out],
        ...words,
        ...["--", "sh", "-c", "true"],
      ], { command: [Deno.execPath(), "run", "-A", `${ROOT}/main.ts`] });
      assert.equal(code, 0, stderr);
      await clean(out);
    });
  }
  for (const face of ["appc", "docker", "docker-v1", "oci", "bundle", "lxd"]) {
    await t.step(`export --as ${face}`, async () => {
      const args = ["--as", face, "-o", at("face.tar")];
      await ciso(["export", at("all.isoc"), ...args]);
      await clean(at("face.tar"));
    });
  }
});
