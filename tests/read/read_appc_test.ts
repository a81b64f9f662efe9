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
  const { name, fields: found, ...rest } = readAppcManifest(
    JSON.stringify(written),
  );
  assert.equal(name, "example.com/a:1.2");
  assert.deepEqual(
    { ...found, exposedPorts: found.exposedPorts?.sort() },
    { ...fields, exposedPorts: fields.exposedPorts?.sort() },
  );
  assert.deepEqual(rest, { annotations, notes: [] });
});

Deno.test("readAppcManifest() takes a manifest with no more than a name", () => {
  assert.deepEqual(read({}), {
    name: "example.com/a:latest",
    fields: {},
    notes: [],
  });
  assert.deepEqual(
    read({ app: { exec: [], user: "0", group: "0" }, pathWhitelist: [] }),
    { name: "example.com/a:latest", fields: {}, notes: [] },
  );
});

Deno.test("readAppcManifest() keeps users that are not root", () => {
  const user = (user: string, group: string) =>
    read({ app: { user, group } }).fields.user;
  assert.equal(user("0", "0"), undefined);
  assert.equal(user("0", "5"), "0:5");
  assert.equal(user("app", "staff"), "app:staff");
  assert.equal(user("7", "0"), "7:0");
});

Deno.test("readAppcManifest() counts out a range of ports", () => {
  const ports = (...ports: object[]) =>
    read({ app: { ports } }).fields.exposedPorts;
  assert.deepEqual(
    ports(
      { port: 80, protocol: "tcp", count: 3 },
      { port: 53, protocol: "udp" },
    ),
    ["80/tcp", "81/tcp", "82/tcp", "53/udp"],
  );
  assert.equal(ports({ port: 1, protocol: "tcp", count: 1e9 })?.length, 1024);
});

Deno.test("readAppcManifest() tells what other formats cannot say", () => {
  const { visible, annotations, notes } = read({
    pathWhitelist: ["/a"],
    annotations: [
      { name: "homepage", value: "https://example.com" },
      { name: "constructor", value: "x" },
    ],
    app: { isolators: [{}], eventHandlers: [{}] },
  });
  assert.deepEqual(visible, ["/a"]);
  assert.deepEqual(annotations, {
    "org.opencontainers.image.url": "https://example.com",
    constructor: "x",
  });
  assert.deepEqual(notes, [
    "The ACI's isolators are left out: other formats have no such thing",
    "The ACI's eventHandlers are left out: other formats have no such thing",
  ]);
});

Deno.test("readAppcManifest() passes over a time that is none", () => {
  const created = (value: string) =>
    read({ annotations: [{ name: "created", value }] }).fields.created;
  assert.equal(created("2015-06-07T08:09:10.9Z"), 1433664550);
  assert.equal(created("yesterday"), undefined);
  assert.equal(created("1969-12-31T00:00:00Z"), undefined);
});

Deno.test("readAppcManifest() refuses what it cannot take over", () => {
  assert.throws(
    () => readAppcManifest("{"),
    /^InputError: The appc manifest is not JSON: /,
  );
  for (const text of ["null", "[]", "{}", '{"name":1}']) {
    assert.throws(
      () => readAppcManifest(text),
      new InputError("The appc manifest has no name"),
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
