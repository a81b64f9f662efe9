/** An appc image manifest, with all that a rootfs for Linux needs. */
export function aciManifest(app: object, more: object = {}): object {
  return {
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name: "example.com/app",
    labels: [
      { name: "version", value: "1.2.3" },
      { name: "os", value: "linux" },
      { name: "arch", value: "aarch64" },
    ],
    app,
    ...more,
  };
}
