// An upload that ended but was not forgotten, since its program was killed then.
import assert from "node:assert/strict";
import { RegistryClient } from "../../lib/registry/client.ts";
import { memoryBlob } from "../../lib/registry/push_image.ts";
import { findBlob, uploadBlob } from "../../lib/registry/upload.ts";
import type { UploadMemory } from "../../lib/registry/upload_place.ts";
import { FakeRegistry } from "../support/fake_registry.ts";

const blob = {
  ...memoryBlob(new Uint8Array(1000)),
  key: "what it was made of",
};

/** A memory with an unfinished upload of the blob, and what it has. */
function memoryOf(registry: FakeRegistry) {
  const places = new Map([
    [`${registry.host}/a@${blob.key}`, `http://${registry.host}/v2/a/blobs/x`],
    [`${registry.host}/b@${blob.key}`, `http://${registry.host}/v2/b/blobs/y`],
  ]);
  const memory: UploadMemory = {
    get: (key) => places.get(key),
    set: (key, place) =>
      void (place === undefined ? places.delete(key) : places.set(key, place)),
  };
  return { places, memory };
}

for (
  const [name, make] of [
    ["findBlob()", findBlob],
    ["uploadBlob()", uploadBlob],
  ] as const
) {
  Deno.test(`${name} forgets an upload of what is there`, async () => {
    await using registry = new FakeRegistry();
    registry.add(new Uint8Array(1000));
    const client = new RegistryClient(registry.host, { plainHttp: true });
    const { places, memory } = memoryOf(registry);
    assert.equal(await make(client, "a", blob, { memory }), "present");
    assert.deepEqual([...places.keys()], [`${registry.host}/b@${blob.key}`]);
  });

  Deno.test(`${name} forgets an upload of what it takes over`, async () => {
    await using registry = new FakeRegistry((request) =>
      new URL(request.url).searchParams.has("mount")
        ? new Response(null, { status: 201 })
        : new Response(null, { status: 404 })
    );
    const client = new RegistryClient(registry.host, { plainHttp: true });
    const { places, memory } = memoryOf(registry);
    const options = { memory, mountFrom: ["c"] };
    assert.equal(await make(client, "a", blob, options), "mounted");
    assert.deepEqual([...places.keys()], [`${registry.host}/b@${blob.key}`]);
  });
}

Deno.test("findBlob() remembers an upload of what is not there", async () => {
  await using registry = new FakeRegistry();
  const client = new RegistryClient(registry.host, { plainHttp: true });
  const { places, memory } = memoryOf(registry);
  assert.equal(await findBlob(client, "a", blob, { memory }), undefined);
  assert.equal(places.size, 2);
});
