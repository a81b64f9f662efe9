// How ciso gets to a registry, on each runtime: passwords that are typed, proxies.
import assert from "node:assert/strict";
import { ciso, ROOT, temporary } from "../support/ciso.ts";
import { FakeRegistry } from "../support/fake_registry.ts";
import { fill, loginRegistry } from "../support/filled_registry.ts";
import { bundleRuntimes } from "../support/runtimes.ts";

const PASSWORD = "not-to-be-seen";

for (const runtime of await bundleRuntimes(["--allow-net"])) {
  const { name, command, env, missing } = runtime;
  const ignore = missing !== undefined;

  Deno.test({
    name: `${name}: a password is typed on a terminal, and not shown`,
    ignore,
    async fn() {
      await using folder = await temporary();
      await using registry = loginRegistry("me", PASSWORD);
      const out = `${folder.path}/a.isoc`;
      const { code, stdout } = await new Deno.Command("python3", {
        args: [
          ...[`${ROOT}/tests/support/typed_password.py`, PASSWORD, ...command],
          ...["pull", `${registry.host}/me/app:1`, "--plain-http"],
          ...["--username", "me", "-o", out],
        ],
        env: { ...env, NO_COLOR: "1" },
      }).output();
      const shown = new TextDecoder().decode(stdout);
      assert.equal(code, 0, shown);
      assert.match(shown, /Password of me at 127\.0\.0\.1:\d+: /);
      assert.ok(!shown.includes(PASSWORD), shown);
      assert.ok((await Deno.stat(out)).size > 0);
    },
  });

  Deno.test({
    name: `${name}: HTTP_PROXY leads to the registry, and NO_PROXY past it`,
    ignore,
    async fn() {
      await using folder = await temporary();
      const hosts = new Set<string>();
      // As a proxy it gets whole URLs.
      await using proxy = new FakeRegistry((request) => {
        hosts.add(
          `${new URL(request.url).host} ${
            request.headers.get("proxy-authorization")
          }`,
        );
        return undefined;
      });
      fill(proxy);
      const pull = (more: Record<string, string>) =>
        ciso([
          ...["pull", "registry.invalid/me/app:1", "--plain-http"],
          ...["-o", `${folder.path}/a.isoc`],
        ], {
          command,
          env: { ...env, HTTP_PROXY: `http://you:pass@${proxy.host}`, ...more },
        });
      const { code, stderr } = await pull({});
      assert.equal(code, 0, stderr);
      assert.deepEqual([...hosts], [
        `registry.invalid Basic ${btoa("you:pass")}`,
      ]);
      await Deno.remove(`${folder.path}/a.isoc`);
      const past = await pull({ NO_PROXY: "other.example,.invalid" });
      assert.equal(past.code, 1);
      assert.match(past.stderr, /Cannot reach registry\.invalid/);
      assert.deepEqual([...Deno.readDirSync(folder.path)], []);
    },
  });
}
