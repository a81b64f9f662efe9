import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dockerManifest } from "../../lib/formats/docker.ts";
import { jsonText } from "../../lib/formats/json_text.ts";
import {
  imageIndex,
  imageManifest,
  ociLayout,
  unsupportedByOci,
} from "../../lib/formats/oci.ts";
import { imageConfig } from "../../lib/formats/oci_config.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";
import { FULL, LAYERS, PLAIN } from "../support/sample_image.ts";

const BLOB = { digest: "c".repeat(64), size: 77 };

Deno.test("ociLayout() is version 1.0.0", () => {
  assert.equal(jsonText(ociLayout()), '{"imageLayoutVersion":"1.0.0"}\n');
});

Deno.test("imageManifest() ties config and layers together", () => {
  const layer = (digit: string, size: number) => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar",
    digest: `sha256:${digit.repeat(64)}`,
    size,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: `sha256:${"c".repeat(64)}`,
      size: 77,
    },
    layers: [layer("a", 1024), layer("b", 2048)],
  };
  assert.deepEqual(imageManifest(PLAIN, LAYERS, BLOB), manifest);
  assert.deepEqual(imageManifest(FULL, LAYERS, BLOB), {
    ...manifest,
    annotations: { "Foo Bar": "q", created: "by me" },
  });
});

Deno.test("imageIndex() has a descriptor for every name", () => {
  const entry = (qualified: string, tag?: string) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${"c".repeat(64)}`,
    size: 77,
    annotations: {
      "Foo Bar": "q",
      created: "by me",
      "io.containerd.image.name": qualified,
      ...(tag && { "org.opencontainers.image.ref.name": tag }),
    },
    platform: { architecture: "arm", os: "linux", variant: "v6" },
  });
  assert.deepEqual(imageIndex(FULL, BLOB), {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      entry("docker.io/isoc/hello:1.0", "1.0"),
      entry("docker.io/isoc/hello:latest", "latest"),
      // A second "1.0" would be ambiguous.
      entry("localhost:5000/app/hello:1.0"),
    ],
  });
});

Deno.test("imageIndex() does not let annotations replace names", () => {
  const annotations = {
    "io.containerd.image.name": "evil",
    "org.opencontainers.image.ref.name": "evil",
  };
  const names = ["a:1", "b:1"];
  const index = imageIndex({ ...PLAIN, names, annotations }, BLOB);
  assert.ok(!JSON.stringify(index).includes("evil"));
});

Deno.test("unsupportedByOci() is empty", () => {
  assert.deepEqual(unsupportedByOci(FULL), []);
});

const needed = lacking("skopeo", "umoci");

Deno.test({
  ...unlessMissing(
    "imageIndex() and imageManifest() are read by skopeo and umoci",
    needed,
  ),
  async fn() {
    assertNothingMissing(needed);
    const folder = await Deno.makeTempDir();
    try {
      const blobs = `${folder}/blobs/sha256`;
      await Deno.mkdir(blobs, { recursive: true });
      const store = async (content: Uint8Array) => {
        const digest = createHash("sha256").update(content).digest("hex");
        await Deno.writeFile(`${blobs}/${digest}`, content);
        return { digest, size: content.length };
      };
      const document = (value: object) =>
        store(new TextEncoder().encode(jsonText(value)));
      const write = (name: string, value: object) =>
        Deno.writeTextFile(`${folder}/${name}`, jsonText(value));

      const image = { ...FULL, architecture: "amd64", variant: undefined };
      // Twenty empty blocks are the tar of no files.
      const layers = [await store(new Uint8Array(10240))];
      const config = imageConfig(image, layers);
      const configBlob = await document(config);
      const manifest = imageManifest(image, layers, configBlob);
      await write("oci-layout", ociLayout());
      await write("index.json", imageIndex(image, await document(manifest)));
      await write(
        "manifest.json",
        dockerManifest(image, layers, configBlob.digest),
      );

      assert.equal(
        await run("umoci", ["ls", "--layout", folder]),
        "1.0\nlatest\n",
      );
      const [entry] = JSON.parse(
        await run("umoci", ["stat", "--json", "--image", `${folder}:1.0`]),
      ).history;
      assert.equal(entry.created_by, "made by hand");
      assert.equal(entry.diff_id, `sha256:${layers[0]!.digest}`);

      const archive = `${folder}.tar`;
      await run("tar", ["cf", archive, "-C", folder, "."]);
      try {
        for (
          const source of [
            `oci:${folder}:1.0`,
            `oci-archive:${archive}:latest`,
            `docker-archive:${archive}:isoc/hello:1.0`,
            `docker-archive:${archive}:localhost:5000/app/hello:1.0`,
          ]
        ) {
          const read = JSON.parse(
            await run("skopeo", ["inspect", "--config", "--raw", source]),
          );
          // Undefined fields are not in the text.
          assert.deepEqual(read, JSON.parse(jsonText(config)), source);
        }
        const raw = JSON.parse(
          await run("skopeo", ["inspect", "--raw", `oci:${folder}:1.0`]),
        );
        assert.deepEqual(raw, manifest);
      } finally {
        await Deno.remove(archive);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
