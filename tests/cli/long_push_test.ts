// A push that takes longer than a token lasts, on each runtime: it gets new ones,
// and what arrived is not sent again.
import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import { digestOf, FakeRegistry } from "../support/fake_registry.ts";
import { noiseImage } from "../support/noise_image.ts";
import { bundleRuntimes, type Runtime } from "../support/runtimes.ts";
import { status } from "../support/tricks.ts";

const PASSWORD = "not-to-be-seen";
/** Seconds that a token lasts. */
const LIFE = 3;
/** Milliseconds that a chunk takes; a token is not used up to its last second. */
const SLOW = 1500;

/** A registry whose tokens last three seconds, and which takes its time. */
function slowRegistry() {
  const ends = new Map<string, number>();
  const token = () => {
    const token = `token-${ends.size}`;
    ends.set(token, Date.now() + LIFE * 1000);
    return Response.json({ token, expires_in: LIFE });
  };
  let late = 0;
  const isGood = (request: Request) => {
    const [, token = ""] = /^Bearer (.*)/.exec(
      request.headers.get("authorization") ?? "",
    ) ?? [];
    return (ends.get(token) ?? 0) > Date.now();
  };
  const registry = new FakeRegistry(async (request) => {
    const { pathname, host } = new URL(request.url);
    const login = () =>
      status(401, {
        "www-authenticate": `Bearer realm="http://${host}/token",service="x"`,
      });
    if (pathname === "/token") {
      const login = request.headers.get("authorization");
      return login === `Basic ${btoa(`me:${PASSWORD}`)}`
        ? token()
        : status(401);
    }
    if (!isGood(request)) return login();
    if (request.method !== "PATCH") return undefined;
    await new Promise((resolve) => setTimeout(resolve, SLOW));
    // One ends while the chunk is on its way, as the registry sees it.
    if (++late > 1) return undefined;
    await request.arrayBuffer();
    return login();
  });
  return { registry, ends };
}

/** Pushes with one runtime. */
async function outlives(
  runtime: Runtime,
  { image, work, compression }: Record<
    "image" | "work" | "compression",
    string
  >,
) {
  const { registry, ends } = slowRegistry();
  await using _ = registry;
  const { code, stderr } = await ciso(
    [
      ...["push", image, `${registry.host}/me/app:1`, "--plain-http", "-v"],
      ...["--compression", compression, "--username", "me", "--password-stdin"],
    ],
    {
      command: runtime.command,
      stdin: new TextEncoder().encode(PASSWORD),
      env: {
        ...runtime.env,
        CISO_DEBUG: "1",
        XDG_CACHE_HOME: `${work}/${runtime.name}-${compression}`,
      },
    },
  );
  const who = `${runtime.name}, ${compression}: ${stderr}`;
  assert.equal(code, 0, who);
  assert.ok(ends.size > 1, who);
  for (const secret of [PASSWORD, ...ends.keys()]) {
    assert.ok(!stderr.includes(secret), who);
  }
  const { bytes } = registry.manifests.get("1")!;
  const { config, layers } = JSON.parse(new TextDecoder().decode(bytes));
  for (const { digest, size } of [config, ...layers]) {
    assert.equal(registry.blobs.get(digest)?.length, size, who);
    assert.equal(digestOf(registry.blobs.get(digest)!), digest, who);
  }
}

const runtimes = (await bundleRuntimes(["--allow-net"]))
  .filter(({ missing }) => missing === undefined);

// All at a time: they wait most of it.
Deno.test("A push outlives its tokens, on each runtime", async () => {
  await using folder = await temporary();
  const work = folder.path;
  const image = await noiseImage(work);
  await Promise.all(
    runtimes.flatMap((runtime) =>
      ["gzip", "none"].map((compression) =>
        outlives(runtime, { image, work, compression })
      )
    ),
  );
});
