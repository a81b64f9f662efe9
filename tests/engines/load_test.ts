// ciso load, with real engines: which one it finds, what it gives to it, and what
// it says.

import assert from "node:assert/strict";
import { CISO, ciso, type Result, ROOT, temporary } from "../support/ciso.ts";
import { startDocker } from "../support/dockerd.ts";
import { isInstalled, run } from "../support/run.ts";
import { required } from "../support/required.ts";
import { engineTest } from "../support/with_engine.ts";

const TEXT = "make container not war";
const COMMAND = ["/bin/echo", ...TEXT.split(" ")];

const work = await Deno.makeTempDir({ prefix: "isoc-load-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

const isoc = `${work}/hello.isoc`;
await run(`${ROOT}/scripts/rootfs`, ["busybox", `${work}/input.tar`]);
await ciso(
  ["-q", `${work}/input.tar`, "-t", "isoc/hello:1.0", "-t", "other"].concat(
    ["-o", isoc, "--", ...COMMAND],
  ),
);

/** Runs `ciso load` with permission to run programs. */
function load(
  args: string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const command = [...CISO.slice(0, -1), "--allow-run", ...CISO.slice(-1)];
  return ciso(["load", ...args], { command, env });
}

/** A PATH on which these programs are and no other. */
async function pathOf(folder: string, programs: string[]): Promise<string> {
  for (const program of programs) {
    const file = (await run("sh", ["-c", 'command -v "$0"', program])).trim();
    await Deno.symlink(file, `${folder}/${program}`);
  }
  return folder;
}

/** As in `ciso()`, but with bash found wherever PATH leads to. */
function loadOn(
  path: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const command = [
    "/usr/bin/env",
    `PATH=${path}`,
    ...CISO.slice(0, -1),
    "--allow-run",
    ...CISO.slice(-1),
  ];
  return ciso(["load", ...args], { command, env });
}

/** What `--dry-run` prints for each engine. */
const LINES: Record<string, string> = {
  docker: "ciso export ISOC --as oci | docker load",
  podman: "ciso export ISOC --as docker | podman load",
  nerdctl: "ciso export ISOC --as oci | nerdctl load",
  ctr: "ciso export ISOC --as oci | ctr images import -",
  rkt: "ciso export ISOC --as appc -o image.aci && " +
    "rkt --insecure-options=image fetch image.aci",
  lxc: "ciso export ISOC --as lxd -o image.tar && " +
    "lxc image import image.tar --alias isoc/hello/1.0",
  incus: "ciso export ISOC --as lxd -o image.tar && " +
    "incus image import image.tar --alias isoc/hello/1.0",
};

for (const [engine, line] of Object.entries(LINES)) {
  const missing = !isInstalled(engine);
  Deno.test(
    missing
      ? `load --engine ${engine} says that there is none`
      : `load --engine ${engine} --dry-run prints what it would do`,
    async () => {
      const result = await load([isoc, "--engine", engine, "--dry-run"]);
      if (missing) {
        assert.match(result.stderr, new RegExp(`There is no ${engine} here`));
        assert.equal(result.code, 2);
        return;
      }
      assert.deepEqual(result, {
        code: 0,
        stdout: line.replace("ISOC", isoc) + "\n",
        stderr: "",
      });
    },
  );
}

Deno.test("load --dry-run quotes words for the shell", async () => {
  const odd = `${work}/it's odd.isoc`;
  await Deno.copyFile(isoc, odd);
  // It must be there; that it is podman itself does not matter for words.
  await using folder = await temporary();
  await Deno.writeTextFile(`${folder.path}/podman`, "", { mode: 0o755 });
  const engine = "podman";
  const { stdout } = await load([odd, "--engine", engine, "--dry-run"], {
    PATH: `${folder.path}:${Deno.env.get("PATH")}`,
  });
  const [, quoted] = /^ciso export (.+) --as /.exec(stdout)!;
  assert.equal(await run("sh", ["-c", `printf %s ${quoted}`]), odd);
});

Deno.test("load says which engines it looked for when there is none", async () => {
  await using folder = await temporary();
  const result = await loadOn(folder.path, [isoc]);
  assert.equal(result.code, 2);
  assert.equal(result.stdout, "");
  for (const engine of Object.keys(LINES)) {
    assert.match(result.stderr, new RegExp(`${engine} \\(not on PATH\\)`));
  }
});

Deno.test("load tells wrong usage", async () => {
  const cases: [string[], RegExp][] = [
    [[isoc, "--engine", "docker2"], /--engine: "docker2" is not one of docker/],
    [[isoc, isoc], /takes one archive, but here are 2/],
    [[isoc, "--as", "oci"], /Unknown option --as/],
  ];
  for (const [args, line] of cases) {
    const result = await load(args);
    assert.match(result.stderr, line);
    assert.equal(result.code, 2);
  }
  const help = await load(["--help"]);
  assert.match(help.stdout, /--allow-run/);
  assert.equal(help.code, 0);
});

Deno.test({
  name: "load without permission to run programs says which one it needs",
  ignore: !isInstalled("podman") && !required.includes("podman"),
  async fn() {
    await using folder = await temporary();
    const path = await pathOf(folder.path, ["podman"]);
    const command = ["/usr/bin/env", `PATH=${path}`, ...CISO];
    for (const args of [[], ["--engine", "podman"]]) {
      const result = await ciso(["load", isoc, ...args], { command });
      assert.match(result.stderr, /--allow-run/);
      assert.match(result.stderr, /^ciso: .*podman.*\n/);
      assert.notEqual(result.code, 0);
      assert.doesNotMatch(result.stderr, /^\s+at /m);
    }
  },
});

engineTest(
  "docker",
  ["dockerd", "docker"],
  "load feeds Docker, and the next engine where no daemon answers",
  async () => {
    await using docker = await startDocker();
    assert.equal(docker.reason, undefined);
    const env = { DOCKER_HOST: docker.host };
    const result = await load([isoc, "-v"], env);
    assert.equal(result.code, 0, result.stderr);
    assert.match(
      result.stderr,
      /ciso: ciso export \S+ --as oci \| docker load/,
    );
    assert.match(result.stdout, /^Loaded image: isoc\/hello:1\.0$/m);
    for (const name of ["isoc/hello:1.0", "other"]) {
      const args = ["run", "--rm", "--network", "none", "--pull", "never"];
      const printed = await run("docker", [...args, name], { env });
      assert.equal(printed, `${TEXT}\n`);
    }
    const piped = await ciso(["load", "-", "--engine", "docker"], {
      command: [...CISO.slice(0, -1), "--allow-run", ...CISO.slice(-1)],
      env,
      stdin: await Deno.readFile(isoc),
    });
    assert.equal(piped.code, 0, piped.stderr);

    if (!isInstalled("podman")) {
      assert.ok(!required.includes("podman"), "podman is not installed");
      return;
    }
    await using folder = await temporary();
    const path = await pathOf(folder.path, ["docker", "podman"]);
    const dead = { DOCKER_HOST: `unix://${folder.path}/none.sock` };
    const { stdout } = await loadOn(path, [isoc, "--dry-run"], dead);
    assert.match(stdout, /\| podman load$/m);
    // Asked for by name, it is run, and says itself what is wrong.
    const asked = await loadOn(path, [isoc, "--engine", "docker"], dead);
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /daemon/i);
    assert.match(asked.stderr, /ciso: docker did not load \S+ \(exit code 1\)/);
  },
);

engineTest(
  "docker",
  ["dockerd", "docker"],
  "load stops the engine when the archive turns out to be damaged",
  async () => {
    await using docker = await startDocker();
    assert.equal(docker.reason, undefined);
    const env = { DOCKER_HOST: docker.host };
    const bytes = await Deno.readFile(isoc);
    // In the layer, which comes after a few documents and is half of it.
    bytes[bytes.length >> 2]! ^= 1;
    const bad = `${work}/bad.isoc`;
    await Deno.writeFile(bad, bytes);
    const result = await load([bad], env);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /ciso: \S+bad\.isoc: .*is damaged/);
    assert.equal(await run("docker", ["image", "ls", "-q"], { env }), "");
  },
);

engineTest("podman", ["podman", "runc"], "load feeds podman", async () => {
  await using folder = await temporary();
  const { path } = folder;
  await Deno.writeTextFile(
    `${path}/storage.conf`,
    `[storage]\ndriver = "vfs"\nrunroot = "${path}/run"\n` +
      `graphroot = "${path}/store"\n`,
  );
  await Deno.writeTextFile(
    `${path}/containers.conf`,
    `[engine]\nlock_type = "file"\nimage_copy_tmp_dir = "${path}"\n` +
      `events_logger = "none"\ntmp_dir = "${path}/tmp"\n`,
  );
  const env = {
    CONTAINERS_STORAGE_CONF: `${path}/storage.conf`,
    CONTAINERS_CONF: `${path}/containers.conf`,
    TMPDIR: path,
  };
  const result = await load([isoc, "--engine", "podman"], env);
  assert.equal(result.code, 0, result.stderr);
  for (const name of ["isoc/hello:1.0", "other"]) {
    assert.match(result.stdout, new RegExp(`^Loaded image: \\S+/${name}`, "m"));
  }
  const inspect = ["image", "inspect", "-f", "{{json .Config.Cmd}}", "other"];
  assert.deepEqual(
    JSON.parse(await run("podman", inspect, { env })),
    COMMAND,
  );
});

engineTest(
  "containerd",
  ["ctr", "containerd", "runc"],
  "load feeds containerd by ctr",
  async () => {
    const daemon = new Deno.Command(`${ROOT}/scripts/load-containerd`, {
      args: ["--serve"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    let address = "";
    const reader = daemon.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    while (!address.endsWith("\n")) {
      const { value, done } = await reader.read();
      assert.ok(!done, "load-containerd --serve ended early");
      address += value;
    }
    try {
      const env = { CONTAINERD_ADDRESS: address.trim() };
      const result = await load([isoc, "--engine", "ctr"], env);
      assert.equal(result.code, 0, result.stderr);
      const list = await run("ctr", ["images", "ls", "-q"], { env });
      assert.deepEqual(list.trim().split("\n").sort(), [
        "docker.io/isoc/hello:1.0",
        "docker.io/library/other:latest",
      ]);
    } finally {
      await daemon.stdin.close();
      await reader.cancel();
      await daemon.status;
    }
  },
);

Deno.test({
  name: "load passes an engine's error on, and leaves no file",
  ignore: !isInstalled("lxc") && required.length === 0,
  async fn() {
    await using folder = await temporary();
    const env = {
      TMPDIR: folder.path,
      // Where no daemon is.
      LXD_DIR: folder.path,
      HOME: `${folder.path}/home`,
    };
    const result = await load([isoc, "--engine", "lxc"], env);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /^Error: .*(LXD|unix\.socket)/im);
    assert.match(result.stderr, /ciso: lxc did not load \S+ \(exit code 1\)/);
    const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
    assert.deepEqual(left.filter((name) => name !== "home"), []);
  },
});

engineTest(
  "podman",
  ["podman"],
  "ciso load takes this machine's image of several platforms, or the one asked for",
  async () => {
    const platforms = ["linux/amd64", "linux/arm64", "linux/s390x"];
    const [own] = Deno.build.arch === "aarch64"
      ? [platforms[1]!]
      : [platforms[0]!];
    const file = `${work}/several.isoc`;
    const made = await ciso([
      ...["-q", "--layer", `${work}/input.tar`],
      ...platforms.flatMap((platform) => ["--platform", platform]),
      ...["--primary", "linux/s390x", "-t", "isoc/several:1", "-o", file],
      ...["--", ...COMMAND],
    ]);
    assert.equal(made.code, 0, made.stderr);
    const line = async (...args: string[]) => {
      const { code, stdout, stderr } = await load([
        ...["--engine", "podman", "--dry-run", file],
        ...args,
      ]);
      assert.equal(code, 0, stderr);
      return stdout.trim().replace(file, "ISOC");
    };
    assert.equal(
      await line(),
      `ciso export ISOC --as docker --platform ${own} | podman load`,
    );
    assert.equal(
      await line("--platform", "linux/s390x"),
      "ciso export ISOC --as docker --platform linux/s390x | podman load",
    );
    const without = `${work}/others.isoc`;
    const others = platforms.filter((platform) => platform !== own);
    await ciso([
      ...["convert", file, "-q", "-o", without],
      ...others.flatMap((platform) => ["--platform", platform]),
    ]);
    const { code, stderr } = await load(["--engine", "podman", without]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(`is for ${own}, as this machine is; it has .*--platform`),
    );
  },
);
