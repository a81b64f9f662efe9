// ciso export: every face, from files and from pipes, of archives that ciso wrote
// and of those that the script of 2015 wrote, each given to the engine it is for.
//
// An engine that is not here is ignored, with the reason in the test's name,
// unless CISO_REQUIRE_ENGINES lists it ("docker podman …").

import assert from "node:assert/strict";
import { ROOT, shell, temporary } from "../support/ciso.ts";
import { startDocker } from "../support/dockerd.ts";
import {
  build,
  COMMAND,
  digest,
  ENTRIES,
  exported,
  FACES,
  modern,
  names,
  old,
  piped,
  readJson,
  rootfs,
  SAMPLES,
  TEXT,
  work,
} from "../support/exporting.ts";
import { run } from "../support/run.ts";
import {
  appcManifest,
  appcTree,
  appcValidate,
  diffTrees,
  gnuTree,
  LOSSES,
} from "../support/tree.ts";
import { engineTest } from "../support/with_engine.ts";

for (const { what, isoc } of SAMPLES) {
  for (const [face, expected] of Object.entries(ENTRIES)) {
    Deno.test(`export --as ${face} writes that face of ${what} and no other`, async () => {
      assert.deepEqual(await names(await exported(isoc, face)), expected);
    });
  }

  for (const face of FACES) {
    Deno.test(`export --as ${face} of ${what} gives the same from a pipe`, async () => {
      const file = await exported(isoc, face);
      await piped({ isoc }, face, 'cmp - "$FILE"', { FILE: file });
    });
  }

  Deno.test(`export --as rootfs gives the input of ${what} byte for byte`, async () => {
    assert.equal(
      await digest(await exported(isoc, "rootfs")),
      await digest(rootfs),
    );
  });

  Deno.test(`export --as lxd of ${what} has what LXD wants to know`, async () => {
    const metadata = await readJson(
      await exported(isoc, "lxd"),
      "metadata.yaml",
    );
    assert.equal(metadata.architecture, "x86_64");
    assert.ok(metadata.creation_date > 0);
  });

  Deno.test(`export --as isoc of ${what} makes all parts`, async () => {
    const file = await exported(isoc, "isoc");
    assert.deepEqual(await names(file), await names(modern.isoc));
    const [{ RepoTags }] = await readJson(file, "manifest.json");
    const [sample] = SAMPLES.filter((sample) => sample.isoc === isoc);
    assert.deepEqual(RepoTags, sample!.names);
  });
}

Deno.test("export repairs an isoc of 2015 to the very image that ciso makes", async () => {
  const made = `${work}/again.isoc`;
  await build([rootfs, "-t", "isoc/hello"], made);
  for (const face of ["docker", "oci"]) {
    const [is] = await readJson(
      await exported(old.isoc, face),
      "manifest.json",
    );
    const [ought] = await readJson(made, "manifest.json");
    assert.deepEqual(is, ought);
  }
});

engineTest(
  "docker",
  ["dockerd", "docker"],
  "docker load takes the parts docker, oci and docker-v1 through a pipe",
  async (t) => {
    await using docker = await startDocker();
    assert.equal(docker.reason, undefined);
    const env = { DOCKER_HOST: docker.host };
    const call = (...args: string[]) => run("docker", args, { env });
    for (const sample of SAMPLES) {
      for (const face of ["docker", "oci", "docker-v1"]) {
        await t.step(`${face} of ${sample.what}`, async () => {
          const said = await piped(sample, face, "docker load", env);
          for (const name of sample.names) {
            // Of images in the old form, Docker says nothing.
            if (face !== "docker-v1") {
              assert.match(said, new RegExp(`^Loaded image: ${name}$`, "m"));
            }
            const run = ["run", "--rm", "--network", "none", "--pull", "never"];
            assert.equal(
              await call(...run, name),
              TEXT + "\n",
            );
          }
          await call("image", "rm", "--force", ...sample.names);
        });
      }
    }
  },
);

engineTest(
  "containerd",
  ["ctr", "containerd", "runc"],
  "ctr imports the parts docker and oci",
  async () => {
    for (const { isoc, names: [name] } of SAMPLES) {
      for (const face of ["docker", "oci"]) {
        const file = await exported(isoc, face);
        await run(`${ROOT}/scripts/load-containerd`, [file, TEXT, name!]);
      }
    }
  },
);

engineTest(
  "podman",
  ["podman", "runc"],
  "podman load takes the parts docker and oci through a pipe",
  async () => {
    await using folder = await temporary();
    const podman = [
      ...["podman", "--root", `${folder.path}/store`],
      ...["--runroot", `${folder.path}/run`, "--tmpdir", `${folder.path}/tmp`],
      ...["--events-backend", "none", "--cgroup-manager", "cgroupfs"],
    ].join(" ");
    const env = { TMPDIR: folder.path };
    try {
      for (const sample of SAMPLES) {
        for (const face of ["docker", "oci"]) {
          const said = await piped(sample, face, `${podman} load -q`, env);
          for (const name of sample.names) {
            assert.match(said, new RegExp(`^Loaded image: \\S+/${name}$`, "m"));
            const line =
              `${podman} image inspect -f '{{json .Config.Cmd}}' ${name}`;
            const { stdout } = await shell(line, [], { env });
            assert.deepEqual(JSON.parse(stdout), COMMAND);
          }
          await shell(`${podman} rmi -af`, [], { env });
        }
      }
    } finally {
      await shell(`${podman} system reset -f`, [], { env });
    }
  },
);

engineTest(
  "skopeo",
  ["skopeo"],
  "skopeo inspects and copies the parts docker and oci",
  async () => {
    await using folder = await temporary();
    const skopeo = (...args: string[]) =>
      run("skopeo", ["--tmpdir", folder.path, "--insecure-policy", ...args]);
    for (const { isoc, names: [name] } of SAMPLES) {
      const tag = name!.split(":")[1];
      const docker = await exported(isoc, "docker");
      const oci = await exported(isoc, "oci");
      for (
        const source of [
          `docker-archive:${docker}:${name}`,
          `docker-archive:${oci}:${name}`,
          `oci-archive:${oci}:${tag}`,
        ]
      ) {
        const { config } = JSON.parse(
          await skopeo("inspect", "--config", source),
        );
        assert.deepEqual(config.Cmd, COMMAND);
        await skopeo("copy", "--quiet", source, `oci:${folder.path}/copy`);
      }
    }
  },
);

engineTest(
  "appc",
  ["go"],
  "actool validate accepts the part appc, which rkt renders as the input's tree",
  async () => {
    for (const { isoc } of SAMPLES) {
      const file = await exported(isoc, "appc", "image.aci");
      await appcValidate(file);
      const { app } = await appcManifest(file) as { app: { exec: string[] } };
      assert.deepEqual(app.exec, COMMAND);
      const difference = diffTrees(
        await appcTree(file),
        await gnuTree(rootfs, LOSSES.appc),
      );
      // The script's tar had no entry for rootfs/ itself.
      if (isoc === old.isoc) assert.match(difference, /^(\.:.*)?$/);
      else assert.equal(difference, "");
    }
  },
);
