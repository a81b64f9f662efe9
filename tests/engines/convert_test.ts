// Archives that other tools really wrote, converted to isocs and built upon.
// What cannot run here is ignored, with the reason on standard error.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { utf8 } from "../../lib/streams/bytes.ts";
import { CISO, ciso, ROOT, temporary } from "../support/ciso.ts";
import { dockerForAll, ignoreTrees } from "../support/every_engine.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { isocOf2015 } from "../support/script_2015.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";
import {
  appcManifest,
  appcValidate,
  bundleTree,
  gnuTree,
} from "../support/tree.ts";

const lacking = Deno.uid() !== 0
  ? "not run by root"
  : ["docker", "dockerd", "skopeo", "podman", "buildah", "umoci", "busybox"]
    .filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (lacking) console.warn(`Nothing is converted: ${lacking}`);

/** ciso with the right to start zstd, which Deno needs for zstd layers. */
const WITH_ZSTD = CISO.flatMap((word) =>
  word === "--no-prompt" ? [word, "--allow-run=zstd"] : [word]
);

/** Runs ciso, which must go well, and gives what it says. */
async function made(...args: string[]): Promise<string> {
  const { code, stderr } = await ciso(args, { command: WITH_ZSTD });
  assert.equal(code, 0, stderr);
  return stderr;
}

/** Runs ciso, which must fail in one line, and gives that. */
async function failed(...args: string[]): Promise<string> {
  await using work = await temporary();
  const out = `${work.path}/out.isoc`;
  const { code, stdout, stderr } = await ciso([...args, "-o", out], {
    command: WITH_ZSTD,
    env: { TMPDIR: work.path },
  });
  assert.equal(stdout, "");
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^ciso: .*\n$/);
  assert.deepEqual([...Deno.readDirSync(work.path)], [], "Something is left");
  return stderr.slice("ciso: ".length, -1);
}

/** What the image prints. */
const PRINTED = "second\nonly\n7\n/srv\nhello from the image\n";
const COMMAND = "cat /etc/first; ls /data; id -u; pwd; echo $GREETING";
const NAME = "isoc/convert:1.0";

/** Makes an image of two layers in Docker: files replaced, deleted, added. */
async function dockerImage(
  docker: (...args: string[]) => Promise<string>,
  folder: string,
): Promise<void> {
  const rootfs = `${folder}/rootfs.tar`;
  await run(`${ROOT}/scripts/rootfs`, ["busybox", rootfs]);
  const change = (...lines: string[]) =>
    lines.map((line) => `--change=${line}`);
  await docker(
    "import",
    ...change('CMD ["/bin/sh"]', "ENV PATH=/bin GREETING=hello"),
    rootfs,
    "lowest",
  );
  const script = "mkdir /data /srv && echo first >/etc/first && " +
    "touch /data/gone /data/only && chmod 700 /srv && chown 7 /srv";
  const container = async (image: string, script: string) => {
    const args = ["--name=maker", "--network=none", image];
    await docker("run", ...args, "/bin/sh", "-c", script);
  };
  await container("lowest", script);
  await docker("commit", "maker", "middle");
  await docker("rm", "maker");
  await container("middle", "rm /data/gone && echo second >/etc/first");
  await docker(
    "commit",
    ...change(
      'ENTRYPOINT ["/bin/sh", "-c"]',
      `CMD [${JSON.stringify(COMMAND)}]`,
      'ENV GREETING="hello from the image"',
      "USER 7:8",
      "WORKDIR /srv",
      'LABEL org.example.a="b c" other=1',
      "EXPOSE 80 53/udp",
      "VOLUME /var/lib/app",
      "ONBUILD RUN true",
    ),
    "--author=Jane",
    "--message=the last one",
    "maker",
    NAME,
  );
  await docker("rm", "maker");
}

/** An image's config as skopeo reads it, byte for byte. */
function configOf(reference: string): Promise<string> {
  return run("skopeo", ["inspect", "--config", "--raw", reference]);
}

/** An appc image manifest, with all that a rootfs for Linux needs. */
function aciManifest(app: object, more: object = {}): object {
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

/** JSON of which the test knows what is in it. */
// deno-lint-ignore no-explicit-any
type Loose = any;

interface Case {
  /** The image file. */
  file: string;
  /** How skopeo calls it; its config must be kept. */
  reference: string;
  /** What goes on ciso's command line besides. */
  options?: string[] | undefined;
  /** The name that it has, where a tool has changed it. */
  name?: string | undefined;
}

Deno.test({
  name: "ciso convert keeps images of real tools as they are",
  // Where an engine is required, so are the tools beside it.
  ignore: lacking !== undefined && required.length === 0,
  async fn(t) {
    assert.equal(lacking, undefined);
    await using work = await temporary();
    await using daemon = await dockerForAll();
    assert.equal(daemon.reason, undefined, "Docker is installed");
    const at = (name: string) => `${work.path}/${name}`;
    const docker = (...args: string[]) =>
      run("docker", args, { env: { DOCKER_HOST: daemon.host } });
    await dockerImage(docker, work.path);
    const saved = at("docker.tar");
    await docker("save", "-o", saved, NAME);
    const out = at("out.isoc");

    const check = async (
      { file, reference, options = [], name = NAME }: Case,
    ) => {
      const said = await made("convert", file, ...options, "-o", out, "-v");
      assert.equal(
        said.match(/the layer is the input, /g)?.length,
        3,
        said,
      );
      const verified = await ciso(["verify", file, out]);
      assert.equal(verified.code, 0, verified.stdout + verified.stderr);
      const config = await configOf(reference);
      assert.equal(await configOf(`docker-archive:${out}`), config);
      assert.equal(await configOf(`oci-archive:${out}`), config);
      const loaded = await docker("load", "-i", out);
      assert.equal(loaded, `Loaded image: ${name}\n`);
      const id = await docker("image", "inspect", "-f", "{{.Id}}", name);
      const digest = createHash("sha256").update(config).digest("hex");
      assert.equal(id.trim(), `sha256:${digest}`);
      assert.equal(
        await docker("run", "--rm", "--network=none", name),
        PRINTED,
      );
      await docker("image", "rm", "-f", name);
    };

    await t.step("docker save", async () => {
      await check({ file: saved, reference: `docker-archive:${saved}` });
    });
    await t.step("docker save, through standard input", async () => {
      const first = await Deno.readFile(out);
      const { code, stderr } = await ciso(["convert", "-", "-o", out], {
        stdin: await Deno.readFile(saved),
        // These are for what is made of a rootfs.
        env: { NAME: "Machine", COMMAND: "x", SOURCE_DATE_EPOCH: "7" },
      });
      assert.equal(code, 0, stderr);
      assert.ok(Buffer.from(first).equals(await Deno.readFile(out)));
    });
    await t.step("docker save, compressed", async () => {
      await run("gzip", ["-k", saved]);
      const file = `${saved}.gz`;
      await check({ file, reference: `docker-archive:${saved}` });
    });

    const skopeo = (...args: string[]) =>
      run("skopeo", [
        "--insecure-policy",
        `--tmpdir=${work.path}`,
        "copy",
        "--quiet",
        ...args,
      ]);
    const tag = ["-t", NAME];
    const source = `docker-archive:${saved}:${NAME}`;
    await t.step("skopeo copy to an OCI layout, gzip", async () => {
      await skopeo(source, `oci:${at("gzip")}:1.0`);
      const file = at("gzip");
      await check({ file, reference: `oci:${file}:1.0`, options: tag });
      const { code, stderr } = await ciso(["convert", file, "-o", out]);
      assert.equal(code, 2);
      assert.match(stderr, /^ciso: The image has no name of its own: give it/);
    });
    await t.step("skopeo copy to an OCI layout, zstd", async () => {
      const file = at("zstd");
      await skopeo("--dest-compress-format=zstd", source, `oci:${file}:1.0`);
      await check({ file, reference: `oci:${file}:1.0`, options: tag });
    });
    await t.step("skopeo copy to an OCI archive", async () => {
      const file = at("oci.tar");
      await skopeo(source, `oci-archive:${file}:${NAME}`);
      await check({ file, reference: `oci-archive:${file}` });
    });
    await t.step("skopeo copy to a Docker archive", async () => {
      const file = at("skopeo.tar");
      await skopeo(source, `docker-archive:${file}:${NAME}`);
      await check({ file, reference: `docker-archive:${file}` });
    });

    await t.step("podman save, both formats", async () => {
      const conf = at("containers.conf");
      await Deno.writeTextFile(
        conf,
        `[engine]\nlock_type = "file"\nimage_copy_tmp_dir = "${work.path}"\n`,
      );
      const podman = (...args: string[]) =>
        run("podman", [
          `--root=${at("store")}`,
          `--runroot=${at("run")}`,
          `--tmpdir=${at("tmp")}`,
          "--storage-driver=vfs",
          "--events-backend=none",
          "--cgroup-manager=cgroupfs",
          ...args,
        ], { env: { CONTAINERS_CONF: conf } });
      await podman("pull", "-q", source);
      for (const kind of ["docker-archive", "oci-archive"]) {
        const file = at(`podman-${kind}.tar`);
        await podman("save", "-q", `--format=${kind}`, "-o", file, NAME);
        // podman puts this in front of names without a registry.
        const name = `localhost/${NAME}`;
        await check({ file, reference: `${kind}:${file}`, name });
      }
    });
    await t.step("buildah push", async () => {
      const file = at("buildah");
      const buildah = (...args: string[]) =>
        run("buildah", [
          `--root=${at("store")}`,
          `--runroot=${at("run")}`,
          "--storage-driver=vfs",
          ...args,
        ]);
      await buildah("pull", "-q", source);
      await buildah("push", "-q", NAME, `oci:${file}:1.0`);
      await check({ file, reference: `oci:${file}:1.0`, options: tag });
    });
    await t.step("umoci, changed and repacked", async () => {
      const file = at("gzip");
      const image = ["--image", `${file}:1.0`];
      await run("umoci", ["unpack", ...image, at("bundle")]);
      await Deno.writeTextFile(at("bundle/rootfs/etc/first"), "second\n");
      await run("rm", ["-r", at("bundle/rootfs/usr")]);
      await run("umoci", ["repack", ...image, at("bundle")]);
      await run("umoci", ["config", ...image, "--config.label=umoci=yes"]);
      const said = await made("convert", file, ...tag, "-o", out, "-v");
      assert.equal(said.match(/the layer is the input, /g)?.length, 4, said);
      const config = await configOf(`oci:${file}:1.0`);
      assert.equal(await configOf(`docker-archive:${out}`), config);
      await docker("load", "-i", out);
      assert.equal(
        await docker("run", "--rm", "--network=none", NAME),
        PRINTED,
      );

      await run("tar", ["-C", file, "-cf", at("umoci.tar"), "."]);
      await docker("image", "rm", "-f", NAME);
      const first = await Deno.readFile(out);
      await made("convert", at("umoci.tar"), ...tag, "-o", out);
      assert.ok(Buffer.from(first).equals(await Deno.readFile(out)));
    });
    await t.step("docker save of Docker 25 and newer", async () => {
      // An OCI layout and the older manifest.json in one, the layers plain.
      const parts = ["blobs", "index.json", "manifest.json", "oci-layout"];
      await made("convert", saved, "-o", out);
      await Deno.mkdir(at("newer"));
      await run("tar", ["-C", at("newer"), "-xf", out, ...parts]);
      const path = at("newer/manifest.json");
      const [entry] = JSON.parse(await Deno.readTextFile(path));
      entry.LayerSources = {};
      await Deno.writeTextFile(path, JSON.stringify([entry]));
      const file = at("newer.tar");
      await run("tar", ["-C", at("newer"), "-cf", file, ...parts]);
      await check({ file, reference: `docker-archive:${saved}` });
      await Deno.remove(at("newer/index.json"));
      await run("tar", [
        "-C",
        at("newer"),
        "-cf",
        file,
        ...parts.slice(0, 1),
        parts[2]!,
      ]);
      await check({ file, reference: `docker-archive:${saved}` });
    });
    await t.step("an archive of the script of 2015", async () => {
      const file = at("2015.isoc");
      const name = "isoc/old";
      await isocOf2015(at("rootfs.tar"), file, name, ["/bin/echo", "old"]);
      await made("convert", file, "-o", out);
      await docker("load", "-i", out);
      const args = ["run", "--rm", "--network=none", name];
      assert.equal(await docker(...args), "old\n");
      await Deno.remove(file);
    });
    await t.step("an ACI", async () => {
      const file = at("image.aci");
      await Deno.mkdir(at("aci/rootfs"), { recursive: true });
      await run("tar", ["-C", at("aci/rootfs"), "-xf", at("rootfs.tar")]);
      await Deno.writeTextFile(
        at("aci/manifest"),
        JSON.stringify(aciManifest({
          exec: ["/bin/sh", "-c", "id -u; id -g; pwd; echo $A"],
          user: "3",
          group: "4",
          environment: [{ name: "A", value: "b c" }],
          workingDirectory: "/tmp",
        })),
      );
      await run("tar", ["-C", at("aci"), "-czf", file, "manifest", "rootfs"]);
      await appcValidate(file);
      await made("convert", file, "-o", out);
      await docker("load", "-i", out);
      assert.equal(
        await docker("run", "--rm", "--network=none", "example.com/app:1.2.3"),
        "3\n4\n/tmp\nb c\n",
      );
    });
    await t.step("an isoc", async () => {
      const first = at("first.isoc");
      await made("convert", saved, "-o", first);
      await made("convert", first, "-o", out);
      const bytes = Buffer.from(await Deno.readFile(first));
      assert.ok(bytes.equals(await Deno.readFile(out)));
    });
    await t.step("with options, and a layer on top", async () => {
      await Deno.mkdir(at("new/etc"), { recursive: true });
      await Deno.writeTextFile(at("new/etc/first"), "third\n");
      await run("tar", ["-C", at("new"), "-cf", at("new.tar"), "etc"]);
      const args = [
        "--from",
        saved,
        "--layer",
        at("new.tar"),
        "-e",
        "GREETING=x",
      ];
      await made("build", ...args, "-t", "isoc/upon", "-o", out);
      await docker("load", "-i", out);
      assert.equal(
        await docker("run", "--rm", "--network=none", "isoc/upon"),
        PRINTED.replace("second", "third").replace(/hello.*/, "x"),
      );
      const before = JSON.parse(await configOf(`docker-archive:${saved}`));
      const after = JSON.parse(await configOf(`docker-archive:${out}`));
      assert.deepEqual(
        after.rootfs.diff_ids.slice(0, 3),
        before.rootfs.diff_ids,
      );
      assert.deepEqual(after.history.slice(0, -1), before.history);
      const { Env, ...rest } = after.config;
      assert.deepEqual(Env, ["PATH=/bin", "GREETING=x"]);
      for (const [key, value] of Object.entries(rest)) {
        assert.deepEqual(value, before.config[key], key);
      }
    });
  },
});

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

/** The image config of an isoc, or its OCI image manifest. */
async function document(
  archive: string,
  which: "docker" | "oci",
): Promise<Loose> {
  const read = async (path: string) =>
    JSON.parse(await run("tar", ["-xOf", archive, path]));
  if (which === "docker") {
    const [entry] = await read("manifest.json");
    return await read(entry.Config);
  }
  const { manifests } = await read("index.json");
  return await read(`blobs/${manifests[0].digest.replace(":", "/")}`);
}

type Json = Record<string, unknown>;

/** An OCI image layout in a directory, to be damaged. */
class Layout {
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

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const NAMED = { "io.containerd.image.name": "docker.io/isoc/made:1" };

const indexOf = (manifests: Json[]) => ({ schemaVersion: 2, manifests });

/** Makes an image layout with nothing in it. */
async function emptyLayout(path: string): Promise<Layout> {
  await Deno.mkdir(`${path}/blobs/sha256`, { recursive: true });
  const layout = new Layout(path);
  await layout.write("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
  return layout;
}

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
