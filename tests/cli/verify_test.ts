import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import { RULE_NAMES, RULES } from "../../lib/verify/rules.ts";
import { isocOf, joined, part, partsOf } from "../support/isoc_parts.ts";
import { tarOf } from "../support/tar_writer.ts";

Deno.test("ciso verify says what an image breaks, a line a finding", async () => {
  await using work = await temporary();
  const good = `${work.path}/good.isoc`;
  const bad = `${work.path}/bad.isoc`;
  const isoc = await isocOf();
  await Deno.writeFile(good, isoc);
  const parts = await partsOf(isoc);
  part(parts, "rootfs/etc/issue").data[0]! ^= 1;
  await Deno.writeFile(bad, joined(parts));

  const one = await ciso(["verify", good]);
  assert.equal(one.code, 0, one.stderr);
  assert.equal(
    one.stdout.split("\n")[0],
    `${good}: no findings; faces appc, docker, docker-v1, oci, bundle, lxd; ` +
      "taken by Docker, podman, containerd, skopeo, buildah, umoci, rkt, runc, " +
      "systemd-nspawn, LXD, Incus",
  );
  assert.equal((await ciso(["verify", "-q", good])).stdout, "");

  const both = await ciso(["verify", "-q", good, bad]);
  assert.equal(both.code, 1);
  assert.match(
    both.stdout,
    /^\S+bad\.isoc: error tree-content "etc\/issue" in the layer: its bytes differ, .*; hurts Docker, .*; do not use this image/,
  );
  assert.equal(both.stdout.trimEnd().split("\n").length, 1);

  const { code, stdout } = await ciso(["verify", "--json", good, bad]);
  assert.equal(code, 1);
  const { version, images } = JSON.parse(stdout);
  assert.equal(version, 1);
  assert.deepEqual(images[0].findings, []);
  assert.equal(images[1].file, bad);
  assert.equal(images[1].findings[0].rule, "tree-content");
  const rkt = images[1].engines.find(({ engine }: { engine: string }) =>
    engine === "rkt"
  );
  assert.deepEqual(rkt, {
    engine: "rkt",
    takes: false,
    reasons: ["tree-content"],
  });
});

Deno.test("ciso verify reads pipes and compressed files", async () => {
  const isoc = await isocOf();
  const stream = new Blob([isoc as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const stdin = new Uint8Array(await new Response(stream).arrayBuffer());
  for (const args of [["verify"], ["verify", "-"]]) {
    const { code, stdout, stderr } = await ciso(args, { stdin });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^standard input: no findings/);
  }
});

Deno.test("ciso verify goes on after a file that is no image", async () => {
  await using work = await temporary();
  const good = `${work.path}/good.isoc`;
  await Deno.writeFile(good, await isocOf());
  await Deno.writeFile(`${work.path}/x.tar`, tarOf([{ name: "x" }]));
  await Deno.writeTextFile(`${work.path}/y`, "no tar");
  const { code, stdout, stderr } = await ciso([
    "verify",
    `${work.path}/x.tar`,
    `${work.path}/y`,
    `${work.path}/missing`,
    good,
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /x\.tar: It is no image: there is no index\.json/);
  assert.match(stderr, /\/y: It is not an image, but text/);
  assert.match(stderr, /missing/);
  assert.match(stdout, /good\.isoc: no findings/);
});

Deno.test("ciso verify --rules explains every rule", async () => {
  const text = await ciso(["verify", "--rules"]);
  assert.equal(text.code, 0);
  for (const name of RULE_NAMES) {
    assert.ok(text.stdout.includes(`${name} (${RULES[name].severity})`));
    assert.ok(text.stdout.includes(RULES[name].rule));
  }
  const { stdout } = await ciso(["verify", "--rules", "--json"]);
  const { rules } = JSON.parse(stdout);
  assert.deepEqual(rules.map(({ name }: { name: string }) => name), RULE_NAMES);
  assert.equal((await ciso(["verify", "--rules", "x"])).code, 2);
  assert.equal((await ciso(["verify", "--nothing"])).code, 2);
});

Deno.test("docs/verify.md lists the rules as they are", async () => {
  const page = await Deno.readTextFile(
    `${import.meta.dirname}/../../docs/verify.md`,
  );
  const rows = page.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const expected = RULE_NAMES.map((name) => {
    const { severity, hurts, rule, why, remedy } = RULES[name];
    const whom = hurts === "all" ? "all" : hurts.join(", ");
    return [`\`${name}\``, severity, whom, rule, why, remedy];
  });
  assert.deepEqual(rows, expected);
});

Deno.test("ciso verify gives up a device without end that is no tar", async () => {
  const { code, stderr } = await ciso(["verify", "/dev/urandom"]);
  assert.equal(code, 1);
  assert.match(stderr, /urandom: It is not an image/);
});
