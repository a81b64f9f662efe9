// Registries that break, lie, flood and loop, against the whole program on each
// runtime: nothing wrong is ever written, and each error says what to do.
import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import {
  broken,
  digestOf,
  FakeRegistry,
  type Trick,
} from "../support/fake_registry.ts";
import { fill, LAYER } from "../support/filled_registry.ts";
import { bundleRuntimes, type Runtime } from "../support/runtimes.ts";
import { endless, NO_LOGIN, on, REFUSED, status } from "../support/tricks.ts";

const PASSWORD = "not-to-be-seen";
const MANIFEST = /\/manifests\//;
const BLOB = new RegExp(`/blobs/${digestOf(LAYER)}`);
const TYPE = "application/vnd.oci.image.manifest.v1+json";
const json = (text: string, headers = {}) =>
  new Response(text, { headers: { "content-type": TYPE, ...headers } });
/** Some byte of the layer from the second third on, the same in each run. */
const cut = Math.floor(LAYER.length * 0.62);

/** Tricks that a pull outlives: it has the image then, byte for byte. */
const OUTLIVED: [string, Trick][] = [
  [
    "429 with Retry-After, then 503",
    on(
      /manifests|blobs/,
      (_, count) =>
        count === 1
          ? status(429, { "retry-after": "0" })
          : count === 2
          ? status(503)
          : undefined,
    ),
  ],
  [
    "a token server in trouble",
    (request, count) => {
      const { pathname, host } = new URL(request.url);
      if (pathname === "/token") {
        return count < 4
          ? status(503, { "retry-after": "-1" })
          : Response.json({ token: "good" });
      }
      return request.headers.get("authorization") === "Bearer good"
        ? undefined
        : status(401, {
          "www-authenticate": `Bearer realm="http://${host}/token"`,
        });
    },
  ],
  [
    "connections that break",
    on(BLOB, (request, count) => {
      if (count > 2) return undefined;
      const [, from] = /=(\d+)/.exec(request.headers.get("range") ?? "") ?? [];
      const start = Number(from ?? 0);
      return broken(
        LAYER.slice(start, start + cut / 2),
        LAYER.length - start,
      );
    }),
  ],
  [
    "tokens that end soon, and a connection that breaks",
    (request, count) => {
      const { pathname, host } = new URL(request.url);
      if (pathname === "/token") return Response.json({ token: `t${count}` });
      const [, made] = /^Bearer t(\d+)$/.exec(
        request.headers.get("authorization") ?? "",
      ) ?? [];
      if (made === undefined || count - Number(made) > 3) {
        return status(401, {
          "www-authenticate": `Bearer realm="http://${host}/token"`,
        });
      }
      const isFirst = BLOB.test(pathname) && !request.headers.has("range");
      return isFirst ? broken(LAYER.slice(0, cut), LAYER.length) : undefined;
    },
  ],
];

/** Tricks that end a pull, and what it says of them. */
const DEADLY: [string, Trick, RegExp][] = [
  ["no such tag", on(MANIFEST, () => status(404)), /is not there/],
  [
    "another manifest than promised",
    on(
      MANIFEST,
      () => json("{}", { "docker-content-digest": `sha256:${"0".repeat(64)}` }),
    ),
    /damaged/,
  ],
  ["a manifest without end", on(MANIFEST, () => endless()), /longer than/],
  [
    "a manifest of a million brackets",
    on(MANIFEST, () => json("[".repeat(1_000_000))),
    /levels deep/,
  ],
  ["no JSON", on(MANIFEST, () => json("<html>")), /not JSON/],
  ["JSON of another shape", on(MANIFEST, () => json("null")), /config|object/],
  [
    "a layer with other bytes",
    on(BLOB, () => new Response(LAYER.map((byte, i) => i === 600 ? 1 : byte))),
    /damaged/,
  ],
  ["a layer without end", on(BLOB, () => endless()), /longer than/],
  [
    "a layer that is too long",
    on(BLOB, () => new Response(new Uint8Array([...LAYER, 0]))),
    /longer than/,
  ],
  [
    "a layer that is too short",
    on(BLOB, () => new Response(LAYER.slice(0, -1))),
    /shorter than/,
  ],
  ...[BLOB, MANIFEST].map((path): [string, Trick, RegExp] => [
    `an encoding that ${path} does not have`,
    on(path, () =>
      new Response(LAYER, {
        headers: { "content-type": TYPE, "content-encoding": "br" },
      })),
    /content-encoding br, which nobody asked for/,
  ]),
  ...REFUSED(BLOB),
  ...NO_LOGIN,
];

/** These take a few seconds of waiting, on one runtime alone. */
const SLOW: [string, Trick, RegExp][] = [
  ["503 for ever", on(MANIFEST, () => status(503)), /answers 503/],
  [
    "a layer that always ends early",
    on(BLOB, () => broken(LAYER.slice(0, 0), LAYER.length)),
    /broke/,
  ],
];

type Words = (reference: string, out: string) => string[];

/** Commands that make an isoc of an image there: by the same code, by turns. */
const PULLS: Words[] = [
  (reference, out) => ["pull", reference, "-o", out],
  (reference, out) => ["convert", `docker://${reference}`, "-o", out],
  (reference, out) => [
    ...["build", "--from", `docker://${reference}`, "-t", "me/app", "-o", out],
  ],
];

/** Commands that copy an image, and where they write it: the same. */
const COPIES: Words[] = [
  (reference, out) => ["copy", `docker://${reference}`, `oci-archive:${out}`],
  (reference, out) => ["copy", `docker://${reference}`, `oci:${out}`],
];

/** Runs a command at the registry, with a login. */
async function fetching(
  registry: FakeRegistry,
  runtime: Runtime,
  out: string,
  words: Words,
) {
  const reference = `${registry.host}/me/app:1`;
  const result = await ciso(
    [
      ...[...words(reference, out), "--plain-http", "-v"],
      ...["--username", "me", "--password-stdin"],
    ],
    {
      command: runtime.command,
      stdin: new TextEncoder().encode(PASSWORD),
      env: {
        ...runtime.env,
        CISO_DEBUG: "1",
        // Without it, such small layers are worth no thread.
        CISO_WAY: "beside",
        TMPDIR: out.replace(/\/[^/]*$/, ""),
      },
    },
  );
  for (const secret of [PASSWORD, btoa(`me:${PASSWORD}`)]) {
    assert.ok(!(result.stderr + result.stdout).includes(secret), "a secret");
  }
  assert.ok(!result.stderr.includes("\x1b"), "an escape");
  return { ...result, reference };
}

for (const runtime of await bundleRuntimes(["--allow-net"])) {
  Deno.test({
    name:
      `${runtime.name}: a hostile registry never gets anything wrong written`,
    ignore: runtime.missing !== undefined,
    async fn() {
      await using folder = await temporary();
      const outlive = async ([what, trick]: [string, Trick], i: number) => {
        await using registry = new FakeRegistry(trick);
        fill(registry);
        const out = `${folder.path}/good${i}/a.isoc`;
        await Deno.mkdir(`${folder.path}/good${i}`);
        const { code, stderr } = await fetching(
          registry,
          runtime,
          out,
          PULLS[i % PULLS.length]!,
        );
        assert.equal(code, 0, `${what}: ${stderr}`);
        assert.ok(isIn(await Deno.readFile(out), LAYER), what);
        const archive = `${folder.path}/good${i}/oci.tar`;
        const copied = await fetching(
          registry,
          runtime,
          archive,
          COPIES[0]!,
        );
        assert.equal(copied.code, 0, `${what}: ${copied.stderr}`);
        assert.ok(isIn(await Deno.readFile(archive), LAYER), what);
      };
      const die = async (
        [what, trick, message]: [string, Trick, RegExp],
        name: string,
        words: Words,
      ) => {
        await using registry = new FakeRegistry(trick);
        fill(registry);
        const place = `${folder.path}/${name}`;
        await Deno.mkdir(place);
        const { code, stderr, reference } = await fetching(
          registry,
          runtime,
          `${place}/a.isoc`,
          words,
        );
        const [, said = ""] = /(?:^|\n)(?:ciso: )?(\w*Error: .*docker:\/\/.*)/
          .exec(stderr) ?? [];
        if (Deno.env.get("SHOW")) console.log(`${what}: ${said}`);
        assert.equal(code, 1, `${what}: ${stderr}`);
        assert.match(said, message, `${what}: ${stderr}`);
        assert.ok(said.includes(reference), `${what}: ${said}`);
        assert.deepEqual([...Deno.readDirSync(place)], [], what);
      };
      const all = [
        ...OUTLIVED.map((one, i) => () => outlive(one, i)),
        ...[...DEADLY, ...(runtime.name === "deno" ? SLOW : [])].flatMap(
          (one, i) => [
            () => die(one, `pull${i}`, PULLS[i % PULLS.length]!),
            () => die(one, `copy${i}`, COPIES[i % COPIES.length]!),
          ],
        ),
      ];
      // Those that wait do not hold up the others.
      await Promise.all([0, 1, 2, 3].map(async (worker) => {
        for (let i = worker; i < all.length; i += 4) await all[i]!();
      }));
    },
  });
}

/** Whether some bytes have others in them. */
function isIn(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = 0; at + part.length <= bytes.length; at += 512) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}
