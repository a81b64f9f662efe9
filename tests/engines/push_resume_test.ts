// A push that was stopped, and what the next one sends.
import assert from "node:assert/strict";
import { CISO, ciso, temporary } from "../support/ciso.ts";
import {
  type CountingProxy,
  countingProxy,
} from "../support/counting_proxy.ts";
import {
  missingForRegistry,
  startRegistry,
} from "../support/docker_registry.ts";
import { FakeRegistry } from "../support/fake_registry.ts";
import { run } from "../support/run.ts";
import { UPLOAD_CHUNK } from "../../lib/registry/upload_bodies.ts";

const ignore = missingForRegistry() !== undefined;
const withNet = [...CISO.slice(0, 3), "-A", ...CISO.slice(3)].filter((word) =>
  !/^--allow/.test(word)
);
const MIB = 1 << 20;
/** What requests and their headers take at most. */
const SLACK = MIB;

/** An image of two layers of random bytes, 10 and 30 MiB. */
async function image(work: string): Promise<string> {
  for (const [name, size] of [["low", 10], ["high", 30]] as const) {
    const file = await Deno.open(`${work}/${name}`, {
      write: true,
      create: true,
    });
    for (let i = 0; i < size; i++) {
      const bytes = new Uint8Array(MIB);
      for (let at = 0; at < MIB; at += 65536) {
        crypto.getRandomValues(bytes.subarray(at, at + 65536));
      }
      await file.write(bytes);
    }
    file.close();
    await run("tar", ["-C", work, "-cf", `${work}/${name}.tar`, name]);
  }
  const { code, stderr } = await ciso([
    ...["--layer", `${work}/low.tar`, "--layer", `${work}/high.tar`],
    ...["-t", "me/big:1", "-o", `${work}/big.isoc`, "--", "/low"],
  ]);
  assert.equal(code, 0, stderr);
  return `${work}/big.isoc`;
}

/** Milliseconds after which a request ends that is as long as a chunk. */
const LONG = 1100;

/**
 * Pushes through a proxy, slowly; sends a signal when so many bytes have gone out.
 */
async function stopped(
  proxy: CountingProxy,
  args: string[],
  env: Record<string, string>,
  { after, signal }: { after: number; signal: Deno.Signal },
) {
  const child = new Deno.Command(withNet[0]!, {
    args: [...withNet.slice(1), ...args],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  await proxy.reaches(after / 2);
  await new Promise((resolve) => setTimeout(resolve, LONG));
  proxy.goOn();
  await proxy.reaches(after / 2);
  child.kill(signal);
  proxy.goOn();
  const { code, stderr } = await output;
  // What it had given to the system before it ended still comes.
  await proxy.ended();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

for (
  const [what, signal, start, compression] of [
    [
      "stopped by a signal, to docker-registry",
      ...["SIGTERM", "docker-registry", "none"] as const,
    ],
    [
      "killed, to a registry that keeps whole chunks",
      ...["SIGKILL", "fake", "none"] as const,
    ],
    [
      "stopped while it compresses, to docker-registry",
      ...["SIGINT", "docker-registry", "gzip"] as const,
    ],
    [
      "killed while it compresses, to a registry that keeps whole chunks",
      ...["SIGKILL", "fake", "gzip"] as const,
    ],
  ] as const
) {
  Deno.test({
    name: `A push that was ${what}, sends only what is missing`,
    ignore: start === "docker-registry" && ignore,
    async fn() {
      await using folder = await temporary();
      const work = folder.path;
      const isoc = await image(work);
      const total = 40 * MIB;
      await using registry = start === "fake"
        ? new FakeRegistry()
        : await startRegistry({ work });
      await using proxy = countingProxy(registry.host);
      const args = ["push", isoc, `${proxy.host}/me/big:1`, "--plain-http"];
      args.push("--compression", compression);
      const env = { XDG_CACHE_HOME: `${work}/cache` };
      const after = 18 * MIB;
      const { code, stderr } = await stopped(proxy, args, env, {
        after,
        signal,
      });
      if (signal !== "SIGKILL") {
        assert.equal(code, signal === "SIGTERM" ? 143 : 130);
        assert.match(stderr, /the same command goes on from there/);
      }
      const first = proxy.sent;
      assert.ok(first >= after && first < total, `${first} bytes`);
      const again = await ciso([...args, "--json"], { command: withNet, env });
      assert.equal(again.code, 0, again.stderr);
      const second = proxy.sent - first;
      // Killed, a chunk of each layer may have come in part; one has come.
      const most = signal === "SIGKILL" ? total - UPLOAD_CHUNK : total - first;
      assert.ok(second <= most + SLACK, `${first} and ${second} bytes`);
      assert.ok(second <= JSON.parse(again.stdout).bytesSent + SLACK);
      const third = await ciso([...args, "--json"], { command: withNet, env });
      assert.equal(JSON.parse(third.stdout).bytesSent, 0);
      assert.deepEqual(
        [...Deno.readDirSync(`${work}/cache/ciso/uploads`)],
        [],
      );
      const out = `${work}/pulled.isoc`;
      const pulled = await ciso(
        ["pull", `${proxy.host}/me/big:1`, "--plain-http", "-o", out],
        { command: withNet, env },
      );
      assert.equal(pulled.code, 0, pulled.stderr);
    },
  });
}
