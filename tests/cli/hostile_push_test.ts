// Registries that break, lie and loop while an image is pushed, against the whole
// program on each runtime: what is pushed is right or is not there.
import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import {
  digestOf,
  FakeRegistry,
  type Trick,
} from "../support/fake_registry.ts";
import { noiseImage } from "../support/noise_image.ts";
import { bundleRuntimes, type Runtime } from "../support/runtimes.ts";
import {
  denied,
  endless,
  NO_LOGIN,
  on,
  REFUSED,
  status,
} from "../support/tricks.ts";

const PASSWORD = "not-to-be-seen";
const START = /^POST .*\/blobs\/uploads\//;
const CHUNK = /^PATCH /;
const END = /^PUT .*\/blobs\/uploads\//;
const MANIFEST = /^PUT .*\/manifests\//;
const STATE = /^GET .*\/blobs\/uploads\//;

/** Plays several tricks. */
const both = (...tricks: Trick[]): Trick => async (request, count) => {
  for (const trick of tricks) {
    const answer = await trick(request, count);
    if (answer) return answer;
  }
  return undefined;
};
/** Fails the first time, after a part of the body. */
const once = (line: RegExp, code: number): Trick =>
  on(line, async (request, count) => {
    if (count > 1) return undefined;
    await request.body?.getReader().read();
    return status(code, { "retry-after": "0" });
  });

/** Tricks that a push outlives: the registry has the image then. */
const OUTLIVED: [string, Trick][] = [
  ["429 and 503", both(once(START, 429), once(MANIFEST, 503))],
  ["a chunk that fails", once(CHUNK, 502)],
  [
    "an upload that is forgotten",
    both(once(CHUNK, 503), on(STATE, () => status(404))),
  ],
  ["an end that fails", once(END, 503)],
];

/** Tricks that end a push, and what it says of them. */
const DEADLY: [string, Trick, RegExp][] = [
  ...NO_LOGIN,
  ...REFUSED(START),
  ["no place", on(START, () => status(202)), /does not say where/],
  [
    "a place that is no URL",
    on(START, () => status(202, { location: "http://[" })),
    /which is no URL/,
  ],
  [
    "a place that is a file",
    on(START, () => status(202, { location: "file:///etc/passwd" })),
    /not HTTPS/,
  ],
  ["413", on(CHUNK, () => status(413)), /413.*raise the limit/],
  ["another digest", on(END, () => status(400)), /answers 400/],
  ["an error without end", on(END, () => endless(400)), /answers 400/],
  [
    "another manifest than was sent",
    on(
      MANIFEST,
      () =>
        status(201, { "docker-content-digest": `sha256:${"0".repeat(64)}` }),
    ),
    /keeps the manifest as .*sha256:0000/,
  ],
  ["no manifests", on(MANIFEST, denied), /does not allow/],
];

/** Waits a few seconds, on one runtime alone. */
const SLOW: [string, Trick, RegExp][] = [
  ["503 for ever", on(START, () => status(503)), /answers 503.*later/],
];

/** Runs `ciso push` to the registry, with a login. */
async function push(
  registry: FakeRegistry,
  runtime: Runtime,
  { image, work }: { image: string; work: string },
) {
  const reference = `${registry.host}/me/app:1`;
  const result = await ciso(
    [
      ...["push", image, reference, "--plain-http", "-v"],
      ...["--username", "me", "--password-stdin"],
    ],
    {
      command: runtime.command,
      stdin: new TextEncoder().encode(PASSWORD),
      env: {
        ...runtime.env,
        CISO_DEBUG: "1",
        TMPDIR: work,
        XDG_CACHE_HOME: `${work}/cache`,
      },
    },
  );
  for (const secret of [PASSWORD, btoa(`me:${PASSWORD}`)]) {
    assert.ok(!(result.stderr + result.stdout).includes(secret), "a secret");
  }
  assert.ok(!result.stderr.includes("\x1b"), "an escape");
  return { ...result, reference };
}

/** Checks that the registry has what its manifest names, and nothing wrong. */
function checkPushed(registry: FakeRegistry, what: string): void {
  for (const [digest, bytes] of registry.blobs) {
    assert.equal(digestOf(bytes), digest, what);
  }
  const { bytes } = registry.manifests.get("1")!;
  const manifest = JSON.parse(new TextDecoder().decode(bytes));
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    assert.equal(registry.blobs.get(digest)?.length, size, what);
  }
}

for (const runtime of await bundleRuntimes(["--allow-net"])) {
  Deno.test({
    name: `${runtime.name}: a push is right or is not there`,
    ignore: runtime.missing !== undefined,
    async fn() {
      await using folder = await temporary();
      const image = await noiseImage(folder.path);
      const workFor = async (name: string) => {
        const work = `${folder.path}/${name}`;
        await Deno.mkdir(work);
        return work;
      };
      const outlive = async ([what, trick]: [string, Trick], i: number) => {
        await using registry = new FakeRegistry(trick);
        const work = await workFor(`good${i}`);
        const { code, stderr } = await push(registry, runtime, { image, work });
        assert.equal(code, 0, `${what}: ${stderr}`);
        checkPushed(registry, what);
      };
      const die = async (
        [what, trick, message]: [string, Trick, RegExp],
        i: number,
      ) => {
        await using registry = new FakeRegistry(trick);
        const work = await workFor(`bad${i}`);
        const { code, stderr, reference } = await push(registry, runtime, {
          image,
          work,
        });
        const [, said = ""] = /(?:^|\n)(?:ciso: )?(\w*Error: .*a\.isoc to.*)/
          .exec(stderr) ?? [];
        assert.equal(code, 1, `${what}: ${stderr}`);
        assert.match(said, message, `${what}: ${stderr}`);
        assert.ok(said.includes(reference), `${what}: ${said}`);
        assert.ok(!registry.manifests.has("1"), what);
        // Of what was compressed nothing is left.
        const left = [...Deno.readDirSync(work)].map(({ name }) => name);
        assert.deepEqual(left.filter((name) => name !== "cache"), [], what);
      };
      const all = [
        ...OUTLIVED.map((one, i) => () => outlive(one, i)),
        ...[...DEADLY, ...(runtime.name === "deno" ? SLOW : [])].map(
          (one, i) => () => die(one, i),
        ),
      ];
      // Those that wait do not hold up the others.
      await Promise.all([0, 1, 2, 3].map(async (worker) => {
        for (let i = worker; i < all.length; i += 4) await all[i]!();
      }));
    },
  });
}
