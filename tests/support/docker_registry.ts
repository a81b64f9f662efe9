import { isInstalled, run } from "./run.ts";

/** A registry of Debian's docker-registry, gone with all it holds afterwards. */
export interface DockerRegistry extends AsyncDisposable {
  /** Host and port. */
  host: string;
  /** The certificate that its clients must trust, if it speaks HTTPS. */
  certificate?: string;
}

/** How a {@linkcode DockerRegistry} is started. */
export interface DockerRegistryOptions {
  /** A directory for its files. */
  work: string;
  /** Whether it speaks HTTPS. */
  tls?: boolean;
  /** Who must log in, `USER:PASSWORD`. */
  login?: string;
}

/** Whether all programs are there that {@linkcode startRegistry} needs. */
export function missingForRegistry(): string | undefined {
  return ["docker-registry", "htpasswd", "openssl", "skopeo"].find(
    (program) => !isInstalled(program),
  );
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Makes a certificate for this machine; gives the paths of it and its key. */
export async function certificate(
  work: string,
  names = "DNS:localhost,IP:127.0.0.1",
): Promise<{ cert: string; key: string }> {
  const cert = `${work}/cert.pem`;
  const key = `${work}/key.pem`;
  await run("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-keyout", key, "-out", cert],
    ...["-addext", `subjectAltName=${names}`],
  ]);
  return { cert, key };
}

/** Starts a registry on this machine. */
export async function startRegistry(
  { work, tls, login }: DockerRegistryOptions,
): Promise<DockerRegistry> {
  const host = `localhost:${freePort()}`;
  const http: Record<string, unknown> = {
    addr: host.replace("localhost", "127.0.0.1"),
  };
  const config: Record<string, unknown> = {
    version: 0.1,
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: `${work}/registry` } },
    http,
  };
  let certificatePath: string | undefined;
  if (tls) {
    const { cert, key } = await certificate(work);
    certificatePath = cert;
    http.tls = { certificate: cert, key };
  }
  if (login) {
    const [user, password] = login.split(":") as [string, string];
    const lines = await run("htpasswd", ["-Bbn", user, password]);
    await Deno.writeTextFile(`${work}/htpasswd`, lines);
    config.auth = { htpasswd: { realm: "test", path: `${work}/htpasswd` } };
  }
  // JSON is YAML too.
  await Deno.writeTextFile(`${work}/registry.yml`, JSON.stringify(config));
  const server = new Deno.Command("docker-registry", {
    args: ["serve", `${work}/registry.yml`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let tries = 0;; tries++) {
    try {
      using _ = await Deno.connect({ port: Number(host.split(":")[1]) });
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((go) => setTimeout(go, 100));
    }
  }
  return {
    host,
    ...(certificatePath !== undefined && { certificate: certificatePath }),
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
    },
  };
}
