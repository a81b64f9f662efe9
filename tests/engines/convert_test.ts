// Archives that other tools really wrote, converted to isocs and built upon.
// What cannot run here is ignored, with the reason on standard error.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { aciManifest } from "../support/aci_manifest.ts";
import { ciso, ROOT, temporary } from "../support/ciso.ts";
import { made } from "../support/converting.ts";
import { dockerForAll } from "../support/every_engine.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { isocOf2015 } from "../support/script_2015.ts";
import { appcValidate } from "../support/tree.ts";

const lacking = Deno.uid() !== 0
  ? "not run by root"
  : ["docker", "dockerd", "skopeo", "podman", "buildah", "umoci", "busybox"]
    .filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (lacking) console.warn(`Nothing is converted: ${lacking}`);

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
