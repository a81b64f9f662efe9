// Exit codes, and what is said when the program fails.

import assert from "node:assert/strict";
import { ciso, ROOT, shell, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { tarOf } from "../support/tar_writer.ts";

const IMAGE = ["-t", "isoc/x", "--", "/bin/true"];

/** Has a program throw an error where a command would. */
function thrown(error: string, env: Record<string, string> = {}) {
  const program = `
    import { fail } from "${ROOT}/lib/cli/failure.ts";
    import { InputError } from "${ROOT}/lib/errors/input_error.ts";
    import { FileError } from "${ROOT}/lib/errors/file_error.ts";
    import { DescriptionError } from "${ROOT}/lib/errors/description_error.ts";
    import { UsageError } from "${ROOT}/lib/cli/usage_error.ts";
    const coded = (code) => Object.assign(new Error("raw"), { code });
    Deno.exit(fail(${error}, "ciso --help"));`;
  return shell('"$@"', [], {
    command: [Deno.execPath(), "eval", program],
    env,
  });
}

Deno.test("the class of an error decides the exit code", async () => {
  for (
    const [error, code, message] of [
      ['new InputError("Bad tar")', 1, /^ciso: Bad tar\n$/],
      ['new FileError("Cannot read x")', 1, /^ciso: Cannot read x\n$/],
      ['new DescriptionError("Bad port")', 2, /^ciso: Bad port\n$/],
      ['new UsageError("No name")', 2, /^ciso: No name\nTry 'ciso --help'/],
      ['coded("EPIPE")', 141, /^$/],
      ['coded("ENOSPC")', 1, /^ciso: Cannot go on: no space left on the dev/],
      ['coded("EWHATEVER")', 1, /^ciso: Cannot go on: the system says EWHAT/],
    ] as const
  ) {
    const result = await thrown(error);
    assert.match(result.stderr, message);
    assert.equal(result.code, code, error);
  }
});

Deno.test("anything else is a bug: exit code 70, one line, and a trace", async () => {
  for (
    const error of ['new TypeError("x\\x1b[2J")', 'new RangeError("x")', '"x"']
  ) {
    const { code, stderr } = await thrown(error);
    assert.equal(code, 70, stderr);
    assert.match(
      stderr,
      /^ciso: This is a bug in ciso: .*report it.*DEBUG.*\n$/,
    );
    assert.ok(!stderr.includes("\x1b"));
    const debug = await thrown(error, { CISO_DEBUG: "1" });
    assert.equal(debug.code, 70);
    if (error.startsWith("new")) assert.match(debug.stderr, /\n +at /);
  }
});

/** Texts that a terminal acts on, one that hides text, and a long one. */
const HOSTILE = `\x1b[2J\x9b2J\x7f\u202e${"long".repeat(50_000)}`;

/** Fails if output holds what a terminal acts on, or more than a few lines. */
function assertHarmless(output: string, what: string) {
  // deno-lint-ignore no-control-regex
  const control = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]/;
  assert.doesNotMatch(output, control, what);
  assert.ok(output.length < 4000, `${what}: ${output.length} characters`);
}

Deno.test("hostile text of images never reaches the terminal", async () => {
  await using folder = await temporary();
  const layer = tarOf([{ name: "bin/true", data: "" }]);
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", layer as Uint8Array<ArrayBuffer>),
  ).toHex();
  const good = {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    config: { Cmd: ["/bin/true"] },
  };
  const docker = [{ Config: "c.json", RepoTags: ["x:1"], Layers: ["l.tar"] }];
  const descriptor = {
    digest: `sha256:${digest}`,
    size: 1,
    platform: { os: HOSTILE, architecture: HOSTILE },
  };
  const other = { ...descriptor, digest: `sha256:${"0".repeat(64)}` };
  const files: [string, Record<string, unknown>][] = [
    ["names", { "manifest.json": [{ ...docker[0], RepoTags: [HOSTILE] }] }],
    ["config's path", { "manifest.json": [{ ...docker[0], Config: HOSTILE }] }],
    ["layer's path", {
      "manifest.json": [{ ...docker[0], Layers: [HOSTILE] }],
    }],
    ["no JSON", { "manifest.json": HOSTILE }],
    ["a config that is no JSON", { "c.json": `{${HOSTILE}` }],
    ["an architecture", { "c.json": { ...good, architecture: HOSTILE } }],
    ["a system", { "c.json": { ...good, os: HOSTILE } }],
    ["a time", { "c.json": { ...good, created: HOSTILE } }],
    ["a diff ID", { "c.json": { ...good, rootfs: { diff_ids: [HOSTILE] } } }],
    ...["User", "WorkingDir", "StopSignal"].map((
      key,
    ): [string, Record<string, unknown>] => [
      key,
      { "c.json": { ...good, config: { ...good.config, [key]: HOSTILE } } },
    ]),
    ...["Cmd", "Entrypoint", "Env", "Shell", "OnBuild"].map((
      key,
    ): [string, Record<string, unknown>] => [
      key,
      { "c.json": { ...good, config: { ...good.config, [key]: [HOSTILE] } } },
    ]),
    ...["ExposedPorts", "Volumes", "Labels"].map((
      key,
    ): [string, Record<string, unknown>] => [
      key,
      { "c.json": { ...good, config: { [key]: { [HOSTILE]: HOSTILE } } } },
    ]),
    ["many platforms", {
      "oci-layout": { imageLayoutVersion: "1.0.0" },
      "index.json": {
        manifests: Array.from({ length: 300 }, (_, i) => ({
          ...descriptor,
          digest: `sha256:${i.toString(16).padStart(64, "0")}`,
        })),
      },
    }],
    ["a digest", {
      "oci-layout": { imageLayoutVersion: "1.0.0" },
      "index.json": { manifests: [{ ...other, digest: HOSTILE }] },
    }],
    ["an ACI's name", {
      "manifest": { acKind: "ImageManifest", name: HOSTILE, labels: [] },
      "rootfs/x": "",
      "manifest.json": undefined,
    }],
  ];
  const path = `${folder.path}/image.tar`;
  for (const [what, changes] of files) {
    const documents = {
      "manifest.json": docker as unknown,
      "c.json": good as unknown,
      ...changes,
    };
    await Deno.writeFile(
      path,
      tarOf([
        ...Object.entries(documents).flatMap(([name, value]) =>
          value === undefined ? [] : [{
            name,
            data: typeof value === "string" ? value : JSON.stringify(value),
          }]
        ),
        { name: "l.tar", data: new TextDecoder("latin1").decode(layer) },
      ]),
    );
    for (
      const args of [
        ["convert", path, "-v", "-o", `${folder.path}/out`],
        ["export", path, "--as", "oci", "-v", "-o", `${folder.path}/out`],
      ]
    ) {
      const { code, stderr, stdout } = await ciso(args);
      assert.ok([0, 1, 2].includes(code), `${what}: ${code} ${stderr}`);
      assertHarmless(stderr, `${args[0]}, ${what}`);
      assertHarmless(stdout, `${args[0]}, ${what}`);
      assert.doesNotMatch(stderr, /bug in ciso/, what);
    }
  }
});

Deno.test("hostile names of a tar and of files never reach the terminal", async () => {
  await using folder = await temporary();
  const name = "\x1b[2J\x9b\u202e";
  const tar = `${folder.path}/${name}.tar`;
  await Deno.writeFile(tar, tarOf([{ name: `../${name}` }]));
  for (
    const args of [
      [tar, ...IMAGE],
      [`${tar}-none`, ...IMAGE],
      ["--env-file", `${tar}-none`, ...IMAGE],
      [tar, `--${name}`],
      [tar, "--faces", name, ...IMAGE],
      [tar, "--platform", name, ...IMAGE],
      [tar, "-t", name],
      [tar, tar, ...IMAGE],
      ["convert", `${tar}-none`],
      ["export", tar, "--as", name],
      ["export", tar, "--as", "oci"],
      ["load", "--engine", name, tar],
    ]
  ) {
    const { code, stderr } = await ciso(args);
    assert.ok(code === 1 || code === 2, `${args}: ${code} ${stderr}`);
    assertHarmless(stderr, args.join(" "));
  }
  await Deno.mkdir(`${folder.path}/tree`);
  await Deno.writeTextFile(`${folder.path}/tree/${name}`, "");
  await run("mkfifo", [`${folder.path}/tree/fifo${name}`]);
  const made = await ciso([
    ...[`${folder.path}/tree`, "-v", "-o", `${folder.path}/${name}.isoc`],
    ...IMAGE,
  ], { command: undefined });
  assertHarmless(made.stderr, "a tree");
});
