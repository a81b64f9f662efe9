import assert from "node:assert/strict";
import { type ImageDescription, rootfsFacts } from "../../lib/rootfs/facts.ts";
import type { Face } from "../../lib/image/face.ts";
import { tarOf } from "../support/tar_writer.ts";
import { scanRootfs } from "../../lib/rootfs/scan.ts";
import { isInstalled, run } from "../support/run.ts";

/** A tree's files: contents, or a mode with them, or a symlink's `-> TARGET`. */
type Files = Record<string, string | Uint8Array | [number, string]>;

/** This machine's busybox, or another program where it has none. */
const program = await Deno.readFile(
  isInstalled("busybox")
    ? (await run("sh", ["-c", "command -v busybox"])).trim()
    : Deno.execPath(),
).then((bytes) => bytes.slice(0, 100_000));
const native = { x86_64: "amd64", aarch64: "arm64" }[Deno.build.arch];
const ignore = Deno.build.os !== "linux";

/** A copy of the program whose header says another machine. */
function foreign(machine: number): Uint8Array {
  const bytes = program.slice();
  new DataView(bytes.buffer).setUint16(18, machine, true);
  return bytes;
}

/** Looks into a tree of these files. */
async function facts(files: Files, image: Partial<ImageDescription>) {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, file] of Object.entries(files)) {
      const [mode, content] = Array.isArray(file) ? file : [0o755, file];
      const place = `${folder}/tree/${path}`;
      await Deno.mkdir(place.slice(0, place.lastIndexOf("/")), {
        recursive: true,
      });
      if (typeof content === "string" && content.startsWith("-> ")) {
        await Deno.symlink(content.slice(3), place);
      } else if (typeof content === "string") {
        await Deno.writeTextFile(place, content);
      } else await Deno.writeFile(place, content);
      if (!String(content).startsWith("-> ")) await Deno.chmod(place, mode);
    }
    await run("tar", ["-C", `${folder}/tree`, "-cf", `${folder}/x.tar`, "."]);
    const source = new Blob([await Deno.readFile(`${folder}/x.tar`)]);
    const { tree } = await scanRootfs(source);
    return await rootfsFacts(tree, { names: ["x"], created: 0, ...image });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is said of a command in a tree. */
async function notes(files: Files, command: string[], workdir?: string) {
  return (await facts(files, { command, workdir, architecture: native })).notes;
}

const TREE: Files = {
  "usr/bin/bash": program,
  "usr/bin/python3": program,
  "usr/local/bin/node": program,
  "bin": "-> usr/bin",
  "usr/bin/sh": "-> bash",
  "usr/bin/data": [0o644, "no program"],
  "srv/app/run": program,
  "server": program,
  "etc/passwd": [0o644, "root:x:0:0::/:/bin/sh\n"],
};

Deno.test({
  ignore,
  name: "rootfsFacts() finds the command's program",
  async fn() {
    const find = async (command: string[], workdir?: string) => {
      const { executable, notes } = await facts(TREE, { command, workdir });
      assert.deepEqual(notes, []);
      return executable;
    };
    assert.equal(await find(["bash"]), "/usr/bin/bash");
    assert.equal(await find(["/bin/sh"]), "/bin/sh");
    assert.equal(await find(["./run"], "/srv/app"), "/srv/app/./run");
    const { executable } = await facts(TREE, {
      entrypoint: ["/server"],
      command: ["nothing"],
    });
    assert.equal(executable, "/server");
  },
});

Deno.test({
  ignore,
  name: "rootfsFacts() warns of a command that will not start",
  async fn() {
    for (
      const [command, note] of [
        ["/usr/bin/data", "/usr/bin/data is not executable"],
        ["data", "/usr/bin/data is not executable"],
        ["/usr/bin", "/usr/bin is no regular file"],
      ] as const
    ) {
      assert.deepEqual(await notes(TREE, [command]), [
        `The command will not start: ${note}`,
      ]);
    }
  },
});

Deno.test({
  ignore,
  name: "rootfsFacts() names the program that was meant",
  async fn() {
    for (
      const [command, meant] of [
        ["bahs", "/usr/bin/bash"],
        ["bah", "/usr/bin/bash"],
        ["bashh", "/usr/bin/bash"],
        ["bosh", "/usr/bin/bash"],
        ["BASH", "/usr/bin/bash"],
        ["python", "/usr/bin/python3"],
        ["/bin/bahs", "/usr/bin/bash"],
        ["/usr/bin/node", "/usr/local/bin/node"],
        ["/usr/sbin/nod", "/usr/local/bin/node"],
        ["server", "/server"],
        ["./servre", "/server"],
        ["/srv/app/rum", "/srv/app/run"],
        ["bash -c", "/usr/bin/bash, with its argument as a word of its own"],
        [
          "/bin/sh -c x",
          "/bin/sh, with its arguments as words of their own",
        ],
      ] as const
    ) {
      assert.deepEqual(await notes(TREE, [command]), [
        `The command ${
          JSON.stringify(command)
        } is not in the rootfs: did you mean ${meant}?`,
      ]);
    }
  },
});

Deno.test({
  ignore,
  name: "rootfsFacts() names nothing where nothing is near",
  async fn() {
    for (const command of ["perl", "/opt/perl", "dta", "perl -e 1", "x/"]) {
      assert.deepEqual(await notes(TREE, [command]), [
        `The command ${JSON.stringify(command)} is not in the rootfs`,
      ]);
    }
    // A path that climbs is for the engine to follow.
    assert.deepEqual(await notes(TREE, ["../bin/bahs"]), []);
    assert.deepEqual((await facts(TREE, {})).notes, []);
  },
});

Deno.test({
  ignore,
  name: "rootfsFacts() reads the architecture from the command's program",
  async fn() {
    const files = { "bin/sh": program, "app": foreign(183) };
    const find = async (image: Partial<ImageDescription>) => {
      const { architecture, notes } = await facts(files, image);
      return [architecture, ...notes];
    };
    assert.deepEqual(await find({ command: ["/app"] }), ["arm64"]);
    assert.deepEqual(await find({ command: ["/bin/sh"] }), [native]);
    assert.deepEqual(await find({}), [native]);
    assert.deepEqual(
      await find({ command: ["/app"], architecture: "arm64" }),
      ["arm64"],
    );
    // --platform wins.
    assert.deepEqual(
      await find({ command: ["/app"], architecture: "riscv64" }),
      [
        "riscv64",
        "The image says riscv64, but its programs are for arm64",
      ],
    );
  },
});

Deno.test({
  ignore,
  name: "rootfsFacts() follows a script to its interpreter",
  async fn() {
    const files = {
      "bin/sh": foreign(183),
      "env": "-> bin/sh",
      "run": "#! /env -S x\necho\n",
      "run2": "#!/run\n",
      "bad": "#!/bin/bash\n",
      "loop": "#!/loop\n",
    };
    for (const command of ["/run", "/run2"]) {
      const { architecture, notes } = await facts(files, {
        command: [command],
      });
      assert.equal(architecture, "arm64");
      assert.deepEqual(notes, []);
    }
    const { architecture, notes } = await facts(files, { command: ["/bad"] });
    assert.equal(architecture, "arm64");
    assert.deepEqual(notes, [
      "The command will not start: the interpreter that its #! line names, " +
      "/bin/bash, is not in the rootfs",
    ]);
    assert.equal(
      (await facts(files, { command: ["/loop"] })).architecture,
      "arm64",
    );
  },
});

Deno.test("rootfsFacts() assumes an architecture that nothing tells", async () => {
  const { architecture, notes } = await facts({ "data": "text" }, {});
  assert.equal(architecture, "amd64");
  assert.deepEqual(notes, [
    "No program in the rootfs tells its architecture; amd64 is assumed",
  ]);
});

Deno.test({
  ignore,
  name: "rootfsFacts() warns of a working directory that rkt would miss",
  async fn() {
    for (const workdir of ["/", "/srv", "/bin", "/srv/app/", "/srv/../etc"]) {
      assert.deepEqual(await notes(TREE, ["bash"], workdir), [], workdir);
    }
    for (const workdir of ["/work", "/etc/passwd", "/srv/none"]) {
      assert.deepEqual(await notes(TREE, ["bash"], workdir), [
        `The working directory ${workdir} is not in the rootfs: Docker, ` +
        "podman and runc make it, rkt does not start without it",
      ]);
    }
  },
});

Deno.test({
  ignore,
  name: "rootfsFacts() looks the user up",
  async fn() {
    const files = {
      "bin/sh": program,
      "etc/passwd": "root:x:0:0::/:\napp:x:5:6::/:\n",
      "etc/group": "root:x:0:\nmore:x:7:app\n",
    };
    assert.deepEqual((await facts(files, { user: "app" })).ids, {
      uid: 5,
      gid: 6,
      additionalGids: [7],
    });
    await assert.rejects(facts(files, { user: "nobody" }), {
      name: "DescriptionError",
      message: /User "nobody" is not in the rootfs's \/etc\/passwd/,
    });
  },
});

Deno.test("rootfsFacts() warns of what engines do not take as it is", async () => {
  const tar = tarOf([
    { name: "up", type: "2", link: "../../../x" },
    { name: "old", mtime: -1 },
  ]);
  const { tree } = await scanRootfs(new Blob([tar.slice()]));
  const notes = async (faces?: Face[]) =>
    (await rootfsFacts(
      tree,
      { names: ["x"], created: 0, architecture: "amd64" },
      faces && new Set(faces),
    )).notes;
  const [climbing, time] = await notes();
  assert.match(climbing!, /^The symlink "up" climbs .*export --as oci/);
  assert.match(time!, /^"old" has a time before 1970/);
  // Without rootfs/ there is no such symlink in the archive.
  assert.deepEqual(await notes(["oci", "docker"]), [time]);
  assert.deepEqual(await notes(["appc", "bundle"]), [time]);
});
