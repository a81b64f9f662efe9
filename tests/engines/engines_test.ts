// Every engine loads the archives that ciso makes of real root file systems, and
// runs the image: real engines, started here by scripts/load-*.
//
// An engine that cannot run on this machine is ignored, with its reason in the
// test's name, unless CISO_REQUIRE_ENGINES lists it ("docker podman …").

import assert from "node:assert/strict";
import { required } from "../support/required.ts";

const TEXT = "make container not war";
const ENGINES = [
  "docker",
  "containerd",
  "podman",
  "skopeo",
  "runc",
  "nspawn",
  "rkt",
];
const INPUTS = ["busybox", "debian"];
/** Programs that list an archive, none of them this project's own. */
const READERS: Record<string, string[]> = {
  "GNU tar": ["tar", "-tvf"],
  "bsdtar": ["bsdtar", "-tvf"],
  "Python's tarfile": ["python3", "-m", "tarfile", "-v", "-l"],
};

const root = new URL("../../", import.meta.url);
const directory = await Deno.makeTempDir({ prefix: "isoc-engines-test-" });
const env: Record<string, string> = {
  LC_ALL: "C.UTF-8",
  NO_COLOR: "1",
  ...await ram(),
};

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

const daemons: Daemon[] = [];

/** Runs a command in the project's directory until it ends. */
async function run(command: string, ...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: root,
    env,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Like {@linkcode run}, for a command that must succeed. */
async function must(command: string, ...args: string[]): Promise<Result> {
  const result = await run(command, ...args);
  assert.equal(
    result.code,
    0,
    `${command} ${args.join(" ")}:\n${result.stdout}${result.stderr}`,
  );
  return result;
}

/**
 * Where the engines keep their stores: in memory where there is plenty, since
 * they wait for the disk after each of thousands of files.
 */
async function ram(): Promise<Record<string, string>> {
  const GIB = 2 ** 30;
  if (Deno.systemMemoryInfo().available < 8 * GIB) return {};
  // Where nothing is mounted there, it is a part of /dev, which runs no engine.
  const df = new Deno.Command("df", {
    args: ["-Pk", "-t", "tmpfs", "/dev/shm"],
  });
  const { success, stdout } = await df.output();
  if (!success) return {};
  const free = new TextDecoder().decode(stdout).trim().split(/\s+/).at(-3);
  return Number(free) * 1024 > 4 * GIB ? { TMPDIR: "/dev/shm" } : {};
}

/** Why the script cannot do its work here; empty when it can. */
async function obstacle(script: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await run(`scripts/${script}`, ...args, "--check");
  return code === 77 || code === 78 ? stderr.trim() : "";
}

/** A test that is ignored, with the reason, where something is missing. */
function test(
  name: string,
  reason: string,
  isRequired: boolean,
  fn: () => Promise<void>,
) {
  const ignore = reason !== "" && !isRequired;
  Deno.test({ name: ignore ? `${name} (${reason})` : name, ignore, fn });
}

/** An engine that runs until its standard input is closed. */
interface Daemon {
  process: Deno.ChildProcess;
  /** What makes the other runs of the script use this engine. */
  env: Record<string, string>;
}

/** Starts the engine of `load-ENGINE --serve` for all tests to share. */
async function serve(engine: string, variable: string): Promise<Daemon> {
  const process = new Deno.Command(`scripts/load-${engine}`, {
    args: ["--serve"],
    cwd: root,
    env,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let line = "";
  for await (const bytes of process.stdout) {
    line += decoder.decode(bytes);
    if (line.endsWith("\n")) break;
  }
  assert.match(line, /\n$/, `load-${engine} --serve ended early`);
  return {
    process,
    env: { [variable]: line.trim(), CISO_REUSE_ENGINE: "1" },
  };
}

const archives = new Map<string, Promise<string>>();

/**
 * The archive that the real command line makes of a real root file system;
 * `options` go to scripts/rootfs, `names` are the image's.
 */
function archive(
  input: string,
  options: string[],
  names = ["isoc/hello:1.0"],
): Promise<string> {
  const key = [input, ...options, ...names].join("_").replaceAll(/\W/g, "-");
  const made = archives.get(key) ?? (async () => {
    const rootfs = `${directory}/${key}.tar`;
    const isoc = `${directory}/${key}.isoc`;
    await must("scripts/rootfs", input, rootfs, ...options);
    await must(
      Deno.execPath(),
      ...["run", "--allow-read", "--allow-write", "--allow-env", "main.ts"],
      ...[rootfs, ...names.flatMap((name) => ["-t", name]), "-o", isoc],
      ...["--", "/bin/echo", ...TEXT.split(" ")],
    );
    await Deno.remove(rootfs);
    return isoc;
  })();
  archives.set(key, made);
  return made;
}

const obstacles = new Map<string, string>();
for (const engine of ENGINES) {
  obstacles.set(engine, await obstacle(`load-${engine}`));
}
for (const input of INPUTS) {
  obstacles.set(input, await obstacle("rootfs", input));
}
const runs = (engine: string) => obstacles.get(engine) === "";

Deno.test.beforeAll(async () => {
  if (runs("docker")) daemons.push(await serve("docker", "DOCKER_HOST"));
  if (runs("containerd")) {
    daemons.push(await serve("containerd", "CONTAINERD_ADDRESS"));
  }
  for (const daemon of daemons) Object.assign(env, daemon.env);
});

Deno.test.afterAll(async () => {
  for (const { process } of daemons) {
    await process.stdin.close();
    await process.status;
  }
  await Deno.remove(directory, { recursive: true });
});

for (const input of INPUTS) {
  for (const options of [[], ["--plain-names"]]) {
    const what = `${input} tree with ${options.length ? "plain" : "./"} names`;
    // An input that cannot be made fails for every engine.
    const noInput = obstacles.get(input) ?? "";

    for (const engine of ENGINES) {
      test(
        `load-${engine} runs the isoc of a ${what}`,
        noInput || (obstacles.get(engine) ?? ""),
        required.includes(engine),
        async () => {
          const isoc = await archive(input, options);
          const { stdout } = await must(`scripts/load-${engine}`, isoc, TEXT);
          assert.match(stdout, /^\S+ \S+: loaded and ran .+\n$/);
        },
      );
    }

    for (const [reader, [command = "", ...args]] of Object.entries(READERS)) {
      test(
        `${reader} lists the isoc of a ${what} without a warning`,
        noInput,
        required.length > 0,
        async () => {
          const isoc = await archive(input, options);
          const { stdout, stderr } = await must(command, ...args, isoc);
          assert.equal(stderr, "");
          for (const name of ["manifest.json", "rootfs/bin", "oci-layout"]) {
            assert.match(stdout, new RegExp(`\\s${name}(\\s|/|$)`, "m"));
          }
        },
      );
    }
  }
}

for (const engine of ["docker", "containerd", "podman", "skopeo"]) {
  test(
    `load-${engine} runs an isoc by each of its names`,
    obstacles.get("busybox") || (obstacles.get(engine) ?? ""),
    required.includes(engine),
    async () => {
      const names = ["isoc/hello:1.0", "isoc/hello:2.0", "other"];
      const isoc = await archive("busybox", [], names);
      for (const name of names) {
        await must(`scripts/load-${engine}`, isoc, TEXT, name);
      }
    },
  );
}

test(
  "load-runc fails when the image prints something else",
  obstacles.get("busybox") || (obstacles.get("runc") ?? ""),
  required.includes("runc"),
  async () => {
    const isoc = await archive("busybox", []);
    const { code, stderr } = await run("scripts/load-runc", isoc, `${TEXT}!`);
    assert.equal(code, 1);
    assert.match(stderr, /wrong: expected/);
  },
);
