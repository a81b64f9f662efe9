// Every option that says what an image is, in every face of the archive: as
// Docker shows it and acts on it, as runc acts on it, as appc's own code reads
// it. Real engines; what cannot run here is ignored, but not where CI=true.

import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import { startDocker } from "../support/dockerd.ts";
import type { AppcManifest } from "../../lib/formats/appc.ts";
import { isInstalled, run } from "../support/run.ts";
import { appcManifest, appcRender } from "../support/tree.ts";

const CI = Deno.env.get("CI") === "true";
const isRoot = Deno.uid() === 0;
const PATH =
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Whether something that a test needs is not here. */
const lacks = (...programs: string[]) =>
  !CI && (!isRoot || !programs.every(isInstalled));

const work = await Deno.makeTempDir({ prefix: "isoc-options-test-" });
const rootfs = `${work}/rootfs.tar`;
const archive = `${work}/options.isoc`;

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

/** What the container prints, and how it ends: by the signal it asks for. */
const SCRIPT = `id -u; id -g; id -G; pwd; echo "$0|$GREETING|$HERE|$LATER"
if test "$WAIT"; then
  trap 'echo stopped; exit 7' INT
  touch /data/well; while :; do sleep 0.1; done
fi`;

/** All options, each with a value that no default has. */
const OPTIONS = [
  ...["-t", "isoc/options:1.0", "--tag=localhost:5000/a/b:2"],
  ...["--entrypoint", '["/bin/sh", "-c"]'],
  ...["-e", "GREETING=hi  there", "-e", "HERE", "--env=GONE", "-eLATER=flag"],
  ...["--env-file", `${work}/env`],
  ...["-w", "/srv/work", "-u", "app:staff"],
  ...["-l", "com.example.two=flag", "--label", "Odd Key=a=b"],
  ...["--label-file", `${work}/labels`],
  ...["--annotation", "org.example/Foo Bar=q"],
  ...["--expose", "8080", "--expose", "53/udp"],
  ...["--volume", "/data", "--volume=/var/lib/app data"],
  ...["--stop-signal", "int"],
  ...["--health-cmd", "test -e /data/well"],
  ...["--health-interval", "200ms", "--health-timeout", "5"],
  ...["--health-start-period", "1m30s", "--health-retries", "4"],
  ...["--health-start-interval", "1.5s"],
  ...["--shell", "/bin/sh -ec"],
  ...["--author", "Jane <jane@example.com>"],
  ...["--created", "2015-06-09T14:00:00.9+02:00"],
  ...["--platform", "linux/x86_64/v2"],
  ...["--history", "made by hand"],
];

const WORDS = [SCRIPT, "zero"];
const PRINTED = [
  "1000",
  "50",
  "50",
  "/srv/work",
  "zero|hi  there|from here|flag",
  "",
].join("\n");

/** The image config's `config` object that they make. */
const CONFIG = {
  User: "app:staff",
  ExposedPorts: { "53/udp": {}, "8080/tcp": {} },
  Env: [
    PATH,
    "FROM_FILE=a b",
    "LATER=flag",
    "GREETING=hi  there",
    "HERE=from here",
  ],
  Entrypoint: ["/bin/sh", "-c"],
  Cmd: WORDS,
  Healthcheck: {
    Test: ["CMD-SHELL", "test -e /data/well"],
    Interval: 200e6,
    Timeout: 5e9,
    StartPeriod: 90e9,
    StartInterval: 1.5e9,
    Retries: 4,
  },
  Volumes: { "/data": {}, "/var/lib/app data": {} },
  WorkingDir: "/srv/work",
  Labels: {
    "Odd Key": "a=b",
    "com.example.one": "1",
    "com.example.two": "flag",
  },
  StopSignal: "SIGINT",
  Shell: ["/bin/sh", "-ec"],
};

/** Makes a small tree with accounts of its own, and the archive. */
async function prepare(): Promise<void> {
  const tree = `${work}/tree`;
  for (const folder of ["bin", "data", "etc", "srv/work", "tmp"]) {
    await Deno.mkdir(`${tree}/${folder}`, { recursive: true });
  }
  await Deno.chmod(`${tree}/data`, 0o777);
  // Without a busybox nothing of it will run, but it can be packed all the same.
  const program = isInstalled("busybox") ? "busybox" : "sh";
  const busybox = (await run("sh", ["-c", `command -v ${program}`])).trim();
  await Deno.copyFile(busybox, `${tree}/bin/busybox`);
  for (const name of ["sh", "id", "sleep", "test", "touch", "env"]) {
    await Deno.link(`${tree}/bin/busybox`, `${tree}/bin/${name}`);
  }
  await Deno.writeTextFile(
    `${tree}/etc/passwd`,
    "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n",
  );
  await Deno.writeTextFile(
    `${tree}/etc/group`,
    "root:x:0:\nstaff:x:50:\napp:x:1001:\nextra:x:77:app\n",
  );
  const owned = ["--owner=0", "--group=0", "--sort=name"];
  await run("tar", ["-C", tree, ...owned, "-cf", rootfs, "."]);
  await Deno.writeTextFile(
    `${work}/env`,
    "# a comment\n\n  FROM_FILE=a b\nLATER=file\nGONE\n",
  );
  await Deno.writeTextFile(
    `${work}/labels`,
    "com.example.one=1\r\ncom.example.two=file\r\n",
  );
  await make(archive, [rootfs, ...OPTIONS, "--", ...WORDS]);
}

/** Runs ciso, which must say nothing. */
async function make(output: string, args: string[]): Promise<void> {
  const env = { HERE: "from here" };
  const result = await ciso(["-o", output, ...args], { env });
  assert.equal(result.stderr, "");
  assert.equal(result.code, 0);
}

/** A JSON document of an archive. */
async function readJson(file: string, name: string) {
  return JSON.parse(await run("tar", ["-xOf", file, name]));
}

/** The image config of an archive. */
async function imageConfig(file: string) {
  const [image] = await readJson(file, "manifest.json");
  return await readJson(file, image.Config);
}

/** What of a wider object has the keys of a narrower one. */
function pick(wide: Record<string, unknown>, keys: string[]) {
  return Object.fromEntries(keys.map((key) => [key, wide[key]]));
}

/** Waits until something is so; fails after 20 seconds. */
async function until(what: string, isSo: () => Promise<boolean>) {
  for (const start = Date.now(); !await isSo();) {
    assert.ok(Date.now() - start < 20_000, `${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await prepare();

Deno.test("every option is in the image config", async () => {
  const { rootfs, ...config } = await imageConfig(archive);
  const made = {
    created: "2015-06-09T12:00:00Z",
    author: "Jane <jane@example.com>",
  };
  assert.deepEqual(config, {
    ...made,
    architecture: "amd64",
    variant: "v2",
    os: "linux",
    config: CONFIG,
    history: [{ ...made, created_by: "made by hand" }],
  });
  assert.equal(rootfs.diff_ids.length, 1);
  const { container_config, ...v1 } = await readJson(archive, "rootfs/json");
  assert.deepEqual(v1.config, CONFIG);
  assert.deepEqual(container_config, { Cmd: ["made by hand"] });
  assert.deepEqual(pick(v1, ["architecture", "variant", "os", "author"]), {
    architecture: "amd64",
    variant: "v2",
    os: "linux",
    author: made.author,
  });
});

Deno.test("every option is in the OCI index and manifest that has a place there", async () => {
  const index = await readJson(archive, "index.json");
  const platform = { architecture: "amd64", os: "linux", variant: "v2" };
  assert.deepEqual(
    index.manifests.map((
      { annotations, platform }: Record<string, unknown>,
    ) => ({
      annotations,
      platform,
    })),
    [["docker.io/isoc/options:1.0", "1.0"], ["localhost:5000/a/b:2", "2"]].map((
      [name, tag],
    ) => ({
      annotations: {
        "io.containerd.image.name": name,
        "org.example/Foo Bar": "q",
        "org.opencontainers.image.ref.name": tag,
      },
      platform,
    })),
  );
  const { digest } = index.manifests[0];
  const manifest = await readJson(
    archive,
    `blobs/sha256/${digest.replace("sha256:", "")}`,
  );
  assert.deepEqual(manifest.annotations, { "org.example/Foo Bar": "q" });
});

Deno.test({
  name: "every option is shown by docker inspect, and is in effect",
  ignore: lacks("dockerd", "docker", "busybox"),
  async fn(t) {
    await using daemon = await startDocker();
    if (daemon.reason) throw new Error(daemon.reason);
    const docker = (...args: string[]) =>
      run("docker", args, { env: { DOCKER_HOST: daemon.host } });
    await docker("load", "--input", archive);
    const start = (...args: string[]) =>
      docker("run", "--network=none", "--pull=never", ...args);

    await t.step("docker inspect", async () => {
      const inspected = await docker("image", "inspect", "isoc/options:1.0");
      const [image] = JSON.parse(inspected);
      // Docker 20.10 does not know of it yet.
      const { StartInterval, ...Healthcheck } = CONFIG.Healthcheck;
      const { Healthcheck: check, ...rest } = image.Config;
      assert.deepEqual({ StartInterval, ...check }, {
        StartInterval,
        ...Healthcheck,
      });
      const { Healthcheck: _, ...expected } = CONFIG;
      assert.deepEqual(pick(rest, Object.keys(expected)), expected);
      assert.deepEqual(
        pick(image, ["Architecture", "Variant", "Os", "Author", "Created"]),
        {
          Architecture: "amd64",
          Variant: "v2",
          Os: "linux",
          Author: "Jane <jane@example.com>",
          Created: "2015-06-09T12:00:00Z",
        },
      );
      assert.deepEqual(image.RepoTags.sort(), [
        "isoc/options:1.0",
        "localhost:5000/a/b:2",
      ]);
      const history = await docker(
        ...["history", "--no-trunc", "--format", "{{.CreatedBy}}"],
        image.Id,
      );
      assert.equal(history, "made by hand\n");
    });

    await t.step("user, directory, environment, entrypoint", async () => {
      assert.equal(await start("--rm", "isoc/options:1.0"), PRINTED);
    });

    await t.step("a command in place of the image's", async () => {
      assert.equal(
        await start("--rm", "localhost:5000/a/b:2", 'echo "$0"', "other"),
        "other\n",
      );
    });

    await t.step("health check, volumes, ports, stop signal", async () => {
      const id = (await start("-d", "-e", "WAIT=1", "isoc/options:1.0")).trim();
      const state = async () =>
        JSON.parse(await docker("container", "inspect", id))[0];
      await until(
        "a healthy container",
        async () => (await state()).State.Health.Status === "healthy",
      );
      const { Mounts, Config } = await state();
      assert.deepEqual(
        Mounts.map(({ Destination }: { Destination: string }) => Destination)
          .sort(),
        ["/data", "/var/lib/app data"],
      );
      assert.deepEqual(Config.ExposedPorts, CONFIG.ExposedPorts);
      await docker("stop", "--time=15", id);
      assert.equal(await docker("logs", id), `${PRINTED}stopped\n`);
      assert.equal((await state()).State.ExitCode, 7);
      await docker("rm", "--volumes", id);
    });

    await t.step("a failing health check, and none", async () => {
      const bad = `${work}/bad.isoc`;
      const wait = ["--entrypoint", "/bin/sleep", "--", "60"];
      const check = [
        ...["--health-cmd", '["/bin/test", "-e", "/nowhere"]'],
        ...["--health-interval=50ms", "--health-retries=2"],
      ];
      await make(bad, [rootfs, "-t", "bad", ...check, ...wait]);
      await docker("load", "--input", bad);
      const id = (await start("-d", "bad")).trim();
      const state = async () =>
        JSON.parse(await docker("container", "inspect", id))[0].State;
      await until(
        "an unhealthy container",
        async () => (await state()).Health.Status === "unhealthy",
      );
      await docker("rm", "--force", id);

      const none = `${work}/none.isoc`;
      await Deno.writeTextFile(
        `${work}/bad.json`,
        JSON.stringify(await imageConfig(bad)),
      );
      await make(none, [
        ...[rootfs, "-t", "none", "--config", `${work}/bad.json`],
        ...["--no-healthcheck", "--", "60"],
      ]);
      await docker("load", "--input", none);
      const other = (await start("-d", "none")).trim();
      const [{ State, Config }] = JSON.parse(
        await docker("container", "inspect", other),
      );
      assert.deepEqual(Config.Healthcheck.Test, ["NONE"]);
      assert.equal(State.Health, undefined);
      assert.equal(State.Running, true);
      await docker("rm", "--force", other);
    });

    await t.step("docker inspect's output is taken by --config", async () => {
      const file = `${work}/inspect.json`;
      await Deno.writeTextFile(
        file,
        await docker("image", "inspect", "isoc/options:1.0"),
      );
      const again = `${work}/inspect.isoc`;
      await make(again, [rootfs, "-t", "again", "--config", file]);
      const { history: _, ...before } = await imageConfig(archive);
      const { history: __, ...after } = await imageConfig(again);
      // What Docker does not know it does not show.
      const { StartInterval: ___, ...known } = CONFIG.Healthcheck;
      const shown = { StartInterval: undefined, ...after.config.Healthcheck };
      if (shown.StartInterval === undefined) {
        delete shown.StartInterval;
        assert.deepEqual(shown, known);
        after.config.Healthcheck = before.config.Healthcheck;
      }
      assert.deepEqual(after, before);
    });
  },
});

Deno.test({
  name: "every option is in the runtime bundle, and in effect under runc",
  ignore: lacks("runc", "busybox"),
  async fn() {
    await using folder = await temporary();
    const bundle = folder.path;
    await run("tar", ["-C", bundle, "-xf", archive]);
    const { process, annotations, hostname } = JSON.parse(
      await Deno.readTextFile(`${bundle}/config.json`),
    );
    assert.deepEqual(process.user, { uid: 1000, gid: 50 });
    assert.deepEqual(process.args, [...CONFIG.Entrypoint, ...WORDS]);
    assert.deepEqual(process.env, CONFIG.Env);
    assert.equal(process.cwd, "/srv/work");
    assert.equal(hostname, "options");
    assert.deepEqual(annotations, {
      ...CONFIG.Labels,
      "org.opencontainers.image.architecture": "amd64",
      "org.opencontainers.image.author": "Jane <jane@example.com>",
      "org.opencontainers.image.created": "2015-06-09T12:00:00Z",
      "org.opencontainers.image.exposedPorts": "8080/tcp,53/udp",
      "org.opencontainers.image.os": "linux",
      "org.opencontainers.image.stopSignal": "SIGINT",
      "org.opencontainers.image.variant": "v2",
    });
    const id = `isoc-test-${crypto.randomUUID()}`;
    const printed = await run("runc", [
      ...["--root", `${bundle}/state`, "run", "-b", bundle, id],
    ]);
    assert.equal(printed, PRINTED);
  },
});

Deno.test({
  name: "a user by name has all groups, in Docker's way, under runc",
  ignore: lacks("runc", "busybox"),
  async fn() {
    await using folder = await temporary();
    const bundle = folder.path;
    const user = `${bundle}/user.isoc`;
    await make(user, [rootfs, "-t", "x", "--user=app", "--", "id", "-G"]);
    await run("tar", ["-C", bundle, "-xf", user]);
    const id = `isoc-test-${crypto.randomUUID()}`;
    const printed = await run("runc", [
      ...["--root", `${bundle}/state`, "run", "-b", bundle, id],
    ]);
    assert.equal(printed, "1001 77\n");
  },
});

Deno.test({
  name: "every option that appc can express is read by appc's own code",
  ignore: lacks("go") ||
    (!CI && !await appcRender().then(() => true, () => false)),
  async fn() {
    const { app, annotations, labels, name } = await appcManifest(
      archive,
    ) as unknown as AppcManifest;
    assert.equal(name, "isoc/options");
    assert.deepEqual(labels, [
      { name: "version", value: "1.0" },
      { name: "os", value: "linux" },
      { name: "arch", value: "amd64" },
    ]);
    assert.deepEqual(app.exec, [...CONFIG.Entrypoint, ...WORDS]);
    assert.equal(app.user, "app");
    assert.equal(app.group, "staff");
    assert.equal(app.workingDirectory, "/srv/work");
    assert.deepEqual(
      app.environment?.map(({ name, value }) => `${name}=${value}`),
      CONFIG.Env,
    );
    assert.deepEqual(
      app.mountPoints?.map(({ name, path }) => [name, path]),
      [["data", "/data"], ["var-lib-app-data", "/var/lib/app data"]],
    );
    assert.deepEqual(
      app.ports?.map(({ name, port, protocol }) => [name, port, protocol]),
      [["8080-tcp", 8080, "tcp"], ["53-udp", 53, "udp"]],
    );
    assert.deepEqual(app.userLabels, CONFIG.Labels);
    assert.deepEqual(annotations, [
      { name: "created", value: "2015-06-09T12:00:00Z" },
      { name: "authors", value: "Jane <jane@example.com>" },
      { name: "org.example/foo-bar", value: "q" },
    ]);
  },
});

Deno.test("labels, annotations and the process are there for LXD and Incus", async () => {
  const metadata = await readJson(archive, "metadata.yaml");
  assert.deepEqual(metadata, {
    architecture: "x86_64",
    creation_date: Date.UTC(2015, 5, 9, 12) / 1000,
    properties: {
      ...CONFIG.Labels,
      architecture: "amd64",
      author: "Jane <jane@example.com>",
      created: "2015-06-09T12:00:00Z",
      description: "isoc/options:1.0",
      name: "isoc/options",
      "org.example/Foo Bar": "q",
      os: "linux",
      // Incus then takes the process from config.json.
      type: "oci",
      variant: "v2",
      version: "1.0",
    },
  });
});

Deno.test("ciso -v and --json name what a part cannot express", async () => {
  await using folder = await temporary();
  const output = ["-o", `${folder.path}/x.isoc`];
  const NOT_EXPRESSED = {
    appc: [
      "names",
      "stopSignal",
      "healthcheck",
      "shell",
      "variant",
      "history",
    ],
    docker: ["annotations"],
    "docker-v1": ["annotations"],
    bundle: [
      "names",
      "annotations",
      "volumes",
      "healthcheck",
      "shell",
      "history",
    ],
    lxd: [
      "names",
      ...["command", "entrypoint", "env", "workdir", "user"],
      "exposedPorts",
      "volumes",
      "stopSignal",
      "healthcheck",
      "shell",
      "history",
    ],
  };
  const all = await ciso(
    [rootfs, ...OPTIONS, ...output, "-v", "--json", "--", ...WORDS],
    { env: { HERE: "from here" } },
  );
  assert.equal(all.code, 0);
  assert.deepEqual(JSON.parse(all.stdout).notExpressed, NOT_EXPRESSED);
  for (const [format, fields] of Object.entries(NOT_EXPRESSED)) {
    const line = `ciso: ${format} cannot express: ${fields.join(", ")}\n`;
    assert.ok(all.stderr.includes(line), line);
  }
  assert.doesNotMatch(all.stderr, /^ciso: oci cannot/m);

  // A plain image, and one with some parts only.
  const plain = ["-t", "x", ...output, "-v", "--json"];
  const nothing = await ciso([rootfs, ...plain, "--", "/bin/sh"]);
  // LXD starts an init of its own.
  assert.deepEqual(JSON.parse(nothing.stdout).notExpressed, {
    lxd: ["command"],
  });
  const parts = await ciso(
    [rootfs, ...plain, "--faces=oci,lxd", "-e", "A=1", "--", "/bin/sh"],
  );
  assert.deepEqual(JSON.parse(parts.stdout).notExpressed, {
    lxd: ["command", "env"],
  });
});

Deno.test({
  name: "ciso --config takes what skopeo prints, or its config object alone",
  ignore: lacks("skopeo", "busybox"),
  async fn() {
    await using folder = await temporary();
    const config = `${folder.path}/config.json`;
    const again = `${folder.path}/again.isoc`;
    const document = await run("skopeo", [
      ...["--tmpdir", folder.path, "inspect", "--config"],
      `docker-archive:${archive}`,
    ]);
    const { history: _, ...before } = await imageConfig(archive);

    await Deno.writeTextFile(config, document);
    await make(again, [rootfs, "-t", "again", "--config", config]);
    const { history: __, ...after } = await imageConfig(again);
    // skopeo shows OCI's fields alone.
    const { Healthcheck, Shell, ...oci } = CONFIG;
    const read = JSON.parse(document).config;
    after.config = {
      ...pick(
        { Healthcheck, Shell },
        read.Shell ? [] : [
          "Healthcheck",
          "Shell",
        ],
      ),
      ...after.config,
    };
    assert.deepEqual(after, before);

    await Deno.writeTextFile(config, JSON.stringify(oci));
    await make(again, [rootfs, "-t", "again", "--config", config]);
    assert.deepEqual((await imageConfig(again)).config, oci);
  },
});

Deno.test("ciso lets flags win over --config, and adds to its lists", async () => {
  await using folder = await temporary();
  const config = `${folder.path}/config.json`;
  await Deno.writeTextFile(config, JSON.stringify(await imageConfig(archive)));
  const flags = [
    ...["--config", config, "-t", "flags", "--entrypoint", "/bin/env"],
    ...["-e", "LATER=now", "-e", "NEW=1", "-w", "/tmp", "-u", "0"],
    ...["-l", "com.example.two=now", "--expose", "53/udp", "--expose=9/sctp"],
    ...["--volume=/data", "--volume=/more", "--stop-signal=9"],
    ...["--health-retries=7", "--shell", '["/bin/ash"]', "--author=Joe"],
    ...["--created", "1", "--platform", "linux/amd64"],
  ];
  const output = `${folder.path}/flags.isoc`;
  await make(output, [rootfs, ...flags, "--", "a b", "c"]);
  const image = await imageConfig(output);
  assert.deepEqual(image.config, {
    ...CONFIG,
    User: "0",
    ExposedPorts: { "53/udp": {}, "8080/tcp": {}, "9/sctp": {} },
    Env: [
      PATH,
      "FROM_FILE=a b",
      "LATER=now",
      "GREETING=hi  there",
      "HERE=from here",
      "NEW=1",
    ],
    Entrypoint: ["/bin/env"],
    Cmd: ["a b", "c"],
    Healthcheck: { ...CONFIG.Healthcheck, Retries: 7 },
    Volumes: { "/data": {}, "/more": {}, "/var/lib/app data": {} },
    WorkingDir: "/tmp",
    Labels: { ...CONFIG.Labels, "com.example.two": "now" },
    StopSignal: "9",
    Shell: ["/bin/ash"],
  });
  assert.equal(image.author, "Joe");
  assert.equal(image.created, "1970-01-01T00:00:01Z");
  assert.equal(image.variant, undefined);

  // Another entrypoint drops the old command.
  await make(output, [
    rootfs,
    "--config",
    config,
    "-t",
    "x",
    "--entrypoint=env",
  ]);
  const { Entrypoint, Cmd } = (await imageConfig(output)).config;
  assert.deepEqual([Entrypoint, Cmd], [["env"], undefined]);
});

Deno.test("ciso refuses a malformed option before it reads the rootfs", async () => {
  await using folder = await temporary();
  for (
    const [args, line] of [
      [["--expose=70000"], /^ciso: --expose: .*"70000" is not from 1 to 65535/],
      [["--created=yesterday"], /^ciso: --created is .*, not "yesterday"/],
      [
        ["--lable=a=b"],
        /^ciso: Unknown option --lable: did you mean --label\?/,
      ],
    ] as const
  ) {
    const { code, stdout, stderr } = await ciso(
      ["/no/such.tar", "-t", "x", ...args, "-o", `${folder.path}/x`, "--", "y"],
    );
    assert.match(stderr, line);
    assert.equal(stdout, "");
    assert.equal(code, 2);
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  }
});
