import { isInstalled, run } from "./run.ts";

/** A Docker daemon of one's own, gone with all it holds at the end of the scope. */
export interface Docker extends AsyncDisposable {
  /** Value for `DOCKER_HOST`. Empty when the daemon cannot run here. */
  host: string;
  /** The directory that holds its images. Empty when it cannot run here. */
  dataRoot: string;
  /** Why the daemon cannot run here; not set when it runs. */
  reason?: string;
}

/** Seconds that the daemon has to come up, and to go down, on a busy machine. */
const PATIENCE = 90;

/**
 * Starts a Docker daemon with an empty store in a temporary directory, without
 * a network, so that it meddles with nothing outside.
 *
 * @returns The daemon, or a `reason` why there is none: not installed, not
 *   root, or what the daemon itself complained of.
 *
 * @example
 * ```ts ignore
 * await using docker = await startDocker();
 * if (docker.reason) return console.warn(docker.reason);
 * await run("docker", ["info"], { env: { DOCKER_HOST: docker.host } });
 * ```
 */
export async function startDocker(): Promise<Docker> {
  const missing = ["dockerd", "docker"].find((name) => !isInstalled(name));
  if (missing) return without(`${missing} is not installed`);
  if (Deno.uid() !== 0) return without("dockerd needs root");

  const folder = await Deno.makeTempDir({ prefix: "isoc-docker-" });
  const host = `unix://${folder}/docker.sock`;
  const dataRoot = `${folder}/data`;
  const daemon = new Deno.Command("dockerd", {
    args: [
      `--host=${host}`,
      `--data-root=${dataRoot}`,
      `--exec-root=${folder}/exec`,
      `--pidfile=${folder}/pid`,
      "--bridge=none",
      "--iptables=false",
      "--ip-forward=false",
      "--ip-masq=false",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log = lastText(daemon.stderr);
  let ended = false;
  const end = daemon.status.then(() => ended = true);

  async function stop() {
    await terminate(daemon, end, `${folder}/exec/containerd/containerd.pid`);
    await log.end;
    await removeTree(folder);
  }

  const deadline = Date.now() + PATIENCE * 1000;
  while (!ended && Date.now() < deadline) {
    try {
      await run("docker", ["version"], { env: { DOCKER_HOST: host } });
      return { host, dataRoot, [Symbol.asyncDispose]: stop };
    } catch {
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
  await stop();
  return without(
    `dockerd does not start: ${log.text().trim().split("\n").pop()}`,
  );
}

function without(reason: string): Docker {
  return {
    host: "",
    dataRoot: "",
    reason,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Reads a stream to its end, so that its writer never waits; keeps the last of it. */
function lastText(stream: ReadableStream<Uint8Array>) {
  let text = "";
  const decoder = new TextDecoderStream() as ReadableWritablePair<
    string,
    Uint8Array
  >;
  const end = stream.pipeThrough(decoder).pipeTo(
    new WritableStream({
      write(chunk) {
        text = (text + chunk).slice(-2000);
      },
    }),
  );
  return { end, text: () => text };
}

/**
 * Ends a daemon: by request, and by force when that takes too long. In the
 * latter case its containerd outlives it and is ended too.
 */
async function terminate(
  daemon: Deno.ChildProcess,
  end: Promise<unknown>,
  containerdPid: string,
) {
  const kill = async () => {
    daemon.kill("SIGKILL");
    Deno.kill(Number(await Deno.readTextFile(containerdPid)), "SIGKILL");
  };
  const timer = setTimeout(() => kill().catch(() => {}), PATIENCE * 1000);
  try {
    daemon.kill("SIGTERM");
  } catch {
    // It has ended already.
  }
  await end;
  clearTimeout(timer);
}

/** Removes a directory, after what is mounted in it. */
async function removeTree(folder: string) {
  const mounts = (await Deno.readTextFile("/proc/self/mounts"))
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .map((point) =>
      point.replace(
        /\\([0-7]{3})/g,
        (_, code) => String.fromCharCode(parseInt(code, 8)),
      )
    )
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of mounts.reverse()) {
    await run("umount", ["--lazy", point]);
  }
  await Deno.remove(folder, { recursive: true });
}
