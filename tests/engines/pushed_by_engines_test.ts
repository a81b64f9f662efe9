// What docker push and ctr images push send to a registry, ciso pulls; and an
// engine runs what that gives.
import assert from "node:assert/strict";
import { allowing, ciso, ROOT, temporary } from "../support/ciso.ts";
import {
  missingForRegistry,
  startRegistry,
} from "../support/docker_registry.ts";
import { startDocker } from "../support/dockerd.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";

async function must(args: string[]): Promise<void> {
  const { code, stderr } = await ciso(args, {
    command: allowing("--allow-net"),
  });
  assert.equal(code, 0, stderr);
}

Deno.test({
  name: "ciso pulls what docker and ctr have pushed, and it runs",
  ignore: missingForRegistry() !== undefined,
  async fn() {
    await using docker = await startDocker();
    if (docker.reason) {
      assert.ok(!required.includes("docker"), docker.reason);
      return console.warn(docker.reason);
    }
    await using folder = await temporary();
    const work = folder.path;
    await using registry = await startRegistry({ work });
    await run(`${ROOT}/scripts/rootfs`, ["busybox", `${work}/rootfs.tar`]);
    await must([
      ...[`${work}/rootfs.tar`, "-t", "isoc/hello:1.0", "-q"],
      ...["-o", `${work}/hello.isoc`, "--", "/bin/echo", "hello there"],
    ]);
    const env = { DOCKER_HOST: docker.host };
    const engine = (...args: string[]) => run("docker", args, { env });
    // Its own containerd, which nothing has been given yet.
    const folderOf = docker.dataRoot.replace(/\/data$/, "");
    const ctr = (...args: string[]) =>
      run("ctr", [
        ...["--address", `${folderOf}/exec/containerd/containerd.sock`],
        ...["--namespace", "test", ...args],
      ]);
    const pushes: Record<string, (to: string) => Promise<unknown>> = {
      async docker(to) {
        await engine("load", "-i", `${work}/hello.isoc`);
        await engine("tag", "isoc/hello:1.0", to);
        await engine("push", "-q", to);
      },
      async ctr(to) {
        const name = "docker.io/isoc/hello:1.0";
        await ctr("images", "import", "--no-unpack", `${work}/hello.isoc`);
        await ctr("images", "push", "--plain-http", to, name);
      },
    };
    for (const [name, push] of Object.entries(pushes)) {
      if (!isInstalled(name)) continue;
      const to = `${registry.host}/by/${name}:1`;
      await push(to);
      const out = `${work}/${name}.isoc`;
      await must(["pull", to, "-t", `pulled/${name}:1`, "-q", "-o", out]);
      await must(["verify", out]);
      await engine("load", "-i", out);
      const said = await engine(
        ...["run", "--rm", "--network", "none", "--pull", "never"],
        `pulled/${name}:1`,
      );
      assert.equal(said, "hello there\n");
    }
  },
});
