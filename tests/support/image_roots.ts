import { temporary } from "./ciso.ts";
import { run } from "./run.ts";

/** Uses the tree that podman makes of an archive, in a store of its own. */
export async function withPodmanRoot<T>(
  archive: string,
  use: (root: string) => Promise<T>,
): Promise<T> {
  await using work = await temporary();
  const config = `${work.path}/containers.conf`;
  await Deno.writeTextFile(
    config,
    `[engine]\nlock_type = "file"\nimage_copy_tmp_dir = "${work.path}"\n`,
  );
  const podman = (...args: string[]) =>
    run("podman", [
      ...["--root", `${work.path}/store`, "--runroot", `${work.path}/run`],
      ...["--tmpdir", `${work.path}/tmp`, "--storage-driver", "vfs"],
      ...["--events-backend", "none", "--cgroup-manager", "cgroupfs", ...args],
    ], { env: { CONTAINERS_CONF: config } });
  await podman("load", "-q", "-i", archive);
  const id = (await podman("images", "-q", "--no-trunc")).trim();
  const root = (await podman("image", "mount", id)).trim();
  try {
    return await use(root);
  } finally {
    await podman("image", "umount", id);
  }
}

/** Uses the tree that a containerd of its own makes of an archive. */
export async function withContainerdRoot<T>(
  archive: string,
  use: (root: string) => Promise<T>,
): Promise<T> {
  await using work = await temporary();
  const { path } = work;
  const config = `${path}/config.toml`;
  const socket = `${path}/socket`;
  await Deno.writeTextFile(
    config,
    `version = 2
root = "${path}/root"
state = "${path}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${socket}"
[ttrpc]
address = "${socket}.ttrpc"
`,
  );
  const daemon = new Deno.Command("containerd", {
    args: ["-c", config],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const ctr = (...args: string[]) => run("ctr", ["-a", socket, ...args]);
  const root = `${path}/mounted`;
  await Deno.mkdir(root);
  try {
    await started(() => ctr("version"));
    await ctr("images", "import", "--snapshotter", "native", archive);
    const [name] = (await ctr("images", "ls", "-q")).split("\n");
    await ctr("images", "mount", "--snapshotter", "native", name!, root);
    try {
      return await use(root);
    } finally {
      await run("umount", [root]);
    }
  } finally {
    daemon.kill();
    await daemon.status;
  }
}

/** Waits until a daemon answers. */
async function started(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 300;; tries--) {
    try {
      await ask();
      return;
    } catch (error) {
      if (tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
