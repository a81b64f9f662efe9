import assert from "node:assert/strict";
import {
  runtimeConfig,
  unsupportedByBundle,
} from "../../lib/formats/bundle.ts";
import { jsonText } from "../../lib/formats/json_text.ts";
import type { Image } from "../../lib/image/image.ts";
import { isInstalled, run } from "../support/run.ts";
import { FULL, PATH, PLAIN } from "../support/sample_image.ts";

Deno.test("runtimeConfig() maps every field it can", () => {
  const { process, annotations, ...config } = runtimeConfig(FULL);
  assert.equal(config.ociVersion, "1.0.0");
  assert.deepEqual(config.root, { path: "rootfs", readonly: false });
  assert.equal(config.hostname, "hello");
  assert.equal(process.terminal, false);
  assert.deepEqual(process.user, { uid: 1000, gid: 1001 });
  assert.deepEqual(process.args, [
    "/bin/busybox",
    "echo",
    "make container not war",
  ]);
  assert.deepEqual(process.env, [PATH, "GREETING=hi", "EMPTY="]);
  assert.equal(process.cwd, "/srv/work");
  assert.deepEqual(annotations, {
    a__b: "1",
    "org.example.Team_name": "blue",
    "org.opencontainers.image.architecture": "arm",
    "org.opencontainers.image.author": "Jane <jane@example.com>",
    "org.opencontainers.image.created": "2015-06-09T12:00:00Z",
    "org.opencontainers.image.exposedPorts": "8080/tcp,53/udp",
    "org.opencontainers.image.os": "linux",
    "org.opencontainers.image.stopSignal": "SIGINT",
    "org.opencontainers.image.variant": "v6",
  });
});

Deno.test("runtimeConfig() mounts proc, dev, sys and tmp", () => {
  const paths = (tmp?: boolean) =>
    runtimeConfig(PLAIN, { tmp }).mounts.map(({ destination }) => destination);
  const always = [
    "/proc",
    "/dev",
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/sys",
    "/sys/fs/cgroup",
  ];
  assert.deepEqual(paths(), [...always, "/tmp"]);
  assert.deepEqual(paths(false), always);
});

Deno.test("runtimeConfig() runs a shell where no command is given", () => {
  const { process } = runtimeConfig(PLAIN);
  assert.deepEqual(process.args, ["/bin/sh"]);
  assert.equal(process.cwd, "/");
  assert.deepEqual(process.user, { uid: 0, gid: 0 });
});

Deno.test("runtimeConfig() lets labels win over what is derived", () => {
  const labels = { "org.opencontainers.image.os": "mine" };
  assert.equal(
    runtimeConfig({ ...PLAIN, labels })
      .annotations["org.opencontainers.image.os"],
    "mine",
  );
});

Deno.test("runtimeConfig() gives only root capabilities in effect", () => {
  const sets = (user: string) =>
    Object.keys(runtimeConfig({ ...PLAIN, user }).process.capabilities);
  assert.deepEqual(sets("0"), ["bounding", "effective", "permitted"]);
  assert.deepEqual(sets("1000"), ["bounding"]);
});

Deno.test("runtimeConfig() needs numbers for names", () => {
  const ids = { uid: 5, gid: 6, additionalGids: [7] };
  for (const user of ["app", "0:wheel"]) {
    const image = { ...PLAIN, user };
    assert.deepEqual(runtimeConfig(image, { ids }).process.user, ids);
    assert.throws(() => runtimeConfig(image), {
      name: "DescriptionError",
      message: /look them up in the rootfs's \/etc\/passwd/,
    });
  }
});

Deno.test("runtimeConfig() makes a host name of at most 63 letters", () => {
  const hostname = (name: string) =>
    runtimeConfig({ ...PLAIN, names: [name] }).hostname;
  assert.equal(hostname("ghcr.io/a/my_app.x--y:1"), "my-app-x-y");
  assert.equal(hostname(`${"a".repeat(62)}.b`), "a".repeat(62));
});

Deno.test("unsupportedByBundle() names what is left out", () => {
  assert.deepEqual(unsupportedByBundle(PLAIN), []);
  assert.deepEqual(unsupportedByBundle(FULL), [
    "names",
    "annotations",
    "volumes",
    "healthcheck",
    "shell",
    "history",
  ]);
});

Deno.test({
  name: "runtimeConfig() is in effect under runc",
  ignore: !isInstalled("runc") || !isInstalled("busybox") || Deno.uid() !== 0,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${folder}/rootfs/bin`, { recursive: true });
      const busybox = (await run("sh", ["-c", "command -v busybox"])).trim();
      await Deno.copyFile(busybox, `${folder}/rootfs/bin/busybox`);
      const start = async (image: Image, ids = { uid: 0, gid: 0 }) => {
        const config = runtimeConfig(image, { ids });
        await Deno.writeTextFile(`${folder}/config.json`, jsonText(config));
        const id = `isoc-test-${crypto.randomUUID()}`;
        return await run("runc", ["run", "-b", folder, id]);
      };

      // Found on PATH, started in a directory that the rootfs does not have.
      const script = `
        busybox id -u; busybox id -G; busybox pwd; busybox hostname
        echo "$GREETING|$EMPTY"; busybox touch /tmp/x && echo writable
        busybox grep CapEff /proc/self/status
        busybox awk '{print $2, $3}' /proc/mounts`;
      const image: Image = {
        ...FULL,
        entrypoint: ["busybox", "sh", "-c"],
        command: [script],
        user: "app:app",
      };
      const lines = (await start(image, { uid: 1000, gid: 1001 })).split("\n");
      assert.deepEqual(lines.slice(0, 7), [
        "1000",
        "1001",
        "/srv/work",
        "hello",
        "hi|",
        "writable",
        "CapEff:\t0000000000000000",
      ]);
      for (
        const mount of ["/proc proc", "/dev tmpfs", "/sys sysfs", "/tmp tmpfs"]
      ) assert.ok(lines.includes(mount), mount);

      const plain = { ...PLAIN, command: ["busybox", "echo", "a  b", "c"] };
      assert.equal(await start(plain), "a  b c\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
