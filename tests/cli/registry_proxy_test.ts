// HTTPS through a proxy, on each runtime: the registry's certificate is checked,
// and the proxy sees no more than where the connection goes.
import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import { connectProxy } from "../support/connect_proxy.ts";
import { certificate } from "../support/docker_registry.ts";
import { FakeRegistry } from "../support/fake_registry.ts";
import { fill } from "../support/filled_registry.ts";
import { isInstalled } from "../support/run.ts";
import { bundleRuntimes } from "../support/runtimes.ts";

const HOST = "registry.invalid";
const USER = "you:not-to-be-seen";

for (const runtime of await bundleRuntimes(["--allow-net"])) {
  Deno.test({
    name: `${runtime.name}: HTTPS_PROXY leads to the registry, with TLS`,
    ignore: runtime.missing !== undefined || !isInstalled("openssl"),
    async fn() {
      await using folder = await temporary();
      const work = folder.path;
      const paths = await certificate(work, `DNS:${HOST}`);
      await using registry = new FakeRegistry(() => undefined, {
        cert: await Deno.readTextFile(paths.cert),
        key: await Deno.readTextFile(paths.key),
      });
      fill(registry);
      await using proxy = connectProxy(registry.host, USER);
      const run = async (words: string[], env: Record<string, string> = {}) => {
        const result = await ciso([...words, "-v"], {
          command: runtime.command,
          env: {
            ...runtime.env,
            XDG_CACHE_HOME: `${work}/cache`,
            CISO_DEBUG: "1",
            // Deno asks for newer versions of itself by the same proxy.
            DENO_NO_UPDATE_CHECK: "1",
            HTTPS_PROXY: `http://${USER}@${proxy.host}`,
            ...env,
          },
        });
        const said = result.stdout + result.stderr;
        assert.ok(!said.includes(USER.split(":")[1]!), said);
        assert.ok(!said.includes(btoa(USER)), said);
        return result;
      };
      const trusting = ["--ca-cert", paths.cert];
      const out = `${work}/a.isoc`;
      const pull = ["pull", `${HOST}/me/app:1`, "-o", out];

      const pulled = await run([...pull, ...trusting]);
      assert.equal(pulled.code, 0, pulled.stderr);
      assert.deepEqual([...proxy.asked], [`${HOST}:443 Basic ${btoa(USER)}`]);
      const pushed = await run(["push", out, `${HOST}/me/two:1`, ...trusting]);
      assert.equal(pushed.code, 0, pushed.stderr);
      assert.equal(proxy.asked.size, 1);
      await Deno.remove(out);

      // A certificate that nobody trusts stays so behind a proxy.
      const distrusted = await run(pull);
      assert.equal(distrusted.code, 1, distrusted.stderr);
      assert.match(distrusted.stderr, /is not trusted: give --ca-cert FILE/);
      const refused = await run([...pull, ...trusting], {
        HTTPS_PROXY: `http://you:wrong@${proxy.host}`,
      });
      assert.equal(refused.code, 1, refused.stderr);
      assert.match(refused.stderr, /proxy .* answers 407/);
      for (
        const [HTTPS_PROXY, said] of [
          [`http://${USER}@127.0.0.1:9`, /Nothing answers at the proxy 127/],
          [`socks5://${USER}@${proxy.host}`, /proxy that speaks "socks5"/],
        ] as const
      ) {
        const none = await run(pull, { HTTPS_PROXY });
        assert.equal(none.code, 1, none.stderr);
        assert.match(none.stderr, said);
      }
      const past = await run([...pull, ...trusting], { NO_PROXY: ".invalid" });
      assert.equal(past.code, 1, past.stderr);
      assert.match(past.stderr, /Cannot reach registry\.invalid/);
      assert.ok(
        ![...Deno.readDirSync(work)].some(({ name }) =>
          name.includes("a.isoc")
        ),
      );
    },
  });
}
