// ACIs that ciso convert takes with all that they say, as appc's own code reads
// them.

import assert from "node:assert/strict";
import { aciManifest } from "../support/aci_manifest.ts";
import { temporary } from "../support/ciso.ts";
import { document, made } from "../support/converting.ts";
import { ignoreTrees } from "../support/every_engine.ts";
import { run } from "../support/run.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";
import {
  appcManifest,
  appcValidate,
  bundleTree,
  gnuTree,
} from "../support/tree.ts";

const inRootfs = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({
  name: `rootfs/${name}`,
  data: more.type ? "" : name,
  ...more,
});

Deno.test("ciso convert takes an ACI with all that it says", {
  ignore: ignoreTrees,
}, async () => {
  await using work = await temporary();
  const file = `${work.path}/image.aci`;
  const out = `${work.path}/out.isoc`;
  const manifest = aciManifest({
    exec: ["/bin/a", "b c"],
    user: "0",
    group: "0",
    environment: [{ name: "A", value: "1=2" }],
    workingDirectory: "/srv",
    supplementaryGIDs: [7, 8],
    mountPoints: [{ name: "store", path: "/data", readOnly: true }],
    ports: [
      { name: "web", port: 80, protocol: "tcp", count: 2 },
      { name: "dns", port: 53, protocol: "udp" },
    ],
    userLabels: { "Any key": "x" },
    isolators: [{ name: "os/linux/no-new-privileges", value: true }],
    eventHandlers: [{ name: "pre-start", exec: ["/bin/b"] }],
  }, {
    annotations: [
      { name: "created", value: "2015-06-07T08:09:10Z" },
      { name: "authors", value: "Jane" },
      { name: "homepage", value: "https://example.com" },
    ],
  });
  const entries = [
    { name: "manifest", data: JSON.stringify(manifest) },
    inRootfs("", { type: "5", mode: 0o711, uid: 5 }),
    inRootfs("bin/", { type: "5", mode: 0o755 }),
    inRootfs("bin/a", { mode: 0o755 }),
    inRootfs("bin/b", { type: "1", link: "rootfs/bin/a", mode: 0o755 }),
  ];
  await Deno.writeFile(file, tarOf(entries));
  await appcValidate(file);
  const said = await made("convert", file, "-o", out, "-v");
  assert.match(
    said,
    /Only rkt's face keeps what the ACI says of isolators, eventHandlers, supplementaryGIDs, readOnly\n/,
  );
  assert.match(
    said,
    /oci cannot express: isolators, eventHandlers, supplementaryGIDs, names of mountPoints, readOnly, names of ports\n/,
  );
  assert.match(
    said,
    /layer is not the input: it is what the archive has below rootfs\//,
  );
  const config = await document(out, "docker");
  assert.deepEqual(config, {
    created: "2015-06-07T08:09:10Z",
    author: "Jane",
    architecture: "arm64",
    os: "linux",
    config: {
      ExposedPorts: { "53/udp": {}, "80/tcp": {}, "81/tcp": {} },
      Env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "A=1=2",
      ],
      Cmd: ["/bin/a", "b c"],
      Volumes: { "/data": {} },
      WorkingDir: "/srv",
      Labels: { "Any key": "x" },
    },
    rootfs: config.rootfs,
    history: config.history,
  });
  assert.deepEqual(
    (await document(out, "oci")).annotations,
    { "org.opencontainers.image.url": "https://example.com" },
  );
  await appcManifest(out);
  const written = JSON.parse(await run("tar", ["-xOf", out, "manifest"]));
  const given = JSON.parse(JSON.stringify(manifest));
  assert.deepEqual(written.annotations, given.annotations);
  assert.equal(written.app.environment.shift().name, "PATH");
  assert.deepEqual(written.app, given.app);
  const runtime = JSON.parse(await run("tar", ["-xOf", out, "config.json"]));
  assert.deepEqual(runtime.process.user, {
    uid: 0,
    gid: 0,
    additionalGids: [7, 8],
  });
  const layer = `${work.path}/layer.tar`;
  await run("tar", ["-xf", out, "-C", work.path, "blobs"]);
  await Deno.rename(
    `${work.path}/blobs/${config.rootfs.diff_ids[0].replace(":", "/")}`,
    layer,
  );
  const listing = await run("tar", ["-tvf", layer, "--numeric-owner"]);
  assert.deepEqual(
    listing.trim().split("\n").map((line) =>
      line.replace(/^(\S+) +\S+ +\d+ \S+ \S+ /, "$1 ")
    ),
    [
      "drwx--x--x ./",
      "drwxr-xr-x bin/",
      "-rwxr-xr-x bin/a",
      "hrwxr-xr-x bin/b link to bin/a",
    ],
  );
});

Deno.test("ciso convert shows of an ACI what its whitelist shows", {
  ignore: ignoreTrees,
}, async () => {
  await using work = await temporary();
  const file = `${work.path}/image.aci`;
  const out = `${work.path}/out.isoc`;
  const manifest = aciManifest({ exec: ["/bin/a"], user: "0", group: "0" }, {
    pathWhitelist: ["/bin/b", "/empty/none", "/link", "/bin/d"],
  });
  const entries = [
    { name: "manifest", data: JSON.stringify(manifest) },
    inRootfs("bin/", { type: "5", mode: 0o755 }),
    inRootfs("bin/a"),
    inRootfs("bin/b", { type: "1", link: "rootfs/bin/a" }),
    inRootfs("bin/c"),
    inRootfs("bin/d", { type: "1", link: "rootfs/bin/a" }),
    inRootfs("empty/", { type: "5", mode: 0o755 }),
    inRootfs("hidden/", { type: "2", link: "bin" }),
    inRootfs("link", { type: "2", link: "bin/c" }),
  ];
  await Deno.writeFile(file, tarOf(entries));
  const said = await made("convert", file, "-o", out, "-v");
  assert.match(
    said,
    /files that the ACI's pathWhitelist hides were left out, first "bin\/a"/,
  );
  const options = { ignore: ["json", "VERSION", "layer.tar", "."] };
  const paths = (listing: string) =>
    listing.trim().split("\n").map((line) => line.split(" ")[0]);
  assert.deepEqual(
    paths(await bundleTree(out, options)),
    ["bin", "bin/b", "bin/d", "empty", "link"],
  );
  const { rootfs } = await document(out, "docker");
  await run("tar", ["-xf", out, "-C", work.path, "blobs"]);
  const layer = `${work.path}/blobs/${rootfs.diff_ids[0].replace(":", "/")}`;
  assert.deepEqual(paths(await gnuTree(layer, { ignore: ["."] })), [
    "bin",
    "bin/b",
    "bin/d",
    "empty",
    "link",
  ]);
});
