// What a user installs: scripts/install from a local server, and the npm package.

import assert from "node:assert/strict";
import { ROOT, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  built,
  lacking,
  notMade,
  runtime,
  unlessMissing,
} from "../support/runtimes.ts";

const files = await built();
/** A program for this machine, which one of the compilers must have made. */
const missing = ["deno", "bun"].map((name) =>
  notMade(files, `ciso-${name}-${Deno.build.target}`)
).reduce((one, other) => one && other);
const version = `ciso ${
  JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)).version
}\n`;

/** Serves what scripts/build made; `change` damages a file. */
function serve(change: (name: string, bytes: Uint8Array) => void = () => {}) {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const name = new URL(request.url).pathname.slice(1);
      const path = `${files.directory}/${name}`;
      const bytes = await Deno.readFile(path).catch(() => undefined);
      if (!bytes) return new Response(null, { status: 404 });
      change(name, bytes);
      return new Response(bytes);
    },
  );
}

async function install(server: Deno.HttpServer<Deno.NetAddr>, prefix: string) {
  const script = await Deno.readFile(`${ROOT}/scripts/install`);
  const child = new Deno.Command("sh", {
    args: ["-s", "--", `http://127.0.0.1:${server.addr.port}/`],
    env: { PREFIX: prefix },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(script);
  await writer.close();
  const { code, stderr } = await child.output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

const needed = [lacking("curl"), { missing }];

Deno.test({
  ...unlessMissing("install puts ciso and ✂ below PREFIX", ...needed),
  async fn() {
    assertNothingMissing(...needed);
    await using folder = await temporary();
    await using server = serve();
    const { code, stderr } = await install(server, folder.path);
    assert.equal(code, 0, stderr);
    for (const name of ["ciso", "✂"]) {
      assert.equal(
        await run(`${folder.path}/bin/${name}`, ["--version"]),
        version,
      );
    }
    const names = [...Deno.readDirSync(`${folder.path}/bin`)].map((one) =>
      one.name
    );
    assert.deepEqual(names.sort(), ["ciso", "✂"]);
  },
});

Deno.test({
  ...unlessMissing("install refuses a file with another checksum", ...needed),
  async fn() {
    assertNothingMissing(...needed);
    await using folder = await temporary();
    await using server = serve((name, bytes) => {
      if (name !== "SHA256SUMS") bytes[bytes.length - 1]! ^= 1;
    });
    const { code, stderr } = await install(server, folder.path);
    assert.equal(code, 1);
    assert.match(stderr, /is not what SHA256SUMS says.*nothing was installed/);
    assert.deepEqual([...Deno.readDirSync(`${folder.path}/bin`)], []);
  },
});

Deno.test({
  ...unlessMissing("npx and bunx run the npm package", lacking("npm", "npx")),
  async fn() {
    await using folder = await temporary();
    const file = (await run(`${ROOT}/scripts/pack`, [folder.path])).trim();
    const npx = ["-y", "-p", file, "ciso", "--version"];
    assert.equal(await run("npx", npx), version);
    const bun = await runtime("bun");
    await Deno.writeTextFile(`${folder.path}/package.json`, "{}");
    const script =
      'cd "$1" && "$0" add "$2" >&2 && "$0" x --bun ciso --version';
    const printed = await run("sh", ["-c", script, bun, folder.path, file]);
    assert.equal(printed, version);
  },
});
