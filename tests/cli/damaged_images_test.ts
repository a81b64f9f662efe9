// Images that are damaged, one fault each: ciso convert names file and fault.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { utf8 } from "../../lib/streams/bytes.ts";
import { temporary } from "../support/ciso.ts";
import { failed } from "../support/converting.ts";
import {
  emptyLayout,
  INDEX_TYPE,
  indexOf,
  type Json,
  type Layout,
  MANIFEST_TYPE,
  NAMED,
} from "../support/oci_layout.ts";
import { run } from "../support/run.ts";
import { tarOf } from "../support/tar_writer.ts";

const FIRST = tarOf([{ name: "first", data: "1" }]);

const SECOND = tarOf([{ name: "second", data: "2".repeat(3000) }]);

/** What may be wrong with an image, and what the message says after its name. */
const WRONG: Record<string, {
  damage: (layout: Layout, image: Json) => Promise<unknown>;
  message: RegExp;
}> = {
  "a manifest is damaged": {
    damage: (layout, image) =>
      Deno.writeTextFile(layout.file(image), " ", { append: true }),
    message:
      /^: blobs\/sha256\/\w{64} is damaged: its digest is sha256:\w{64}$/,
  },
  "a config is damaged": {
    damage: async (layout, image) => {
      const { config } = await layout.read(image);
      await Deno.writeTextFile(layout.file(config), "{}");
    },
    message:
      /^: blobs\/sha256\/\w{64} is damaged: its digest is sha256:\w{64}$/,
  },
  "a layer is damaged": {
    damage: async (layout, image) => {
      const { layers } = await layout.read(image);
      const bytes = SECOND.slice();
      bytes[600]! ^= 1;
      await Deno.writeFile(layout.file(layers[1]), bytes);
    },
    message:
      /^, layer 2: It is damaged: its digest is sha256:\w{64}, but the image says sha256:\w{64}; fetch the image again$/,
  },
  "a layer is cut short": {
    damage: async (layout, image) => {
      const { layers } = await layout.read(image);
      await Deno.truncate(layout.file(layers[1]), 2000);
    },
    message: /^, layer 2: The input is cut short/,
  },
  "a layer is empty": {
    damage: async (layout, image) => {
      const { layers } = await layout.read(image);
      await Deno.truncate(layout.file(layers[0]), 0);
    },
    message: /^, layer 1: The input is empty; make or fetch it again$/,
  },
  "a layer is missing": {
    damage: async (layout, image) => {
      const { layers } = await layout.read(image);
      await Deno.remove(layout.file(layers[1]));
    },
    message: /^: The layer blobs\/sha256\/\w{64} is missing$/,
  },
  "a config is missing": {
    damage: async (layout, image) => {
      const { config } = await layout.read(image);
      await Deno.remove(layout.file(config));
    },
    message: /^: blobs\/sha256\/\w{64} is missing$/,
  },
  "a manifest is missing": {
    damage: (layout, image) => Deno.remove(layout.file(image)),
    message: /^: blobs\/sha256\/\w{64} is missing$/,
  },
  "the index is cut short": {
    damage: (layout) => Deno.truncate(`${layout.path}/index.json`, 40),
    message: /^: index\.json is not JSON: it starts with .+$/,
  },
  "the index is empty": {
    damage: (layout) => layout.index(),
    message: /^: It lists no image$/,
  },
  "the index has an odd digest": {
    damage: (layout, image) =>
      layout.index({ ...image, digest: `sha512:${"0".repeat(128)}` }),
    message:
      /^: index\.json: manifests\[0\]\.digest is "sha512:0+", but must be sha256: and 64 hex digits$/,
  },
  "the image is a Helm chart": {
    damage: async (layout) => {
      const type = "application/vnd.cncf.helm.config.v1+json";
      const config = await layout.add(type, "{}");
      await layout.index(
        await layout.add(MANIFEST_TYPE, JSON.stringify({ config, layers: [] })),
      );
    },
    message: /^: It is no container image: its config is application.*helm.*$/,
  },
  "gzip data are damaged": {
    damage: async (layout) => {
      const bytes = gzipSync(SECOND);
      bytes[bytes.length >> 1]! ^= 0xff;
      await layout.index(
        await layout.image([FIRST, SECOND], { stored: [FIRST, bytes] }),
      );
    },
    message:
      /^, layer 2: the gzip data are damaged or cut short; make or fetch it again$/,
  },
  "gzip data are cut short": {
    damage: async (layout) => {
      const bytes = gzipSync(SECOND).subarray(0, 40);
      await layout.index(
        await layout.image([FIRST, SECOND], { stored: [FIRST, bytes] }),
      );
    },
    message:
      /^, layer 2: the gzip data are damaged or cut short; make or fetch it again$/,
  },
  "a compressed layer has another digest": {
    damage: async (layout) => {
      const stored = [gzipSync(FIRST, { level: 1 }), gzipSync(SECOND)];
      const image = await layout.image([FIRST, SECOND], { stored });
      const { layers } = await layout.read(image);
      await Deno.writeFile(
        layout.file(layers[0]),
        gzipSync(FIRST, { level: 0 }),
      );
      await layout.index({ ...image, annotations: NAMED });
    },
    message: /^, layer 1 is damaged: its digest is not sha256:\w{64}$/,
  },
  "a compressed layer is another one": {
    damage: async (layout) => {
      const stored = [gzipSync(SECOND), gzipSync(SECOND)];
      const image = await layout.image([FIRST, SECOND], { stored });
      await layout.index({ ...image, annotations: NAMED });
    },
    message:
      /^, layer 1: It is damaged: its digest is sha256:\w{64}, but the image says sha256:\w{64}; fetch the image again$/,
  },
  "a plain layer is another one": {
    damage: async (layout) => {
      const stored = [SECOND, SECOND];
      await layout.index(await layout.image([FIRST, SECOND], { stored }));
    },
    message:
      /^: Layer 1 is damaged: it is uncompressed, but its digest sha256:\w{64} is not its diff ID sha256:\w{64}$/,
  },
  "the config lists fewer layers": {
    damage: async (layout) => {
      await layout.index(
        await layout.image([FIRST], { stored: [FIRST, SECOND] }),
      );
    },
    message: /^: The image has 2 layers, but its config lists 1$/,
  },
  "there are no layers": {
    damage: async (layout) => layout.index(await layout.image([])),
    message: /^: The image has no layers: put one on it, /,
  },
  "the config has fields of other types": {
    damage: async (layout) => {
      const config = { config: { Cmd: { "/bin/true": 1 } } };
      await layout.index(await layout.image([FIRST], { config }));
    },
    message:
      /^: blobs\/sha256\/\w{64}: config\.Cmd is an object, but must be a list$/,
  },
  "a layer is no tar": {
    damage: async (layout) => {
      const text = utf8("This is no tar.\n".repeat(100));
      const image = await layout.image([FIRST, text]);
      await layout.index({ ...image, annotations: NAMED });
    },
    message: /^, layer 2: The input is not a tar archive, but text: /,
  },
  "there are several images": {
    damage: async (layout, image) => {
      const platform = { os: "linux", architecture: "arm64" };
      await layout.index(
        { ...image, platform: { ...platform, architecture: "amd64" } },
        { ...await layout.image([FIRST]), platform },
      );
    },
    message: /^: Two images in it say that they are for linux\/amd64$/,
  },
  "indexes hold each other": {
    damage: async (layout, image) => {
      let inner = image;
      for (let i = 0; i < 8; i++) {
        const text = JSON.stringify(indexOf([inner]));
        inner = await layout.add(INDEX_TYPE, text);
      }
      await layout.index(inner);
    },
    message: /^: Its image indexes never end$/,
  },
  "there is no layout": {
    damage: async (layout) => {
      await Deno.remove(`${layout.path}/index.json`);
    },
    message: /^: It is no image: there is no index\.json .*$/,
  },
  "manifest.json lists two images": {
    damage: async (layout) => {
      await Deno.remove(`${layout.path}/index.json`);
      await layout.write(
        "manifest.json",
        '[{ "Config": "a", "RepoTags": ["a:1"] }, { "Config": "a" }]',
      );
    },
    message: /^: a is missing$/,
  },
  "manifest.json leads out of the archive": {
    damage: async (layout) => {
      await Deno.remove(`${layout.path}/index.json`);
      const entry = { Config: "../../../etc/hostname", Layers: [] };
      await layout.write("manifest.json", JSON.stringify([entry]));
    },
    message: /^: \.\.\/.* is missing$/,
  },
  "manifest.json names a damaged config": {
    damage: async (layout) => {
      await Deno.remove(`${layout.path}/index.json`);
      const Config = `${"0".repeat(64)}.json`;
      await layout.write(Config, "{}");
      await layout.write(
        "manifest.json",
        JSON.stringify([{ Config, Layers: [] }]),
      );
    },
    message: /^: 0{64}\.json is damaged: its digest is sha256:\w{64}$/,
  },
  "it is an archive of Docker 1.9 without images": {
    damage: async (layout) => {
      await Deno.remove(`${layout.path}/index.json`);
      await layout.write("repositories", "{}");
    },
    message: /^: repositories names no image$/,
  },
};

for (const [what, { damage, message }] of Object.entries(WRONG)) {
  Deno.test(`ciso convert tells where ${what}`, async () => {
    await using work = await temporary();
    const layout = await emptyLayout(`${work.path}/layout`);
    const image = await layout.image([FIRST, SECOND]);
    await layout.index({ ...image, annotations: NAMED });
    await damage(layout, image);
    const file = `${work.path}/layout.tar`;
    await run("tar", ["-C", layout.path, "-cf", file, "."]);
    for (const path of [layout.path, file]) {
      const said = await failed("convert", path, "-t", "isoc/wrong");
      assert.ok(said.startsWith(path), said);
      assert.match(said.slice(path.length), message);
    }
  });
}

Deno.test("ciso convert tells what is no image at all", async () => {
  await using work = await temporary();
  const file = `${work.path}/file`;
  const tag = ["-t", "isoc/wrong"];
  await Deno.writeTextFile(file, "text\n".repeat(200));
  assert.equal(
    await failed("convert", file, ...tag),
    `${file}: It is not an image, but text: give a tar or a directory`,
  );
  await Deno.writeTextFile(file, "");
  assert.equal(
    await failed("convert", file, ...tag),
    `${file}: It is empty; make or fetch it again`,
  );
  await Deno.writeFile(file, FIRST);
  assert.match(await failed("convert", file, ...tag), /: It is no image: /);
  assert.equal(
    await failed("convert", `${file}s`, ...tag),
    `Cannot read ${file}s: no such file or directory`,
  );
  assert.match(
    await failed("convert", work.path, ...tag),
    /: It is no image: /,
  );
});
