import assert from "node:assert/strict";
import { type Face, FACES } from "../../lib/image/face.ts";
import type { Compression } from "../../lib/streams/compression.ts";
import { verdicts } from "../../lib/verify/verdicts.ts";

/** What is said of older versions, by engine. */
function olderOf(
  compression: Compression | undefined,
  faces: readonly Face[] = FACES,
): Record<string, string> {
  const all = verdicts({
    faces: new Set(faces),
    findings: [],
    compression,
    hasBlobs: true,
  });
  return Object.fromEntries(
    all.flatMap(({ engine, older }) => older ? [[engine, older]] : []),
  );
}

Deno.test("verdicts() names versions that take less than newer ones", () => {
  assert.deepEqual(olderOf(undefined), {});
  // containerd takes no xz at all.
  assert.deepEqual(olderOf("xz"), {});
  assert.deepEqual(Object.keys(olderOf("zstd")), ["Docker", "containerd"]);
  const gzip = olderOf("gzip");
  assert.deepEqual(Object.keys(gzip), [
    "podman",
    "containerd",
    "skopeo",
    "buildah",
  ]);
  assert.match(gzip["podman"]!, /as oci-archive: .* not as docker-archive:$/);
  assert.match(
    olderOf("gzip", ["docker"])["skopeo"]!,
    /skopeo 1\.9 .* take gzip only of the face oci$/,
  );
});

Deno.test("verdicts() knows that Incus minds symlinks beside rootfs/", () => {
  const shape = { faces: new Set(FACES), findings: [], hasBlobs: true };
  const refusers = (hasLinks: boolean) =>
    verdicts({ ...shape, hasLinks }).filter(({ takes }) => !takes)
      .map(({ engine }) => engine);
  assert.deepEqual(refusers(false), ["Docker 1.9"]);
  assert.deepEqual(refusers(true), ["Docker 1.9", "Incus"]);
});
