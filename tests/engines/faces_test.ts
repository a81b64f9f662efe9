import assert from "node:assert/strict";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";

const skopeo = lacking("skopeo");
const ROOT = `${import.meta.dirname}/../..`;
const TEXT = "make container not war";

/** Builds an archive of a busybox tree with some faces only. */
async function archiveWith(dir: string, faces: string): Promise<string> {
  const rootfs = `${dir}/rootfs.tar`;
  await run(`${ROOT}/scripts/rootfs`, ["busybox", rootfs]);
  const archive = `${dir}/${faces.replaceAll(",", "-")}.isoc`;
  await run(Deno.execPath(), [
    "run",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    `${ROOT}/main.ts`,
    rootfs,
    ...["-t", "isoc/hello:1.0", "-o", archive, "--faces", faces],
    ...["--", "/bin/echo", ...TEXT.split(" ")],
  ]);
  return archive;
}

/** The archive's entries, digests and files below rootfs/ folded. */
async function entriesOf(archive: string): Promise<string[]> {
  const names = (await run("tar", ["-tf", archive])).trim().split("\n");
  const files = names.filter((name) => /^rootfs\/./.test(name));
  return [
    ...names.filter((name) => !files.includes(name)).map((name) =>
      name.replace(/[0-9a-f]{64}/, "ID")
    ),
    ...files.filter((name) =>
      /^rootfs\/(VERSION|json|layer.tar|bin\/busybox)$/.test(name)
    ),
  ].sort();
}

const BLOBS = ["blobs/", "blobs/sha256/", "blobs/sha256/ID", "blobs/sha256/ID"];
const ROOTFS = ["rootfs/", "rootfs/bin/busybox"];

const CASES: Record<string, string[]> = {
  appc: ["manifest", ...ROOTFS],
  docker: ["manifest.json", ...BLOBS],
  "docker-v1": ["ID/", "ID/VERSION", "ID/json", "ID/layer.tar", "repositories"],
  oci: ["oci-layout", "index.json", ...BLOBS, "blobs/sha256/ID"],
  bundle: ["config.json", ...ROOTFS],
  lxd: ["metadata.yaml", ...ROOTFS],
  "docker,oci": [
    "manifest.json",
    "oci-layout",
    "index.json",
    ...BLOBS,
    "blobs/sha256/ID",
  ],
  "appc,docker-v1": [
    "manifest",
    "repositories",
    ...ROOTFS,
    "rootfs/VERSION",
    "rootfs/json",
    "rootfs/layer.tar",
  ],
};

for (const [faces, expected] of Object.entries(CASES)) {
  Deno.test(`ciso --faces ${faces} writes these parts and no other`, async (t) => {
    const dir = await Deno.makeTempDir();
    try {
      const archive = await archiveWith(dir, faces);
      assert.deepEqual(await entriesOf(archive), [...expected].sort());
      const transport = faces.startsWith("docker") && faces !== "docker-v1"
        ? "docker-archive"
        : faces === "oci"
        ? "oci-archive"
        : undefined;
      if (!transport) return;
      const step = async () => {
        assertNothingMissing(skopeo);
        const config = JSON.parse(
          await run("skopeo", [
            ...["--tmpdir", dir, "inspect", "--config"],
            `${transport}:${archive}`,
          ]),
        );
        assert.deepEqual(config.config.Cmd, ["/bin/echo", ...TEXT.split(" ")]);
      };
      await t.step({ ...unlessMissing("skopeo reads it", skopeo), fn: step });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

Deno.test("ciso --faces refuses a part that it does not know", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await assert.rejects(
      archiveWith(dir, "oci,rocket"),
      /exit code 2:\nciso: --faces: "rocket" is not one of appc, docker/,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
