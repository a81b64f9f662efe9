import { createHash } from "node:crypto";
import { utf8 } from "../../lib/streams/bytes.ts";
import type { Loose } from "./converting.ts";

export type Json = Record<string, unknown>;

/** An OCI image layout in a directory, to be damaged. */
export class Layout {
  constructor(readonly path: string) {}

  /** Puts bytes among the blobs and gives their descriptor. */
  async add(mediaType: string, data: string | Uint8Array): Promise<Json> {
    const bytes = typeof data === "string" ? utf8(data) : data;
    const hex = createHash("sha256").update(bytes).digest("hex");
    await Deno.writeFile(`${this.path}/blobs/sha256/${hex}`, bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  /** Adds an image and gives its descriptor. */
  async image(
    layers: Uint8Array[],
    { config = {}, stored = layers, type = "" }: {
      config?: Json;
      /** The layers as the layout must hold them. */
      stored?: Uint8Array[];
      /** What the layers' media type ends with. */
      type?: string;
    } = {},
  ): Promise<Json> {
    const document = {
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/bin/true"] },
      rootfs: {
        type: "layers",
        diff_ids: layers.map((layer) =>
          `sha256:${createHash("sha256").update(layer).digest("hex")}`
        ),
      },
      ...config,
    };
    return await this.add(
      MANIFEST_TYPE,
      JSON.stringify({
        schemaVersion: 2,
        config: await this.add(CONFIG_TYPE, JSON.stringify(document)),
        layers: await Promise.all(
          stored.map((bytes) => this.add(LAYER_TYPE + type, bytes)),
        ),
      }),
    );
  }

  async index(...manifests: Json[]): Promise<void> {
    await this.write("index.json", JSON.stringify(indexOf(manifests)));
  }

  write(path: string, text: string): Promise<void> {
    return Deno.writeTextFile(`${this.path}/${path}`, text);
  }

  /** The file of a blob. */
  file({ digest }: Json): string {
    return `${this.path}/blobs/${String(digest).replace(":", "/")}`;
  }

  /** Reads a blob that is JSON. */
  async read(descriptor: Json): Promise<Loose> {
    return JSON.parse(await Deno.readTextFile(this.file(descriptor)));
  }
}

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";

const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";

export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

export const NAMED = { "io.containerd.image.name": "docker.io/isoc/made:1" };

export const indexOf = (manifests: Json[]) => ({ schemaVersion: 2, manifests });

/** Makes an image layout with nothing in it. */
export async function emptyLayout(path: string): Promise<Layout> {
  await Deno.mkdir(`${path}/blobs/sha256`, { recursive: true });
  const layout = new Layout(path);
  await layout.write("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
  return layout;
}
