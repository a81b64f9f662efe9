// ciso serve on each runtime: hostile requests, an archive that changes, many
// clients with a slow one among them.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { ciso, temporary } from "../support/ciso.ts";
import { bundleRuntimes } from "../support/runtimes.ts";
import { startServe } from "../support/serve.ts";
import { tarOf } from "../support/tar_writer.ts";

const SIZE = 3_000_000;

/** Its key is gone. */
const OTHER_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBbjCCAROgAwIBAgIUakH+BZWjcRDMswadXKDwNezwKswwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAeFw0yNjExMjcxMzA3MjdaFw0yNjExMjgxMzA3MjdaMAwx
CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT+67Oh02vEP6Vg
TP6rhFqMoNItczivr0biWiP+Z+ER2PHoeMYZOAaXvR4LxJ69P1hP7QZHNu7ZbLXj
bBYnfxFZo1MwUTAdBgNVHQ4EFgQUwmL4KxHx5UW5trRZbdmcX9HqMi4wHwYDVR0j
BBgwFoAUwmL4KxHx5UW5trRZbdmcX9HqMi4wDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNJADBGAiEAlu5L+oty2tNWdTkNFINjTKgtc7r7qtzWBQfRMifE8qUC
IQC4g1Q80gOcxUy4iJRtucky1s/czf0qUX4H67HYyZC3RA==
-----END CERTIFICATE-----
`;

/** Asks with a path that fetch() would make harmless; gives the status. */
async function askRaw(host: string, request: string): Promise<number> {
  const [hostname, port] = host.split(":") as [string, string];
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(
    new TextEncoder().encode(
      `${request}\r\nHost: x\r\nConnection: close\r\n\r\n`,
    ),
  );
  const answer = new Uint8Array(64);
  const count = await connection.read(answer) ?? 0;
  const text = new TextDecoder().decode(answer.subarray(0, count));
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}

async function isoc(work: string): Promise<string> {
  const data = Array.from(
    { length: SIZE / 8 },
    (_, i) => i.toString().padStart(8, "0"),
  ).join("");
  await Deno.writeFile(
    `${work}/rootfs.tar`,
    tarOf([{ name: "data", data, mode: 0o755 }]),
  );
  const { code, stderr } = await ciso([
    ...[`${work}/rootfs.tar`, "-t", "me/app:1", "--platform", "linux/amd64"],
    ...["-o", `${work}/app.isoc`, "--", "/data"],
  ]);
  assert.equal(code, 0, stderr);
  return `${work}/app.isoc`;
}

for (const runtime of await bundleRuntimes(["--allow-net"])) {
  const { name, command, env, missing } = runtime;
  Deno.test({
    name: `${name}: ciso serve names the file that is no certificate or key`,
    ignore: missing !== undefined,
    async fn() {
      await using folder = await temporary();
      const path = (name: string) => `${folder.path}/${name}`;
      await Deno.writeTextFile(path("cert"), OTHER_CERTIFICATE);
      const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
      await Deno.writeTextFile(
        path("key"),
        String(keys.privateKey.export({ format: "pem", type: "pkcs8" })),
      );
      const image = await isoc(folder.path);
      for (
        const [cert, key, message] of [
          ["key", "key", `${path("key")} holds no certificate in PEM`],
          ["cert", "cert", `${path("cert")} holds no private key in PEM`],
          ["cert", "key", `${path("key")} is not the key of the certificate`],
        ] as const
      ) {
        const tls = ["--tls-cert", path(cert), "--tls-key", path(key)];
        const { code, stderr } = await ciso(
          ["serve", image, ...tls],
          { command, env },
        );
        assert.ok(stderr.startsWith(`ciso: ${message}`), stderr);
        assert.equal(code, 1);
      }
    },
  });
  Deno.test({
    name: `${name}: ciso serve gives right bytes or none, to many at once`,
    ignore: missing !== undefined,
    async fn() {
      await using folder = await temporary();
      const file = await isoc(folder.path);
      await using server = await startServe(
        command,
        [file, "--listen", "127.0.0.1:0"],
        env,
      );
      const base = `http://${server.host}`;
      const get = (path: string, headers: Record<string, string> = {}) =>
        fetch(`${base}${path}`, { headers });

      for (
        const path of [
          "/v2/../../etc/passwd",
          "/v2/me/app/blobs/../../../etc/passwd",
          "/v2/me/app/manifests/%2e%2e%2f",
          "//v2/",
          "/v2/me/app/manifests/\\..",
          `/v2/${"a".repeat(9000)}/tags/list`,
          "http://evil.example/v2/nobody/tags/list",
          "/v2/%zz/tags/list",
        ]
      ) {
        const status = await askRaw(server.host, `GET ${path} HTTP/1.1`);
        assert.ok(status >= 400 && status < 500, `${status} for ${path}`);
      }
      assert.equal(
        await askRaw(server.host, "PUT /v2/me/app/manifests/1 HTTP/1.1"),
        405,
      );

      const manifest = await (await get("/v2/me/app/manifests/1")).json();
      const [{ digest, size }] = manifest.layers;
      const path = `/v2/me/app/blobs/${digest}`;
      const whole = new Uint8Array(await (await get(path)).arrayBuffer());
      assert.equal(whole.length, size);

      // One reads nothing of its answer while 40 others get theirs.
      const slow = await get(path);
      await Promise.all(Array.from({ length: 40 }, async (_, i) => {
        const from = i * 70_000;
        const part = i % 2 === 0
          ? await get(path)
          : await get(path, { range: `bytes=${from}-${from + 99}` });
        const bytes = new Uint8Array(await part.arrayBuffer());
        const wanted = i % 2 === 0 ? whole : whole.subarray(from, from + 100);
        assert.deepEqual(bytes, wanted);
      }));
      assert.deepEqual(new Uint8Array(await slow.arrayBuffer()), whole);

      // Changed in place, also while a client reads: right bytes or none.
      const reading = await get(path);
      const handle = await Deno.open(file, { write: true });
      const at = Math.floor((await handle.stat()).size / 2);
      await handle.seek(at, Deno.SeekMode.Start);
      await handle.write(new Uint8Array(512).fill(0x21));
      handle.close();
      const rest = await reading.arrayBuffer().catch(() => undefined);
      if (rest) assert.deepEqual(new Uint8Array(rest), whole);
      const got = async (headers: Record<string, string> = {}) => {
        try {
          const answer = await get(path, headers);
          const bytes = await answer.arrayBuffer();
          return answer.ok ? bytes : undefined;
        } catch {
          return undefined;
        }
      };
      assert.equal(await got(), undefined);
      for (const range of ["bytes=0-99", `bytes=${size - 100}-`]) {
        assert.equal(await got({ range }), undefined, range);
      }
      // And truncated.
      await Deno.truncate(file, 4096);
      assert.equal(await got(), undefined);
    },
  });
}
