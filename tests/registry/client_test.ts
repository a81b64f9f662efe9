import assert from "node:assert/strict";
import { arriving } from "../../lib/registry/body.ts";
import { RegistryClient } from "../../lib/registry/client.ts";
import {
  downloadBlob,
  type DownloadOptions,
} from "../../lib/registry/download.ts";
import { getManifest } from "../../lib/registry/manifest.ts";
import { memoryBlob } from "../../lib/registry/push_image.ts";
import { uploadBlob } from "../../lib/registry/upload.ts";
import { UPLOAD_CHUNK } from "../../lib/registry/upload_bodies.ts";
import { broken, FakeRegistry } from "../support/fake_registry.ts";
import { status } from "../support/tricks.ts";

/** Waits take no time here. */
const options = { sleep: () => Promise.resolve(), random: () => 0 };
const client = (registry: FakeRegistry, more = {}) =>
  new RegistryClient(registry.host, { plainHttp: true, ...options, ...more });
const bytes = (size: number) =>
  Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));

async function download(
  registry: FakeRegistry,
  digest: string,
  size: number,
  more: { start?: number; end?: number } = {},
  how: DownloadOptions = {},
) {
  const chunks: Uint8Array[] = [];
  const range = { digest, size, ...more };
  for await (
    const chunk of downloadBlob(client(registry), "a/b", range, {
      ...options,
      ...how,
    })
  ) {
    chunks.push(how.isLent ? chunk.slice() : chunk);
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

Deno.test("downloadBlob() goes on where a connection broke", async () => {
  const data = bytes(300_000);
  let breaks = 0;
  await using registry = new FakeRegistry((request) => {
    if (!request.url.includes("/blobs/") || breaks === 3) return undefined;
    const from = Number(
      /=(\d+)/.exec(request.headers.get("range") ?? "")?.[1] ?? 0,
    );
    breaks++;
    return broken(data.subarray(from, from + 70_000), data.length - from);
  });
  const digest = registry.add(data);
  assert.deepEqual(await download(registry, digest, data.length), data);
  assert.equal(breaks, 3);
  // With memory that is used again and again.
  breaks = 0;
  const lent = { isLent: true };
  assert.deepEqual(
    await download(registry, digest, data.length, {}, lent),
    data,
  );
  assert.equal(breaks, 3);
});

Deno.test("downloadBlob() leaves the digest to somebody else", async () => {
  const data = bytes(300_000);
  await using registry = new FakeRegistry();
  const digest = registry.add(data);
  const get = (hex: string) => {
    const hash = { hex: () => Promise.resolve(hex) };
    return download(registry, digest, data.length, {}, { isLent: true, hash });
  };
  const right = digest.slice("sha256:".length);
  assert.deepEqual(await get(right), data);
  await assert.rejects(get("0".repeat(64)), /is damaged.*another digest/);
});

Deno.test("downloadBlob() gives a stretch, of a registry without ranges too", async () => {
  const data = bytes(100_000);
  for (const whole of [false, true]) {
    await using registry = new FakeRegistry((request) =>
      whole && request.url.includes("/blobs/")
        ? new Response(data.slice())
        : undefined
    );
    const digest = registry.add(data);
    const got = await download(registry, digest, data.length, {
      start: 40_000,
      end: 41_000,
    });
    assert.deepEqual(got, data.slice(40_000, 41_000));
  }
});

Deno.test("downloadBlob() never gives the last bytes of a wrong blob", async () => {
  const data = bytes(100_000);
  const wrong: [string, Uint8Array, RegExp][] = [
    [
      "other bytes",
      data.map((byte, i) => i === 5 ? byte ^ 1 : byte),
      /damaged/,
    ],
    ["more bytes", bytes(100_001), /longer than 100000 bytes/],
  ];
  for (const [what, sent, message] of wrong) {
    await using registry = new FakeRegistry((request) =>
      request.url.includes("/blobs/") ? new Response(sent.slice()) : undefined
    );
    const digest = registry.add(data);
    let size = 0;
    const range = { digest, size: data.length };
    await assert.rejects(
      async () => {
        for await (
          const chunk of downloadBlob(client(registry), "a", range, options)
        ) size += chunk.length;
      },
      message,
      what,
    );
    assert.ok(size < data.length, what);
  }
});

Deno.test("downloadBlob() does not wait for ever for what never comes", async () => {
  const data = bytes(1000);
  await using registry = new FakeRegistry((request) =>
    request.url.includes("/blobs/")
      ? broken(new Uint8Array(0), 1000)
      : undefined
  );
  const digest = registry.add(data);
  await assert.rejects(
    download(registry, digest, data.length),
    /broke/,
  );
  assert.equal(
    registry.requests.filter((line) => line.includes("/blobs/")).length,
    5,
  );
});

Deno.test("The client tries again after 429 and 5xx, and not after 400", async () => {
  for (const status of [429, 500, 502, 503, 504]) {
    const waits: number[] = [];
    let failures = 0;
    await using registry = new FakeRegistry((request) =>
      request.url.includes("/manifests/") && failures++ < 2
        ? new Response(null, { status, headers: { "retry-after": "3" } })
        : undefined
    );
    registry.manifests.set("x", {
      type: "application/vnd.oci.image.manifest.v1+json",
      bytes: new TextEncoder().encode("{}"),
    });
    const sleep = (wait: number) => {
      waits.push(wait);
      return Promise.resolve();
    };
    await getManifest(client(registry, { sleep }), {
      registry: registry.host,
      repository: "a",
      tag: "x",
    });
    assert.deepEqual(waits, [3000, 3000], String(status));
  }
  await using registry = new FakeRegistry((request) =>
    request.url.includes("/manifests/")
      ? Response.json({
        errors: [{ code: "NAME_INVALID", message: "bad\x1b[31mname" }],
      }, { status: 400 })
      : undefined
  );
  const tag = { registry: registry.host, repository: "a", tag: "x" };
  await assert.rejects(getManifest(client(registry), tag), {
    name: "InputError",
    message: /answers 400 to GET .*NAME_INVALID.*bad\\u001b\[31mname/,
  });
  assert.equal(registry.requests.length, 1);
});

Deno.test("A registry in trouble is asked five times, not five times five", async () => {
  await using registry = new FakeRegistry((request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/v2/" || request.method === "HEAD"
      ? undefined
      : new Response(null, { status: 503 });
  });
  const count = (start: string) =>
    registry.requests.filter((line) => line.startsWith(start)).length;
  const data = bytes(1000);
  const digest = registry.add(data);
  const tag = { registry: registry.host, repository: "a", tag: "x" };
  await assert.rejects(getManifest(client(registry), tag), /answers 503/);
  assert.equal(count("GET /v2/a/manifests/"), 5);
  await assert.rejects(download(registry, digest, data.length), /answers 503/);
  assert.equal(count("GET /v2/a/b/blobs/"), 5);
  const other = memoryBlob(bytes(2000));
  await assert.rejects(
    uploadBlob(client(registry), "a", other, { retry: options }),
    /answers 503/,
  );
  assert.equal(count("POST /v2/a/blobs/uploads/"), 5);
});

Deno.test("Redirects to another host carry no credentials", async () => {
  const data = bytes(1000);
  await using other = new FakeRegistry();
  const digest = other.add(data);
  await using registry = new FakeRegistry((request) => {
    if (request.headers.get("authorization") === null) {
      return new Response(null, {
        status: 401,
        headers: { "www-authenticate": 'Basic realm="x"' },
      });
    }
    return request.url.includes("/blobs/")
      ? Response.redirect(`http://${other.host}/v2/a/blobs/${digest}`, 307)
      : undefined;
  });
  const credentials = { username: "me", password: "secret" };
  const lines: string[] = [];
  const one = client(registry, {
    credentials,
    onRequest: (line: string) => lines.push(line),
  });
  for await (
    const _ of downloadBlob(one, "a", { digest, size: 1000 }, options)
  );
  assert.equal(other.requests.length, 1);
  assert.equal(other.headers[0]!.get("authorization"), null);
  assert.equal(
    registry.headers.at(-1)!.get("authorization"),
    `Basic ${btoa("me:secret")}`,
  );
  assert.ok(!lines.join("\n").includes("secret"));
  assert.ok(!lines.join("\n").includes(btoa("me:secret")));
});

Deno.test("Redirects without end, and to nowhere, are errors", async () => {
  for (const location of ["/v2/again", "http://[", "ftp://a/b"]) {
    await using registry = new FakeRegistry((request) =>
      request.url.endsWith("/v2/")
        ? undefined
        : new Response(null, { status: 302, headers: { location } })
    );
    const tag = { registry: registry.host, repository: "a", tag: "x" };
    await assert.rejects(
      getManifest(client(registry), tag),
      /redirects|which is not HTTPS/,
    );
  }
});

/** A registry that wants tokens, which it gives itself. */
function tokenTrick(
  give: (request: Request, count: number) => Response,
): (request: Request) => Response | undefined {
  let given = 0;
  return (request) => {
    const url = new URL(request.url);
    if (url.pathname === "/token") return give(request, ++given);
    const header = request.headers.get("authorization");
    if (header === `Bearer token-${given}`) return undefined;
    return new Response(null, {
      status: 401,
      headers: {
        "www-authenticate":
          `Bearer realm="http://${url.host}/token",service="s"`,
      },
    });
  };
}

Deno.test("Tokens are fetched for what is done, and again when they end", async () => {
  const scopes: string[] = [];
  await using registry = new FakeRegistry(tokenTrick((request, count) => {
    scopes.push(new URL(request.url).searchParams.get("scope")!);
    assert.equal(
      request.headers.get("authorization"),
      `Basic ${btoa("me:secret")}`,
    );
    // It ends at once: each request needs a new one.
    return Response.json({ token: `token-${count}`, expires_in: 16 });
  }));
  const one = client(registry, {
    credentials: { username: "me", password: "secret" },
  });
  const data = bytes(UPLOAD_CHUNK + 5);
  const outcome = await uploadBlob(one, "a/b", memoryBlob(data));
  assert.equal(outcome, "uploaded");
  assert.equal(scopes[0], "repository:a/b:pull,push");
});

Deno.test("Token servers that loop, lie or flood give one clear error", async () => {
  const cases: [string, () => Response, RegExp][] = [
    ["loops", () => Response.json({ token: "wrong" }), /does not allow/],
    ["no token", () => Response.json({ token: 5 }), /missing or malformed/],
    ["header break", () => Response.json({ token: "a\r\nb: c" }), /malformed/],
    ["no JSON", () => new Response("<html>"), /is no JSON/],
    ["flood", () => new Response(new Uint8Array(2 << 20)), /longer than/],
    ["refuses", () => new Response(null, { status: 401 }), /without a user/],
    [
      "says why",
      () =>
        Response.json({ errors: [{ code: "DENIED", message: "late\x1b" }] }, {
          status: 403,
        }),
      /without a user \("DENIED" "late\\u001b"\)/,
    ],
    ["elsewhere", () => Response.redirect("http://x.example/", 302), /302/],
  ];
  for (const [what, give, message] of cases) {
    await using registry = new FakeRegistry((request) => {
      const url = new URL(request.url);
      if (url.pathname === "/token") return give();
      return new Response(null, {
        status: 401,
        headers: {
          "www-authenticate": `Bearer realm="http://${url.host}/token"`,
        },
      });
    });
    const tag = { registry: registry.host, repository: "a", tag: "x" };
    await assert.rejects(getManifest(client(registry), tag), {
      name: "InputError",
      message,
    }, what);
    assert.ok(registry.requests.length <= 8, what);
  }
});

Deno.test("Each way to ask for a login is understood, and none shows a key", async () => {
  const there = (host: string) => `http://u:secret@${host}/token?key=secret`;
  const cases: [string, (host: string) => string, RegExp | undefined][] = [
    ["a user", (host) => `BEARER Realm="${there(host)}"`, undefined],
    ["Basic beside", () => 'Bearer, Basic realm="a\\", b"', undefined],
    ["odd first", () => "Negotiate YI==, Basic", undefined],
    ["no realm", () => "Bearer", /no URL/],
    ["FTP", () => 'Bearer realm="ftp://u:secret@x/?secret"', /can mend that/],
    ["unknown", () => "Negotiate", /"negotiate"; it knows Basic and Bearer/],
  ];
  for (const [what, header, message] of cases) {
    await using registry = new FakeRegistry((request) => {
      const url = new URL(request.url);
      if (url.pathname === "/token") {
        return Response.json({ token: "", access_token: "good" });
      }
      const said = request.headers.get("authorization");
      const isGood = said === "Bearer good" || said === `Basic ${btoa("me:x")}`;
      return isGood ? undefined : new Response(null, {
        status: 401,
        headers: { "www-authenticate": header(url.host) },
      });
    });
    const credentials = { username: "me", password: "x" };
    const one = client(registry, { credentials });
    const tag = { registry: registry.host, repository: "a", tag: "x" };
    await assert.rejects(getManifest(one, tag), (error: Error) => {
      assert.match(error.message, message ?? /is not there/, what);
      assert.ok(!error.message.includes("secret"), error.message);
      return true;
    });
  }
});

Deno.test("A password never goes to a token server without TLS elsewhere", async () => {
  await using registry = new FakeRegistry(() =>
    new Response(null, {
      status: 401,
      headers: { "www-authenticate": 'Bearer realm="http://evil.example/t"' },
    })
  );
  const asked: string[] = [];
  const one = new RegistryClient(registry.host, {
    ...options,
    credentials: { username: "me", password: "secret" },
    fetch: (url, init) => {
      asked.push(url);
      return fetch(url, init);
    },
  });
  const tag = { registry: registry.host, repository: "a", tag: "x" };
  await assert.rejects(getManifest(one, tag), /not reached by HTTPS/);
  assert.ok(asked.every((url) => !url.includes("evil")));
});

Deno.test("uploadBlob() says what a registry does wrong, and trusts no other host", async () => {
  await using other = new FakeRegistry();
  const answer = (status: number, headers: HeadersInit = {}) =>
    new Response(null, { status, headers });
  const cases: [string, string, Response, RegExp][] = [
    ["too large", "PUT", answer(413), /answers 413 .*raise the limit/],
    ["no place", "POST", answer(202), /does not say where/],
    [
      "no URL",
      "POST",
      answer(202, { location: "http://[" }),
      /which is no URL/,
    ],
    [
      "another host",
      "POST",
      answer(202, { location: `http://${other.host}/up` }),
      /answers 200 to PUT/,
    ],
  ];
  for (const [what, method, wrong, message] of cases) {
    await using registry = new FakeRegistry((request) => {
      if (request.headers.get("authorization") === null) {
        return answer(401, { "www-authenticate": 'Basic realm="x"' });
      }
      return request.method === method ? wrong.clone() : undefined;
    });
    const credentials = { username: "me", password: "secret" };
    await assert.rejects(
      uploadBlob(client(registry, { credentials }), "a", memoryBlob(bytes(9))),
      { name: "InputError", message },
      what,
    );
    assert.equal(registry.blobs.size, 0);
  }
  assert.deepEqual(
    other.headers.map((headers) => headers.get("authorization")),
    [null],
  );
});

Deno.test("uploadBlob() skips what is there, and takes over from elsewhere", async () => {
  const blob = memoryBlob(bytes(1000));
  await using registry = new FakeRegistry((request) =>
    request.url.includes("mount=")
      ? new Response(null, { status: 201 })
      : undefined
  );
  const mounted = await uploadBlob(client(registry), "a", blob, {
    mountFrom: ["b"],
  });
  assert.equal(mounted, "mounted");
  registry.blobs.set(blob.digest, bytes(1000));
  assert.equal(await uploadBlob(client(registry), "a", blob), "present");
  assert.equal(registry.received, 0);
});

Deno.test("uploadBlob() takes over what is not there from the first that has it", async () => {
  const blob = memoryBlob(bytes(1000));
  await using registry = new FakeRegistry((request) =>
    request.url.includes("from=c") ? status(201) : undefined
  );
  const upload = (mountFrom: string[]) =>
    uploadBlob(client(registry), "a", blob, { mountFrom });
  // The second one of two has it.
  assert.equal(await upload(["b", "c"]), "mounted");
  // None of them has it.
  assert.equal(await upload(["b"]), "uploaded");
  registry.requests.length = 0;
  // Registries take over again what is there already.
  assert.equal(await upload(["c"]), "present");
  assert.ok(!registry.requests.some((one) => one.startsWith("POST")));
});

Deno.test("uploadBlob() sends again only the chunk whose connection broke", async () => {
  const data = bytes(3 * UPLOAD_CHUNK + 17);
  let patches = 0;
  await using registry = new FakeRegistry(async (request) => {
    if (request.method !== "PATCH" || ++patches !== 2) return undefined;
    await request.body?.cancel();
    return new Response(null, { status: 502 });
  });
  const blob = memoryBlob(data);
  let counted = 0;
  await uploadBlob(client(registry), "a", blob, {
    retry: options,
    onBytes: (count) => void (counted += count),
  });
  assert.deepEqual(registry.blobs.get(blob.digest), data);
  assert.equal(registry.received, data.length);
  assert.equal(counted, data.length);
});

Deno.test("uploadBlob() begins anew when the registry has forgotten the upload", async () => {
  const data = bytes(2 * UPLOAD_CHUNK);
  let patches = 0;
  await using registry = new FakeRegistry((request) => {
    if (request.method === "PATCH" && ++patches === 2) {
      return new Response(null, { status: 503 });
    }
    const isStatus = request.method === "GET" &&
      request.url.includes("/uploads/");
    return isStatus ? new Response(null, { status: 404 }) : undefined;
  });
  const blob = memoryBlob(data);
  await uploadBlob(client(registry), "a", blob, { retry: options });
  assert.deepEqual(registry.blobs.get(blob.digest), data);
});

Deno.test("uploadBlob() goes on with what an earlier run has sent", async () => {
  // More than goes into one request.
  const data = new Uint8Array(9 * UPLOAD_CHUNK);
  for (let at = 0; at < data.length; at += UPLOAD_CHUNK) {
    data[at + 7] = at >> 20;
  }
  const places = new Map<string, string>();
  const memory = {
    get: (key: string) => places.get(key),
    set: (key: string, place?: string) => {
      if (place === undefined) places.delete(key);
      else places.set(key, place);
    },
  };
  let sent = 0;
  let isDead = true;
  await using registry = new FakeRegistry((request) =>
    /PATCH|PUT/.test(request.method) && ++sent > 1 && isDead
      ? new Response(null, { status: 403 })
      : undefined
  );
  const blob = memoryBlob(data);
  await assert.rejects(uploadBlob(client(registry), "a", blob, { memory }));
  isDead = false;
  const before = registry.received;
  await uploadBlob(client(registry), "a", blob, { memory });
  assert.deepEqual(registry.blobs.get(blob.digest), data);
  assert.ok(before >= UPLOAD_CHUNK && before < data.length);
  assert.equal(registry.received, data.length);
  assert.equal(places.size, 0);
});

Deno.test("getManifest() refuses wrong digests, floods and what is no manifest", async () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const type = "application/vnd.oci.image.manifest.v1+json";
  const cases: [string, () => Response, RegExp][] = [
    [
      "wrong digest",
      () => new Response("{}", { headers: { "content-type": type } }),
      /damaged/,
    ],
    ["flood", () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1 << 20)),
        }),
        { headers: { "content-type": type } },
      ), /longer than/],
    ["missing", () => new Response(null, { status: 404 }), /is not there/],
  ];
  for (const [what, give, message] of cases) {
    await using registry = new FakeRegistry((request) =>
      request.url.includes("/manifests/") ? give() : undefined
    );
    await assert.rejects(
      getManifest(client(registry), {
        registry: registry.host,
        repository: "a",
        digest,
      }),
      { name: "InputError", message },
      what,
    );
  }
});

Deno.test("What cannot be reached is named", async () => {
  // Nothing listens there: the port was free a moment ago.
  const { port } = Deno.listen({ port: 0 }).addr as Deno.NetAddr;
  const none = new RegistryClient(`127.0.0.1:${port}`, {
    ...options,
    plainHttp: true,
    patience: 300,
  });
  await assert.rejects(
    none.send({
      method: "GET",
      path: "/v2/",
      scope: "",
      expect: [200],
      tries: 2,
    }),
    { message: new RegExp(`127.0.0.1:${port}`) },
  );
});

Deno.test("send() logs in for several requests at a time", async () => {
  const header = `Basic ${btoa("me:pass-word")}`;
  await using registry = new FakeRegistry((request) =>
    request.headers.get("authorization") === header ? undefined : new Response(
      null,
      { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
    )
  );
  const one = client(registry, {
    credentials: { username: "me", password: "pass-word" },
  });
  const answers = await Promise.all(
    [1, 2, 3, 4].map(async (n) => {
      const response = await one.send({
        method: "GET",
        path: `/v2/?${n}`,
        scope: "x",
        expect: [200],
      });
      return await response.text();
    }),
  );
  assert.deepEqual(answers, ["{}", "{}", "{}", "{}"]);
});

Deno.test("A place over HTTP at the registry's own host is reached by HTTPS", async () => {
  const one = new RegistryClient("registry.example");
  const own = await one.url("http://registry.example/v2/x");
  assert.equal(own.href, "https://registry.example/v2/x");
  await assert.rejects(one.url("http://other.example/v2/x"), /not HTTPS/);
});

Deno.test("arriving() does not wait for ever for what comes next", async () => {
  const stalled = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
  });
  await assert.rejects(async () => {
    for await (const _ of arriving(stalled, 20)) { /* waits */ }
  }, /Nothing came for 0\.02 seconds/);
});
