// ciso inspect, cat and diff on what real tools write: the tree must be the one
// that Docker gives out of a container. What cannot run here is ignored.

import assert from "node:assert/strict";
import { CISO, ciso, ROOT, temporary } from "../support/ciso.ts";
import { dockerForAll } from "../support/every_engine.ts";
import { isInstalled, run } from "../support/run.ts";
import { isocOf2015 } from "../support/script_2015.ts";

const lacking = Deno.uid() !== 0
  ? "not run by root"
  : ["docker", "dockerd", "skopeo", "podman", "buildah", "umoci", "python3"]
    .filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (lacking) console.warn(`Images of real tools are not looked at: ${lacking}`);

/** ciso with the right to start zstd and xz, which Deno needs for them. */
const COMMAND = CISO.flatMap((word) =>
  word === "--no-prompt" ? [word, "--allow-run=zstd,xz,bzip2"] : [word]
);
const NAME = "isoc/inspect:1.0";

/** JSON of which the test knows what is in it. */
// deno-lint-ignore no-explicit-any
type Loose = any;

async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ciso(args, { command: COMMAND });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** A tar's files as lines; hard links as the files that they are. */
const LIST = `
import sys, tarfile
t = tarfile.open(sys.argv[1])
def line(m):
    kind = "d" if m.isdir() else "l" if m.issym() else "c" if m.ischr() else "p" if m.isfifo() else "f"
    n = m
    while n.islnk(): n = t.getmember(n.linkname)
    size = n.size if kind == "f" else 0
    return f"{m.name} {kind} {m.mode & 0o7777:04o} {m.uid}:{m.gid} {size} {m.linkname if m.issym() else ''}"
print("\\n".join(sorted(line(m) for m in t if m.name not in ("", "."))))
`;

/** What Docker puts into each container that it exports. */
const OF_DOCKER =
  /^(\.dockerenv|dev(\/.*)?|proc|sys|etc(\/(hosts|hostname|resolv\.conf|mtab))?) /;

function comparable(text: string): string[] {
  return text.trim().split("\n").map((line) => line.trimEnd())
    .filter((line) => !OF_DOCKER.test(line));
}

/** The same lines, by ciso. */
async function linesOf(file: string, ...options: string[]): Promise<string[]> {
  const files: Loose[] = JSON.parse(
    await printed("inspect", file, "--files", "--json", ...options),
  ).files;
  const byPath = new Map(files.map((file) => [file.path, file]));
  const kinds: Loose = {
    "directory": "d",
    "symlink": "l",
    "character-device": "c",
    "fifo": "p",
  };
  const lines = files.map((file) => {
    const kind = kinds[file.type] ?? "f";
    let content = file;
    while (content.type === "hardlink") content = byPath.get(content.target);
    const size = kind === "f" ? content.size : 0;
    const target = kind === "l" ? file.target : "";
    return `${file.path} ${kind} ${file.mode} ${file.uid}:${file.gid} ${size} ${target}`;
  });
  return comparable(lines.sort().join("\n"));
}

const sorted = (lines: string[]) =>
  lines.toSorted((a, b) => Number(a > b) - Number(a < b));

Deno.test({
  name: "ciso inspect sees the tree that Docker makes of an image",
  ignore: lacking !== undefined,
  async fn(t) {
    await using work = await temporary();
    await using daemon = await dockerForAll();
    if (daemon.reason) return console.warn(daemon.reason);
    const at = (name: string) => `${work.path}/${name}`;
    const docker = (...args: string[]) =>
      run("docker", args, { env: { DOCKER_HOST: daemon.host } });

    await run(`${ROOT}/scripts/rootfs`, ["busybox", at("rootfs.tar")]);
    await docker("import", at("rootfs.tar"), "lowest");
    const container = async (image: string, script: string, name: string) => {
      const args = ["--name=maker", "--network=none", image, "/bin/sh", "-c"];
      await docker("run", ...args, script);
      await docker("commit", "maker", name);
      await docker("rm", "maker");
    };
    await container(
      "lowest",
      "mkdir -p /data/sub /srv && echo first >/etc/first && ln -s data /link && " +
        "touch /data/gone /data/sub/a && mkfifo /data/pipe && chmod 2770 /srv && " +
        "chown 7:8 /srv && ln /etc/first /etc/same && echo x >/data/odd",
      "middle",
    );
    await container(
      "middle",
      "rm /data/gone && echo second >/etc/first && rm -r /data/sub && " +
        "mkdir /data/sub && echo new >/data/sub/b && rm /bin/vi && " +
        "rm /data/odd && mkdir /data/odd && echo y >/data/odd/y && " +
        "echo through >/link/through && rm -r /srv && ln -s /data /srv",
      NAME,
    );
    await docker("create", "--name=flat", NAME, "/bin/sh");
    await docker("export", "-o", at("flat.tar"), "flat");
    const expected = sorted(
      comparable(await run("python3", ["-c", LIST, at("flat.tar")])),
    );
    assert.ok(expected.length > 250);
    const check = async (file: string, kind: string, ...options: string[]) => {
      assert.deepEqual(sorted(await linesOf(file, ...options)), expected);
      const report: Loose = JSON.parse(
        await printed("inspect", file, "--json", ...options),
      );
      assert.equal(report.file.kind, kind);
      assert.deepEqual(report.notes, []);
      assert.equal(
        await printed("cat", file, "/etc/first", ...options),
        "second\n",
      );
      assert.equal(
        await printed("cat", file, "srv/through", ...options),
        "through\n",
      );
      return report;
    };

    const saved = at("docker.tar");
    await docker("save", "-o", saved, NAME);
    await t.step("docker save", async () => {
      const report = await check(saved, "docker-archive");
      assert.equal(report.file.size, (await Deno.stat(saved)).size);
      assert.deepEqual(report.image.names, [NAME]);
      const id = await docker("image", "inspect", "-f", "{{.Id}}", NAME);
      assert.equal(report.image.id, id.trim());
      assert.equal(report.image.layers.length, 3);
      const { wasted, types } = {
        wasted: report.bytes.wasted,
        types: report.tree.types,
      };
      // first, same (a link of it), gone and the like: small, but not nothing.
      assert.ok(wasted > 0 && types.fifo === 1, JSON.stringify(report.bytes));
      const listed = (await run("tar", ["-tf", saved])).trim().split("\n");
      const entries = report.bytes.shares.reduce(
        (sum: number, share: Loose) => sum + share.entries,
        0,
      );
      assert.equal(entries, listed.length);
    });
    for (const program of ["gzip", "xz", "zstd", "bzip2"]) {
      await t.step(`docker save, ${program}`, async () => {
        const ends: Loose = { gzip: "gz", xz: "xz", zstd: "zst", bzip2: "bz2" };
        await run(program, ["-k", "-q", saved]);
        await check(`${saved}.${ends[program]}`, "docker-archive");
      });
    }
    const skopeo = (...args: string[]) =>
      run("skopeo", ["--insecure-policy", "copy", "-q", ...args]);
    const source = `docker-archive:${saved}:${NAME}`;
    await t.step("skopeo, OCI layouts and archives", async () => {
      await skopeo(source, `oci:${at("oci")}:1.0`);
      const report = await check(at("oci"), "oci-layout");
      assert.equal(report.image.layers[0].compression, "gzip");
      await skopeo("--dest-compress-format=zstd", source, `oci:${at("z")}:1.0`);
      await check(at("z"), "oci-layout");
      await skopeo(source, `oci-archive:${at("oci.tar")}:${NAME}`);
      await check(at("oci.tar"), "oci-layout");
      await skopeo(source, `docker-archive:${at("skopeo.tar")}:${NAME}`);
      await check(at("skopeo.tar"), "docker-archive");
      const same = await ciso(["diff", saved, at("oci"), "--json"], {
        command: COMMAND,
      });
      assert.deepEqual(JSON.parse(same.stdout).files, []);
    });
    await t.step("podman save and buildah push", async () => {
      await Deno.writeTextFile(
        at("containers.conf"),
        `[engine]\nlock_type = "file"\nimage_copy_tmp_dir = "${work.path}"\n`,
      );
      const store = [`--root=${at("store")}`, `--runroot=${at("run")}`];
      const env = { CONTAINERS_CONF: at("containers.conf") };
      const podman = (...args: string[]) =>
        run("podman", [
          ...store,
          `--tmpdir=${at("tmp")}`,
          "--storage-driver=vfs",
          "--events-backend=none",
          "--cgroup-manager=cgroupfs",
          ...args,
        ], { env });
      await podman("pull", "-q", source);
      for (
        const [format, kind] of [
          ["docker-archive", "docker-archive"],
          ["oci-archive", "oci-layout"],
        ] as const
      ) {
        const file = at(`podman-${format}.tar`);
        await podman("save", "-q", `--format=${format}`, "-o", file, NAME);
        const report = await check(file, kind);
        assert.deepEqual(report.image.names, [`localhost/${NAME}`]);
      }
      const buildah = (...args: string[]) =>
        run("buildah", [...store, "--storage-driver=vfs", ...args]);
      await buildah("push", "-q", NAME, `oci:${at("buildah")}:1.0`);
      await check(at("buildah"), "oci-layout");
    });
    await t.step("umoci, repacked", async () => {
      const image = ["--image", `${at("oci")}:1.0`];
      await run("umoci", ["unpack", ...image, at("bundle")]);
      await Deno.writeTextFile(at("bundle/rootfs/etc/umoci"), "umoci\n");
      await run("umoci", ["repack", ...image, at("bundle")]);
      assert.equal(await printed("cat", at("oci"), "etc/umoci"), "umoci\n");
      const diff = await ciso(["diff", "--json", saved, at("oci")], {
        command: COMMAND,
      });
      assert.equal(diff.code, 1);
      const paths = JSON.parse(diff.stdout).files
        .filter(({ change }: Loose) => change !== "changed")
        .map(({ path }: Loose) => path);
      assert.deepEqual(paths, ["etc/umoci"]);
    });
    await t.step("an isoc and each face of it", async () => {
      const isoc = at("out.isoc");
      await printed("convert", saved, "-o", isoc, "-q");
      const report = await check(isoc, "isoc");
      assert.ok(report.bytes.twice > 1e6);
      const kinds = {
        docker: "docker-archive",
        oci: "oci-layout",
        appc: "aci",
        bundle: "bundle",
        // Incus reads the process from config.json.
        lxd: "several-faces",
        "docker-v1": "docker-v1-archive",
      };
      for (const [face, kind] of Object.entries(kinds)) {
        const file = at(`face-${face}.tar`);
        await printed("export", isoc, "--as", face, "-o", file);
        const { file: { kind: found }, image }: Loose = JSON.parse(
          await printed("inspect", file, "--json"),
        );
        // The OCI face has Docker's manifest.json too.
        assert.ok(found === kind || face === "oci", `${face}: ${found}`);
        assert.equal(image.platform.os, "linux");
        assert.deepEqual(sorted(await linesOf(file)), expected, face);
      }
    });
    await t.step("an image of LXD, its metadata in YAML", async () => {
      await Deno.mkdir(at("lxd/rootfs"), { recursive: true });
      await run("tar", ["-C", at("lxd/rootfs"), "-xpf", at("flat.tar")]);
      await Deno.writeTextFile(
        at("lxd/metadata.yaml"),
        "architecture: aarch64\ncreation_date: 1433851200\nproperties:\n" +
          '  description: "Busybox: 1"\n  os: Busybox\ntemplates:\n' +
          "  /etc/hostname:\n    when: [create]\n    template: hostname.tpl\n",
      );
      await run("tar", [
        "-C",
        at("lxd"),
        "-cJf",
        at("lxd.tar.xz"),
        "metadata.yaml",
        "rootfs",
      ]);
      const report = await check(at("lxd.tar.xz"), "lxd");
      assert.deepEqual(report.image.platform, {
        os: "linux",
        architecture: "arm64",
      });
      assert.equal(report.image.created, "2015-06-09T12:00:00Z");
      assert.deepEqual(report.image.names, ["Busybox: 1"]);
    });
    await t.step("an archive of the script of 2015", async () => {
      await isocOf2015(at("flat.tar"), at("2015.isoc"), "isoc/old", [
        "/bin/sh",
      ]);
      const report = await check(at("2015.isoc"), "isoc");
      assert.deepEqual(report.image.command, ["/bin/sh"]);
    });
    await t.step("several images in one file", async () => {
      await docker("save", "-o", at("two.tar"), NAME, "lowest:latest");
      const list: Loose = JSON.parse(
        await printed("inspect", at("two.tar"), "--json"),
      );
      assert.equal(list.images.length, 2);
      const low: Loose = JSON.parse(
        await printed("inspect", at("two.tar"), "--json", "--name=lowest"),
      );
      assert.deepEqual(low.image.names, ["lowest:latest"]);
      assert.equal(low.image.layers.length, 1);
      await check(at("two.tar"), "docker-archive", `--name=${NAME}`);
    });
    await t.step("several platforms in one file", async () => {
      await Deno.mkdir(at("many"));
      await skopeo(`oci:${at("z")}:1.0`, `oci:${at("many")}:1.0`);
      const path = at("many/index.json");
      const index: Loose = JSON.parse(await Deno.readTextFile(path));
      const [first] = index.manifests;
      const blob = (digest: string) =>
        at(`many/blobs/sha256/${digest.replace("sha256:", "")}`);
      const manifest: Loose = JSON.parse(
        await Deno.readTextFile(blob(first.digest)),
      );
      manifest.annotations = { other: "yes" };
      const text = JSON.stringify(manifest);
      await Deno.writeTextFile(at("arm.json"), text);
      const digest = (await run("sha256sum", [at("arm.json")])).slice(0, 64);
      await Deno.rename(at("arm.json"), blob(digest));
      const platform = (architecture: string) => ({
        os: "linux",
        architecture,
      });
      index.manifests = [
        { ...first, platform: platform("amd64") },
        {
          ...first,
          digest: `sha256:${digest}`,
          size: text.length,
          platform: platform("arm64"),
        },
        {
          ...first,
          digest: `sha256:${"0".repeat(64)}`,
          platform: platform("s390x"),
        },
      ];
      await Deno.writeTextFile(path, JSON.stringify(index));
      const text2 = await printed("inspect", at("many"));
      assert.match(text2, /^2 images$/m);
      assert.match(text2, /^ {2}\* +linux\/amd64/m);
      assert.match(text2, /for linux\/s390x, which is not in the file/);
      const arm: Loose = JSON.parse(
        await printed(
          "inspect",
          at("many"),
          "--json",
          "--platform=linux/arm64",
        ),
      );
      assert.deepEqual(arm.image.annotations, { other: "yes" });
      assert.equal(arm.images[1].chosen, true);
    });
  },
});
