import assert from "node:assert/strict";
import { RegistryClient } from "../../lib/registry/client.ts";
import {
  type Artifact,
  type Descriptor,
  pushArtifact,
  pushReferrer,
  referrersOf,
} from "../../lib/registry/referrers.ts";
import {
  digestOf,
  FakeRegistry,
  type Trick,
} from "../support/fake_registry.ts";

const SUBJECT: Descriptor = {
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: `sha256:${"a".repeat(64)}`,
  size: 7,
};
const SIGNATURE: Artifact = {
  artifactType: "application/x-signature",
  blobs: [{
    mediaType: "text/plain",
    bytes: new TextEncoder().encode("signed"),
    annotations: { "a.key": "value" },
  }],
  annotations: { by: "me" },
};
const client = (registry: FakeRegistry) =>
  new RegistryClient(registry.host, {
    plainHttp: true,
    sleep: () => Promise.resolve(),
  });

/** A registry without lists of referrers, as those before OCI 1.1. */
const old: Trick = (request) =>
  request.url.includes("/referrers/")
    ? new Response(null, { status: 404 })
    : undefined;

Deno.test("pushReferrer() lists by a tag where the registry has no lists", async () => {
  await using registry = new FakeRegistry(old);
  const one = await pushReferrer(client(registry), "a/b", SUBJECT, SIGNATURE);
  const two = await pushReferrer(client(registry), "a/b", SUBJECT, {
    artifactType: "application/x-sbom",
    blobs: [],
  });
  // The same once more changes nothing.
  await pushReferrer(client(registry), "a/b", SUBJECT, SIGNATURE);
  const { bytes } = registry.manifests.get(one.digest)!;
  assert.equal(digestOf(bytes), one.digest);
  assert.equal(bytes.length, one.size);
  const manifest = JSON.parse(new TextDecoder().decode(bytes));
  assert.deepEqual(manifest.subject, SUBJECT);
  assert.equal(manifest.layers[0].annotations["a.key"], "value");
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    assert.ok(registry.blobs.has(digest));
  }
  const list = (type?: string) =>
    referrersOf(client(registry), "a/b", SUBJECT.digest, type);
  assert.deepEqual(await list(), [one, two]);
  assert.deepEqual(await list("application/x-sbom"), [two]);
  assert.ok(registry.manifests.has(`sha256-${"a".repeat(64)}`));
});

Deno.test("pushReferrer() leaves the list to a registry that keeps one", async () => {
  await using registry = new FakeRegistry((request) =>
    request.method === "PUT" && request.url.includes("/manifests/")
      ? new Response(null, {
        status: 201,
        headers: { "oci-subject": SUBJECT.digest },
      })
      : undefined
  );
  await pushReferrer(client(registry), "a/b", SUBJECT, SIGNATURE);
  const puts = registry.requests.filter((line) => /PUT .*manifests/.test(line));
  assert.equal(puts.length, 1);
});

Deno.test("pushArtifact() gives an artifact a tag, and a config of its own", async () => {
  await using registry = new FakeRegistry();
  const bytes = new TextEncoder().encode("{}\n");
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    bytes,
  };
  await pushArtifact(client(registry), { repository: "a", tag: "x.sig" }, {
    ...SIGNATURE,
    config,
  });
  const stored = registry.manifests.get("x.sig")!;
  const manifest = JSON.parse(new TextDecoder().decode(stored.bytes));
  assert.equal(manifest.config.digest, digestOf(bytes));
  assert.equal(manifest.subject, undefined);
});

Deno.test("referrersOf() follows pages, and not for ever", async () => {
  const page = (digit: string, next?: string) =>
    Response.json({
      manifests: [{ ...SUBJECT, digest: `sha256:${digit.repeat(64)}` }],
    }, { headers: next ? { link: `<${next}>; rel="next"` } : {} });
  const path = `/v2/a/referrers/${SUBJECT.digest}`;
  await using good = new FakeRegistry((request) =>
    !request.url.includes("/referrers/")
      ? undefined
      : request.url.includes("page=2")
      ? page("2")
      : page("1", `${path}?page=2`)
  );
  const found = await referrersOf(client(good), "a", SUBJECT.digest);
  assert.deepEqual(found.map(({ digest }) => digest[7]), ["1", "2"]);
  const nexts = [path, "http://other.example/", `${path}?again`];
  for (const next of nexts) {
    let count = 0;
    await using bad = new FakeRegistry((request) =>
      request.url.includes("/referrers/")
        ? page("1", next === `${path}?again` ? `${next}${count++}` : next)
        : undefined
    );
    await assert.rejects(
      referrersOf(client(bad), "a", SUBJECT.digest),
      /without end|as the next page/,
    );
    assert.ok(bad.requests.length <= 101);
  }
});
