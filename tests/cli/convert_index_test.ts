// Image indexes that ciso convert chooses from, and names that it leaves out.

import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import { failed, made } from "../support/converting.ts";
import {
  emptyLayout,
  INDEX_TYPE,
  indexOf,
  type Json,
  MANIFEST_TYPE,
  NAMED,
} from "../support/oci_layout.ts";
import { run } from "../support/run.ts";
import { tarOf } from "../support/tar_writer.ts";

const FIRST = tarOf([{ name: "first", data: "1" }]);

Deno.test("ciso convert takes the platform wanted of an index", async () => {
  await using work = await temporary();
  const out = `${work.path}/out.isoc`;
  const layout = await emptyLayout(`${work.path}/layout`);
  const image = async (architecture: string, variant?: string) => {
    const config = { architecture, ...(variant && { variant }) };
    const descriptor = await layout.image([FIRST], { config });
    return { ...descriptor, platform: { os: "linux", ...config } };
  };
  const images = [
    await image("amd64"),
    await image("arm64", "v8"),
    await image("arm", "v6"),
    await image("arm", "v7"),
  ];
  const attestation = {
    ...await layout.add(
      MANIFEST_TYPE,
      JSON.stringify({ config: { digest: `sha256:${"0".repeat(64)}` } }),
    ),
    platform: { os: "unknown", architecture: "unknown" },
  };
  const inner = JSON.stringify(indexOf([...images, attestation]));
  await layout.index({
    ...await layout.add(INDEX_TYPE, inner),
    annotations: NAMED,
  });
  for (
    const [platform, chosen] of [
      ["linux/amd64", images[0]],
      ["linux/arm64", images[1]],
      ["linux/arm64/v8", images[1]],
      ["linux/aarch64", images[1]],
      ["linux/arm/v7", images[3]],
      // That is ARMv7 to containerd.
      ["linux/arm", images[3]],
    ] as [string, Json][]
  ) {
    await made("convert", layout.path, "--platform", platform, "-o", out);
    const [{ Config, RepoTags }] = JSON.parse(
      await run("tar", ["-xOf", out, "manifest.json"]),
    );
    const { config } = await layout.read(chosen);
    assert.equal(Config, `blobs/${config.digest.replace(":", "/")}`, platform);
    assert.deepEqual(RepoTags, ["isoc/made:1"]);
  }
  assert.match(
    await failed("convert", layout.path, "--platform", "linux/s390x"),
    /: No image in it is for the platform wanted \(linux\/s390x\); it has linux\/amd64, linux\/arm64\/v8, linux\/arm\/v6, linux\/arm\/v7$/,
  );
  // Unless one is chosen, all are taken.
  await made("convert", layout.path, "-o", out);
  const { stdout } = await ciso(["inspect", "--json", out]);
  assert.equal(JSON.parse(stdout).images.length, 4);
  // docker save of one platform lists the others without having them.
  for (const other of [images[0]!, images[2]!, images[3]!]) {
    await Deno.remove(layout.file(other));
  }
  await made("convert", layout.path, "-o", out);
});

Deno.test("ciso convert leaves out names that cannot be", async () => {
  await using work = await temporary();
  const layout = await emptyLayout(`${work.path}/layout`);
  const image = await layout.image([FIRST]);
  const named = (name: string) => ({
    ...image,
    annotations: { "org.opencontainers.image.ref.name": name },
  });
  const digest = `isoc/x@sha256:${"0".repeat(64)}`;
  await layout.index(named(digest), named("isoc/y:1"));
  const out = `${work.path}/out.isoc`;
  const said = await made("convert", layout.path, "-o", out);
  assert.match(said, /A name of .*layout is left out\. Image name "isoc\/x@/);
  const text = await run("tar", ["-xOf", out, "manifest.json"]);
  assert.deepEqual(JSON.parse(text)[0].RepoTags, ["isoc/y:1"]);
});
