import assert from "node:assert/strict";
import { buildPlatforms } from "../../lib/build/platforms.ts";
import type { Face } from "../../lib/image/face.ts";
import { toBytes } from "@std/streams";
import {
  editJson,
  joined,
  type Part,
  part,
  partsOf,
} from "../support/isoc_parts.ts";
import { tarOf } from "../support/tar_writer.ts";
import { broken, findingLines, verify } from "../support/verify.ts";

/** An archive of two platforms, of which arm64 is primary. */
async function archive(faces?: Face[]): Promise<Uint8Array> {
  const isoc = await buildPlatforms(
    ["amd64", "arm64"].map((architecture) => ({
      layers: [{
        name: architecture,
        source: new Blob([
          tarOf([{ name: "a", data: architecture, mode: 0o755 }]).slice(),
        ]),
      }],
      isRootfs: true,
      description: {
        names: ["isoc/two:1"],
        command: ["/a"],
        created: 7,
        architecture,
      },
    })),
    () => Promise.reject(new Error("No layer needs a spool")),
    { faces, primary: { architecture: "arm64" } },
  );
  return await toBytes(isoc.stream());
}

/** The JSON of a file of an archive. */
function jsonOf(bytes: Uint8Array) {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Path of the blob that a descriptor names. */
const pathOf = ({ digest }: { digest: string }) =>
  `blobs/${digest.replace(":", "/")}`;

/** The archive's parts, and the path of the image index of all platforms. */
async function parts() {
  const all = await partsOf(await archive());
  return { all, index: indexOf(all) };
}

function indexOf(all: Part[]): string {
  const [top] = jsonOf(part(all, "index.json").data).manifests;
  return pathOf(top);
}

Deno.test("verify() finds nothing in an archive of several platforms, and says who takes it", async () => {
  const { findings, engines } = await verify(await archive());
  assert.deepEqual(findings, []);
  const refuse = engines.filter(({ takes }) => !takes);
  assert.deepEqual(
    refuse.map(({ engine }) => engine),
    ["Docker 1.9", "umoci"],
  );
  assert.match(refuse[1]!.reasons.join(), /several platforms/);
});

Deno.test("verify() compares rootfs/ with the primary image where no face lists it alone", async () => {
  for (const face of ["appc", "bundle", "lxd", "docker-v1"] as const) {
    const lines = await findingLines(await archive(["oci", face]));
    assert.deepEqual(lines, [], face);
  }
});

Deno.test("verify() reads the layers of each platform", async () => {
  const { all, index } = await parts();
  const [amd64] = jsonOf(part(all, index).data).manifests;
  const { layers } = jsonOf(part(all, pathOf(amd64)).data);
  part(all, pathOf(layers[0])).data[512]! ^= 1;
  const rules = await broken(joined(all));
  assert.ok(rules.includes("blob-digest"), `${rules}`);
});

Deno.test("verify() compares each descriptor's platform with its config", async () => {
  for (const platform of [{ architecture: "386" }, { variant: "v3" }]) {
    const { all, index } = await parts();
    const [amd64] = jsonOf(part(all, index).data).manifests;
    // A config without a variant says nothing about it.
    editJson(
      all,
      pathOf(jsonOf(part(all, pathOf(amd64)).data).config),
      (config) => {
        config.variant = "v2";
      },
    );
    // A blob that is changed has another name.
    editJson(all, indexOf(all), ({ manifests }) => {
      Object.assign(manifests[0].platform, { variant: "v2" }, platform);
    });
    assert.deepEqual(await broken(joined(all)), ["faces-platform"]);
  }
});

Deno.test("verify() finds another primary image in rootfs/ than in manifest.json", async () => {
  const { all, index } = await parts();
  const [amd64] = jsonOf(part(all, index).data).manifests;
  const { config, layers } = jsonOf(part(all, pathOf(amd64)).data);
  editJson(all, "manifest.json", ([image]) => {
    image.Config = pathOf(config);
    image.Layers = layers.map(pathOf);
  });
  const rules = await broken(joined(all));
  assert.ok(rules.includes("tree-content"), `${rules}`);
  assert.ok(rules.includes("faces-platform"), `${rules}`);
});
