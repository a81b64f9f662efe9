import assert from "node:assert/strict";
import { binary } from "../../lib/streams/bytes.ts";
import { ciso, temporary } from "../support/ciso.ts";
import { dockerArchive, type SavedImage } from "../support/docker_archive.ts";
import { startDocker } from "../support/dockerd.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { tarOf } from "../support/tar_writer.ts";

const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"].find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Images with something in their config that only Docker takes as it is. */
const ODD: Record<string, SavedImage> = {
  "no time": { top: { created: null } },
  "the year 1": { top: { created: "0001-01-01T00:00:00Z" } },
  "no history": { top: { history: null } },
  "a range of ports": { config: { ExposedPorts: { "8000-8002/tcp": {} } } },
  "ports as buildah writes them": { config: { ExposedPorts: { "8-9": {} } } },
  "a port in capitals": { config: { ExposedPorts: { "80/TCP": {} } } },
  "port 0 and a name": { config: { ExposedPorts: { "0/tcp": {}, http: {} } } },
  "a variable without a value": { config: { Env: ["PATH=/bin", "A", ""] } },
  "a command as a string": { config: { Cmd: "/bin/true" } },
  "an entrypoint as a string": { config: { Entrypoint: "/bin/echo" } },
  "an empty entrypoint": { config: { Entrypoint: [""] } },
  "a short interval": {
    config: { Healthcheck: { Test: ["CMD", "/bin/true"], Interval: 100 } },
  },
  "an odd health check": { config: { Healthcheck: { Test: ["/bin/true"] } } },
  "no test": { config: { Healthcheck: { Interval: 1e9 } } },
  "three parts of a user": { config: { User: "0:0:0" } },
  "a user that is in no file": { config: { User: "1000" } },
  "a relative volume": { config: { Volumes: { data: {} } } },
  "null everywhere": {
    config: { Labels: null, Volumes: null, ExposedPorts: null, Env: null },
  },
  "odd labels": { config: { Labels: { "": "x", constructor: "y", a: null } } },
  "an unknown signal": { config: { StopSignal: "SIGFOO" } },
  "a shell as a string": { config: { Shell: "/bin/sh" } },
  "orders for builds": { config: { OnBuild: ["RUN x"] } },
  "a kernel's architecture": { top: { architecture: "x86_64" } },
  "no platform": { top: { architecture: undefined, os: undefined } },
  "fields of Windows": { top: { "os.version": "10", "os.features": ["x"] } },
};

Deno.test({
  name: "what Docker loads and runs, converts and runs the same",
  ignore: !required.includes("docker") &&
    (Deno.uid() !== 0 || !isInstalled("dockerd") || BUSYBOX === undefined),
}, async (t) => {
  await using docker = await startDocker();
  assert.equal(docker.reason, undefined);
  await using work = await temporary();
  const [saved, isoc] = [`${work.path}/in.tar`, `${work.path}/out.isoc`];
  const env = { DOCKER_HOST: docker.host };
  const layer = tarOf([
    { name: "bin/", type: "5", mode: 0o755 },
    {
      name: "bin/busybox",
      mode: 0o755,
      data: binary(await Deno.readFile(BUSYBOX!)),
    },
    ...["echo", "true"].map((name) => ({
      name: `bin/${name}`,
      type: "2",
      link: "busybox",
    })),
  ]);
  const printed = async (file: string) => {
    await run("docker", ["load", "-q", "-i", file], { env });
    const args = ["run", "--rm", "--network=none", "isoc/odd:1"];
    const text = await run("docker", args, { env });
    await run("docker", ["rmi", "-f", "isoc/odd:1"], { env });
    return text;
  };
  for (const [what, image] of Object.entries(ODD)) {
    await t.step(what, async () => {
      await Deno.writeFile(saved, dockerArchive([{ ...image, layer }]));
      const { code, stderr } = await ciso(["convert", saved, "-o", isoc]);
      assert.equal(code, 0, stderr);
      assert.equal(await printed(isoc), await printed(saved));
    });
  }
});
