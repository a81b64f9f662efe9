// Image indexes that no tool should write, and what becomes of them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ciso, temporary } from "../support/ciso.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: object;
}

type Platform = Record<string, string>;

const OCI = "application/vnd.oci.image";
const linux = (architecture: string): Platform => ({
  os: "linux",
  architecture,
});

/** An OCI image layout in the making. */
class Layout {
  readonly blobs = new Map<string, string>();

  blob(content: string | object): { digest: string; size: number } {
    const data = typeof content === "string"
      ? content
      : JSON.stringify(content);
    const hex = createHash("sha256").update(data).digest("hex");
    this.blobs.set(hex, data);
    return { digest: `sha256:${hex}`, size: data.length };
  }

  /** An image with one layer, which its index may call another platform's. */
  image(platform: Platform, content: string, said = platform): Descriptor {
    const tar = tarOf([{ name: "run", mode: 0o755, data: content }]);
    const layer = this.blob(new TextDecoder().decode(tar));
    const config = this.blob({
      ...platform,
      config: { Cmd: ["/run"] },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    });
    const mediaType = `${OCI}.manifest.v1+json`;
    const manifest = this.blob({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: `${OCI}.config.v1+json`, ...config },
      layers: [{ mediaType: `${OCI}.layer.v1.tar`, ...layer }],
    });
    return { mediaType, ...manifest, platform: said };
  }

  index(...manifests: Descriptor[]): Descriptor {
    const mediaType = `${OCI}.index.v1+json`;
    const document = { schemaVersion: 2, mediaType, manifests };
    return { mediaType, ...this.blob(document) };
  }

  /** The layout as a tar, with one name. */
  tar(top: Descriptor): Uint8Array {
    const annotations = { "io.containerd.image.name": "docker.io/x/y:1" };
    const file = (name: string, data: string): TarEntry => ({ name, data });
    return tarOf([
      file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
      file(
        "index.json",
        JSON.stringify({
          schemaVersion: 2,
          manifests: [{ ...top, annotations }],
        }),
      ),
      ...[...this.blobs].map(([hex, data]) =>
        file(`blobs/sha256/${hex}`, data)
      ),
    ]);
  }
}

/** Converts a layout; gives what is said, and the platforms of the isoc. */
async function converted(make: (layout: Layout) => Descriptor) {
  await using work = await temporary();
  const layout = new Layout();
  await Deno.writeFile(`${work.path}/in.tar`, layout.tar(make(layout)));
  const run = (...args: string[]) => ciso(args, { cwd: work.path });
  const { code, stderr } = await run("convert", "in.tar", "-o", "out.isoc");
  if (code !== 0) return { code, stderr };
  const { stdout } = await run("inspect", "out.isoc", "--json");
  const { images } = JSON.parse(stdout);
  return {
    code,
    stderr,
    platforms: images.map(({ platform }: { platform: Platform }) =>
      platform.architecture
    ).sort(),
  };
}

Deno.test("ciso convert keeps the images that an odd index leads to, each once", async () => {
  const two = ["amd64", "arm64"];
  const { platforms: nested } = await converted((l) =>
    l.index(l.index(...two.map((one) => l.image(linux(one), one))))
  );
  assert.deepEqual(nested, two);
  const { platforms: same } = await converted((l) => {
    const [a, b] = two.map((one) => l.image(linux(one), one));
    return l.index(a!, b!, a!, { ...a!, platform: linux("386") });
  });
  assert.deepEqual(same, two);
  const missing = await converted((l) => {
    const gone = l.image(linux("s390x"), "gone");
    l.blobs.delete(gone.digest.slice(7));
    return l.index(...two.map((one) => l.image(linux(one), one)), gone);
  });
  assert.deepEqual(missing.platforms, two);
  assert.match(missing.stderr, /linux\/s390x is left out: the file lists it/);
  const windows = await converted((l) =>
    l.index(
      ...two.map((one) => l.image(linux(one), one)),
      l.image({ os: "windows", architecture: "amd64" }, "w"),
    )
  );
  assert.deepEqual(windows.platforms, two);
  assert.match(windows.stderr, /windows\/amd64 is left out/);
});

Deno.test("ciso convert names the file whose platforms are wrong", async () => {
  for (
    const [make, message] of [
      [
        (l) =>
          l.index(l.image(linux("amd64"), "a"), l.image(linux("amd64"), "b")),
        /in\.tar: Two images in it say that they are for linux\/amd64/,
      ],
      [
        // The index calls it arm64, and its config does not.
        (l) =>
          l.index(
            l.image(linux("amd64"), "a"),
            l.image(linux("amd64"), "b", linux("arm64")),
          ),
        /in\.tar: Two images in it say that they are for linux\/amd64/,
      ],
      [
        (l) =>
          l.index(
            l.image(linux("amd64"), "a"),
            l.image(linux("\x1b[31m"), "b"),
          ),
        /in\.tar: The architecture of an image is "\\u001b\[31m"/,
      ],
      [
        (l) =>
          l.index(
            l.image({ os: "windows", architecture: "amd64" }, "a"),
            l.image({ os: "windows", architecture: "arm64" }, "b"),
          ),
        /in\.tar: Its images are for Windows/,
      ],
      [
        (l) => {
          let top = l.index(
            l.image(linux("amd64"), "a"),
            l.image(linux("arm64"), "b"),
          );
          for (let i = 0; i < 6; i++) top = l.index(top);
          return top;
        },
        /in\.tar: Its image indexes never end/,
      ],
    ] as [(layout: Layout) => Descriptor, RegExp][]
  ) {
    const { code, stderr } = await converted(make);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  }
});
