// push, pull and serve with real registries and real engines.
import assert from "node:assert/strict";
import { CISO, ciso, ROOT, temporary } from "../support/ciso.ts";
import {
  certificate,
  freePort,
  missingForRegistry,
  startRegistry,
} from "../support/docker_registry.ts";
import { startServe as start } from "../support/serve.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";

const missing = missingForRegistry();
if (missing !== undefined && required.includes("registry")) {
  throw new Error(`${missing} is not installed, but a registry is required`);
}
const ignore = missing !== undefined;

/** ciso with the network. */
const withNet = [...CISO.slice(0, 3), "-A", ...CISO.slice(3)].filter((word) =>
  !/^--allow/.test(word)
);

const startServe = (args: string[]) => start(withNet, args);

async function must(args: string[], stdin?: string, env = {}): Promise<string> {
  const result = await ciso(args, {
    command: withNet,
    env,
    ...(stdin !== undefined && { stdin: new TextEncoder().encode(stdin) }),
  });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

async function helloIsoc(work: string): Promise<string> {
  await run(`${ROOT}/scripts/rootfs`, ["busybox", `${work}/rootfs.tar`]);
  await must([
    ...[`${work}/rootfs.tar`, "-t", "isoc/hello:1.0", "--created", "0"],
    ...["-e", "A=b", "-o", `${work}/hello.isoc`, "--", "/bin/echo", "hello"],
  ]);
  return `${work}/hello.isoc`;
}

/** The diff IDs and the process that an image config has. */
function essence(config: string) {
  const { rootfs, config: process, architecture } = JSON.parse(config);
  return { diffIds: rootfs.diff_ids, process, architecture };
}

Deno.test({
  name: "What ciso pushes, skopeo reads; a second push sends no layer",
  ignore,
  async fn() {
    await using folder = await temporary();
    const work = folder.path;
    const isoc = await helloIsoc(work);
    await using registry = await startRegistry({ work });
    for (const compression of ["gzip", "zstd", "none"]) {
      const target = `${registry.host}/isoc/${compression}:1.0`;
      const args = ["push", isoc, target, "--compression", compression];
      const level = compression === "none" ? "" : ":9";
      const first = JSON.parse(await must([...args, "--json"]));
      assert.equal(first.blobs.uploaded, 2);
      const raw = await run("skopeo", [
        ...["inspect", "--tls-verify=false", "--raw", `docker://${target}`],
      ]);
      const [layer] = JSON.parse(raw).layers;
      assert.match(
        layer.mediaType,
        compression === "none" ? /\.tar$/ : new RegExp(`\\+${compression}$`),
      );
      const config = await run("skopeo", [
        ...["inspect", "--tls-verify=false", "--config", `docker://${target}`],
      ]);
      const local = await run("skopeo", [
        ...["inspect", "--config", `oci-archive:${isoc}`],
      ]);
      assert.deepEqual(essence(config), essence(local));
      const again = JSON.parse(await must([...args, "--json"]));
      assert.deepEqual(
        [again.blobs, again.bytesSent, again.digest],
        [{ uploaded: 0, mounted: 0, present: 2 }, 0, first.digest],
      );
      // What a layer became is remembered, and sent where a registry lacks it.
      const env = { XDG_CACHE_HOME: `${work}/cache` };
      for (const name of ["first", "second"]) {
        const one = JSON.parse(
          await must(
            [
              ...["push", isoc, `${registry.host}/${name}/${compression}:1`],
              ...["--compression", `${compression}${level}`, "--json"],
            ],
            undefined,
            env,
          ),
        );
        assert.equal(one.blobs.uploaded, 2);
      }
      const packed = compression === "none"
        ? undefined
        : `${work}/cache/ciso/packed`;
      if (packed) assert.ok([...Deno.readDirSync(packed)].length > 0);
      // Another repository takes the layers over.
      const other = await must([
        ...["push", isoc, `${registry.host}/other/${compression}:1`, "--json"],
        ...["--compression", compression],
        ...["--mount-from", `isoc/${compression}`],
      ]);
      assert.deepEqual(JSON.parse(other).bytesSent, 0);
    }
  },
});

Deno.test({
  name: "ciso pulls what skopeo pushed, the same as its archive",
  ignore,
  async fn() {
    await using folder = await temporary();
    const work = folder.path;
    const isoc = await helloIsoc(work);
    await using registry = await startRegistry({ work });
    const target = `${registry.host}/isoc/hello:1.0`;
    await run("skopeo", [
      ...["copy", "--dest-tls-verify=false", `docker-archive:${isoc}`],
      `docker://${target}`,
    ]);
    const out = `${work}/pulled.isoc`;
    await must(["pull", target, "-t", "isoc/hello:1.0", "-o", out]);
    await must([
      ...["convert", isoc, "-t", "isoc/hello:1.0"],
      ...["-o", `${work}/again.isoc`],
    ]);
    // The same layers and the same config: the same bytes.
    await run("cmp", [out, `${work}/again.isoc`]);
    await must(["verify", out]);
    // As a base, and by digest.
    const digest = await run("skopeo", [
      ...["inspect", "--tls-verify=false", "--format", "{{.Digest}}"],
      `docker://${target}`,
    ]);
    await must([
      ...["--from", `docker://${registry.host}/isoc/hello@${digest.trim()}`],
      ...["-t", "me/app", "-o", `${work}/based.isoc`, "--", "/bin/true"],
    ]);
    const absent = await ciso([
      "pull",
      `${registry.host}/nobody/here`,
      "-o",
      "x",
    ], {
      command: withNet,
    });
    assert.equal(absent.code, 1);
    assert.match(absent.stderr, /nobody\/here:latest is not there/);
  },
});

Deno.test({
  name: "TLS and logins: by option, file and helper, and never shown",
  ignore,
  async fn() {
    await using folder = await temporary();
    const work = folder.path;
    const isoc = await helloIsoc(work);
    await using registry = await startRegistry({
      work,
      tls: true,
      login: "me:pass-word",
    });
    const target = `${registry.host}/isoc/hello:1.0`;
    const ca = ["--ca-cert", registry.certificate!];
    const fails = async (args: string[], message: RegExp, stdin = "") => {
      const { code, stderr } = await ciso(["push", isoc, target, ...args], {
        command: withNet,
        stdin: new TextEncoder().encode(stdin),
        env: { HOME: work, CISO_DEBUG: "1" },
      });
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.ok(!stderr.includes("pass-word"), stderr);
      assert.ok(!stderr.includes(btoa("me:pass-word")), stderr);
    };
    await fails([], /is not trusted: give --ca-cert/);
    await fails(ca, /log in with docker login/);
    const user = [...ca, "--username", "me", "--password-stdin", "-v"];
    await fails(user, /does not allow that/, "wrong");
    await must(["push", isoc, target, ...user], "pass-word\n");

    const file = `${work}/auth.json`;
    const auth = (entry: unknown) =>
      Deno.writeTextFile(file, JSON.stringify(entry));
    const env = { REGISTRY_AUTH_FILE: file, HOME: work };
    await auth({ auths: { [registry.host]: { auth: btoa("me:pass-word") } } });
    await must(["push", isoc, target, ...ca], undefined, env);

    await Deno.mkdir(`${work}/bin`);
    await Deno.writeTextFile(
      `${work}/bin/docker-credential-testing`,
      `#!/bin/sh\nread -r server\n[ "$server" = "${registry.host}" ] || exit 1\n` +
        `echo '{"Username":"me","Secret":"pass-word"}'\n`,
      { mode: 0o755 },
    );
    await auth({ credHelpers: { [registry.host]: "testing" } });
    await must(["pull", target, ...ca, "-o", `${work}/p.isoc`], undefined, {
      ...env,
      PATH: `${work}/bin:${Deno.env.get("PATH")}`,
    });
    await Deno.writeTextFile(
      `${work}/bin/docker-credential-sealed`,
      "#!/bin/sh\ncat >/dev/null\necho no key\nexit 3\n",
      { mode: 0o755 },
    );
    await auth({ credsStore: "sealed" });
    const sealed = await ciso(["push", isoc, target, ...ca], {
      command: withNet,
      env: { ...env, PATH: `${work}/bin:${Deno.env.get("PATH")}` },
    });
    assert.match(
      sealed.stderr,
      /docker-credential-sealed, which fails with exit code 3 \("no key"\)/,
    );
    await auth({ credsStore: "nowhere" });
    const { code, stderr } = await ciso(["push", isoc, target, ...ca], {
      command: withNet,
      env,
    });
    assert.equal(code, 1);
    assert.match(stderr, /docker-credential-nowhere, which cannot be run/);
  },
});

Deno.test({
  name: "Engines pull from ciso serve what its archive holds",
  ignore,
  async fn() {
    await using folder = await temporary();
    const work = folder.path;
    const isoc = await helloIsoc(work);
    await using server = await startServe([isoc, "--listen", "localhost:0"]);
    const from = `${server.host}/isoc/hello:1.0`;
    await run("skopeo", [
      ...["copy", "--src-tls-verify=false", `docker://${from}`],
      `oci:${work}/layout:1.0`,
    ]);
    const config = await run("skopeo", [
      ...["inspect", "--config", `oci:${work}/layout:1.0`],
    ]);
    const local = await run("skopeo", [
      ...["inspect", "--config", `oci-archive:${isoc}`],
    ]);
    assert.deepEqual(essence(config), essence(local));
    await must(["pull", from, "-o", `${work}/pulled.isoc`]);
    await must(["verify", `${work}/pulled.isoc`]);
    if (isInstalled("podman")) {
      const root = [
        ...["--root", `${work}/podman`, "--runroot", `${work}/run`],
        ...["--storage-driver", "vfs", "--cgroup-manager=cgroupfs"],
      ];
      await run("podman", [...root, "pull", "--tls-verify=false", from]);
      const names = await run("podman", [
        ...root,
        ...["images", "--format", "{{.Repository}}:{{.Tag}}"],
      ]);
      assert.equal(names.trim(), from);
      await run("podman", [...root, "unshare", "true"]).catch(() => {});
      await run("podman", [...root, "rmi", "-af"]);
    }
  },
});

Deno.test({
  name: "ciso serve over TLS lets in only whom its file knows",
  ignore,
  async fn() {
    await using folder = await temporary();
    const work = folder.path;
    const isoc = await helloIsoc(work);
    const { cert, key } = await certificate(work);
    await Deno.writeTextFile(
      `${work}/users`,
      await run("htpasswd", ["-Bbn", "me", "pass-word"]),
    );
    const port = freePort();
    await using server = await startServe([
      ...[isoc, "--listen", `localhost:${port}`],
      ...["--tls-cert", cert, "--tls-key", key, "--htpasswd", `${work}/users`],
    ]);
    assert.equal(server.href, `https://localhost:${port}/`);
    const inspect = (creds: string) =>
      run("skopeo", [
        ...["inspect", "--tls-verify=false", "--creds", creds],
        `docker://localhost:${port}/isoc/hello:1.0`,
      ]);
    assert.match(await inspect("me:pass-word"), /"Digest"/);
    await assert.rejects(inspect("me:wrong"), /unauthorized/);
    await assert.rejects(inspect("you:pass-word"), /unauthorized/);
    await must(
      [
        ...["pull", `localhost:${port}/isoc/hello:1.0`, "--ca-cert", cert],
        ...["--username", "me", "--password-stdin", "-o", `${work}/p.isoc`],
      ],
      "pass-word",
    );
  },
});
