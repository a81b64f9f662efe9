import { digestOf, FakeRegistry } from "./fake_registry.ts";
import { tarOf } from "./tar_writer.ts";

/** The layer of {@linkcode fill}'s image. */
export const LAYER = tarOf([
  { name: "etc/motd", data: "hello\n" },
  { name: "noise", data: "x".repeat(300_000) },
]) as Uint8Array<ArrayBuffer>;

/** Fills a registry with an image of one layer, `me/app:1`. */
export function fill(registry: FakeRegistry, layer = LAYER): void {
  const text = new TextEncoder();
  const config = text.encode(JSON.stringify({
    ...{ architecture: "amd64", os: "linux" },
    config: { Cmd: ["/etc/motd"] },
    rootfs: { type: "layers", diff_ids: [digestOf(LAYER)] },
  }));
  registry.blobs.set(digestOf(LAYER), layer);
  registry.blobs.set(digestOf(config), config);
  const type = "application/vnd.oci.image.manifest.v1+json";
  const bytes = text.encode(JSON.stringify({
    ...{ schemaVersion: 2, mediaType: type },
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(config),
      size: config.length,
    },
    layers: [{
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: digestOf(LAYER),
      size: LAYER.length,
    }],
  }));
  registry.manifests.set("1", { type, bytes });
}

/** A registry with the image of {@linkcode fill}, which asks for a login. */
export function loginRegistry(user: string, password: string): FakeRegistry {
  const login = `Basic ${btoa(`${user}:${password}`)}`;
  const registry = new FakeRegistry((request) =>
    request.headers.get("authorization") === login
      ? undefined
      : new Response(null, {
        status: 401,
        headers: { "www-authenticate": 'Basic realm="x"' },
      })
  );
  fill(registry);
  return registry;
}
