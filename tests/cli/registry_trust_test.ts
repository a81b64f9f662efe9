// --ca-cert trusts one more certificate, on each runtime: those that the runtime
// trusts without it stay trusted.
import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import { certificate } from "../support/docker_registry.ts";
import { FakeRegistry } from "../support/fake_registry.ts";
import { fill } from "../support/filled_registry.ts";
import { isInstalled, run } from "../support/run.ts";
import { bundleRuntimes } from "../support/runtimes.ts";

/** A certificate that another one signed, and that one. */
async function signed(work: string) {
  const [ca, cert, key] = ["ca", "leaf", "leaf-key"].map((name) =>
    `${work}/${name}.pem`
  ) as [string, string, string];
  const make = (words: string[]) =>
    run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
      ...words,
    ]);
  await make(["-subj", "/CN=ca", "-keyout", `${ca}.key`, "-out", ca]);
  await make([
    ...["-subj", "/CN=leaf", "-keyout", key, "-out", cert],
    ...["-CA", ca, "-CAkey", `${ca}.key`],
    ...["-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  ]);
  return { ca, cert, key };
}

const texts = async ({ cert, key }: { cert: string; key: string }) => ({
  cert: await Deno.readTextFile(cert),
  key: await Deno.readTextFile(key),
});

for (const runtime of await bundleRuntimes(["--allow-net"])) {
  Deno.test({
    name: `${runtime.name}: --ca-cert trusts one more certificate`,
    ignore: runtime.missing !== undefined || !isInstalled("openssl"),
    async fn() {
      await using folder = await temporary();
      const work = folder.path;
      const usual = await signed(work);
      await using store = new FakeRegistry(undefined, await texts(usual));
      fill(store);
      const own = await certificate(work);
      // Its blobs are elsewhere, as those of registries in clouds.
      await using registry = new FakeRegistry((request) => {
        const { pathname } = new URL(request.url);
        return pathname.includes("/blobs/")
          ? new Response(null, {
            status: 307,
            headers: { location: `https://${store.host}${pathname}` },
          })
          : undefined;
      }, await texts(own));
      fill(registry);
      const pull = async (more: string[], env: Record<string, string>) => {
        const out = `${work}/a.isoc`;
        const result = await ciso([
          ...["pull", `${registry.host}/me/app:1`, "-o", out, ...more],
        ], { command: runtime.command, env: { ...runtime.env, ...env } });
        await Deno.remove(out).catch(() => {});
        return result;
      };
      // What the runtime trusts besides its own.
      const trusting = { DENO_CERT: usual.ca, NODE_EXTRA_CA_CERTS: usual.ca };
      const { code, stderr } = await pull(["--ca-cert", own.cert], trusting);
      assert.equal(code, 0, stderr);
      for (
        const [more, env] of [
          [["--ca-cert", own.cert], {}],
          [[], trusting],
        ] as const
      ) {
        const refused = await pull([...more], env);
        assert.equal(refused.code, 1, refused.stderr);
        assert.match(refused.stderr, /is not trusted: give --ca-cert FILE/);
      }
      const none = await pull(["--ca-cert", `${own.key}`], trusting);
      assert.match(none.stderr, /has no certificate in PEM/);
    },
  });
}
