import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import { appcManifest } from "../../lib/formats/appc.ts";
import { readAppcManifest } from "../../lib/read/read_appc.ts";
import type { Image } from "../../lib/image/image.ts";

function read(manifest: object) {
  return readAppcManifest(
    JSON.stringify({ name: "example.com/a", ...manifest }),
  );
}

Deno.test("readAppcManifest() reads what appcManifest() writes", () => {
  const fields: Omit<Image, "names" | "annotations"> = {
    command: ["/bin/a", "b c", ""],
    env: ["PATH=/bin", "A=1=2", "EMPTY="],
    user: "1000:50",
    workdir: "/srv",
    volumes: ["/data"],
    exposedPorts: ["80/tcp", "53/udp"],
    labels: { "Any key": "x" },
    author: "Jane",
    created: 1433664550,
    os: "linux",
    architecture: "arm64",
  };
  const annotations = { "example.com/note": "text" };
  const written = appcManifest({
    ...fields,
    names: ["example.com/a:1.2"],
    annotations,
  });
  const { name, base, ...rest } = readAppcManifest(JSON.stringify(written));
  const found = base.fields;
  assert.equal(name, "example.com/a:1.2");
  assert.deepEqual(
    { ...found, exposedPorts: found.exposedPorts?.sort() },
    { ...fields, exposedPorts: fields.exposedPorts?.sort() },
  );
  assert.deepEqual(rest, { annotations });
});

Deno.test("readAppcManifest() takes a manifest with no more than a name", () => {
  const name = "example.com/a:latest";
  assert.deepEqual(read({}), { name, base: { fields: {}, appc: {} } });
  assert.deepEqual(
    read({ app: { exec: [], user: "0", group: "0" }, pathWhitelist: [] }),
    { name, base: { fields: {}, appc: {} } },
  );
});

Deno.test("readAppcManifest() keeps users that are not root", () => {
  const user = (user: string, group: string) =>
    read({ app: { user, group } }).base.fields.user;
  assert.equal(user("0", "0"), undefined);
  assert.equal(user("0", "5"), "0:5");
  assert.equal(user("app", "staff"), "app:staff");
  assert.equal(user("7", "0"), "7:0");
});

Deno.test("readAppcManifest() reads ranges of ports", () => {
  const ports = (...ports: object[]) =>
    read({ app: { ports } }).base.fields.exposedPorts;
  assert.deepEqual(
    ports(
      { name: "a", port: 80, protocol: "tcp", count: 3 },
      { name: "b", port: 53, protocol: "udp" },
      { name: "c", port: 53, protocol: "udp", count: 1 },
    ),
    ["80-82/tcp", "53/udp"],
  );
  assert.throws(
    () => ports({ name: "a", port: 1, protocol: "tcp", count: 1e9 }),
    { name: "InputError", message: /^manifest: app\.ports: .*from 1 to 65535/ },
  );
});

Deno.test("readAppcManifest() keeps what only the appc face can say", () => {
  const app = {
    supplementaryGIDs: [7, 8],
    mountPoints: [{ name: "data", path: "/data", readOnly: true }],
    ports: [{ name: "http", port: 80, protocol: "tcp", socketActivated: true }],
    isolators: [{ name: "resource/cpu", value: { limit: "1" } }],
    eventHandlers: [{ name: "pre-start", exec: ["/x"] }],
    userAnnotations: { a: "b" },
  };
  const labels = [
    { name: "version", value: "1" },
    { name: "channel", value: "beta" },
  ];
  const annotations = [
    { name: "homepage", value: "https://example.com" },
    { name: "constructor", value: "x" },
  ];
  const found = read({ pathWhitelist: ["/a"], annotations, app, labels });
  assert.deepEqual(found.visible, ["/a"]);
  assert.deepEqual(found.annotations, {
    "org.opencontainers.image.url": "https://example.com",
    constructor: "x",
  });
  const { supplementaryGIDs, mountPoints, ports, ...others } = app;
  assert.deepEqual(found.base.appc, {
    supplementaryGIDs,
    mountPoints,
    ports,
    labels: [{ name: "channel", value: "beta" }],
    app: others,
  });
  // And all of it comes out again.
  const image = {
    ...found.base.fields,
    names: [found.name],
    annotations: found.annotations,
    created: 0,
    architecture: "amd64",
    base: found.base,
  } as Image;
  const written = appcManifest(image, {
    ids: { uid: 0, gid: 0, additionalGids: [7, 8] },
  });
  const { exec: _, user: _u, group: _g, environment: _e, ...rest } =
    written.app;
  assert.deepEqual(rest, app);
  assert.deepEqual(written.labels.at(-1), labels[1]);
  assert.deepEqual(written.annotations.slice(1), annotations.reverse());
});

Deno.test("readAppcManifest() keeps names of what an image still has", () => {
  const { base, name } = read({
    app: {
      mountPoints: [{ name: "a", path: "/a" }, { name: "b", path: "/b" }],
      ports: [{ name: "web", port: 80, protocol: "tcp" }],
    },
  });
  const { mountPoints, ports } = appcManifest({
    names: [name],
    created: 0,
    architecture: "amd64",
    volumes: ["/b", "/c"],
    exposedPorts: ["80", "81-82/udp"],
    base,
  }).app;
  assert.deepEqual(mountPoints, [
    { name: "b", path: "/b" },
    { name: "c", path: "/c" },
  ]);
  assert.deepEqual(ports?.map(({ name, count }) => [name, count]), [
    ["web", undefined],
    ["81-udp", 2],
  ]);
});

Deno.test("readAppcManifest() spells a platform as the other formats do", () => {
  const labels = [
    { name: "os", value: "FreeBSD" },
    { name: "arch", value: "AMD64" },
  ];
  const { fields } = read({ labels }).base;
  assert.equal(fields.os, "freebsd");
  assert.equal(fields.architecture, "amd64");
});

Deno.test("readAppcManifest() passes over a time that is none", () => {
  const created = (value: string) =>
    read({ annotations: [{ name: "created", value }] }).base.fields.created;
  assert.equal(created("2015-06-07T08:09:10.9Z"), 1433664550);
  assert.equal(created("yesterday"), undefined);
  assert.equal(created("1969-12-31T00:00:00Z"), undefined);
});

Deno.test("readAppcManifest() refuses what it cannot take over", () => {
  assert.throws(
    () => readAppcManifest("{"),
    /^InputError: manifest is not JSON: it starts with "{"$/,
  );
  for (
    const [text, message] of [
      ["null", "manifest is null, but must be an object"],
      ["[]", "manifest is a list, but must be an object"],
      ["{}", "manifest: name is missing, but must be a string"],
      ['{"name":1}', "manifest: name is the number 1, but must be a string"],
      [
        '{"name":"a","labels":{}}',
        "manifest: labels is an object, but must be a list",
      ],
      [
        '{"name":"a","app":{"user":5}}',
        "manifest: app.user is the number 5, but must be a string",
      ],
    ] as const
  ) {
    assert.throws(
      () => readAppcManifest(text),
      new InputError(message),
      text,
    );
  }
  assert.throws(
    () => read({ dependencies: [{ imageName: "x" }] }),
    new InputError("The ACI depends on other ACIs; render it to one first"),
  );
  assert.throws(
    () => read({ app: { user: "/etc/passwd", group: "0" } }),
    /^InputError: The ACI takes its user from the owner of a file/,
  );
});
