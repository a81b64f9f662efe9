import assert from "node:assert/strict";
import { appcManifest, unsupportedByAppc } from "../../lib/formats/appc.ts";
import { jsonText } from "../../lib/formats/json_text.ts";
import type { Image } from "../../lib/image/image.ts";
import { isInstalled, run } from "../support/run.ts";
import { FULL, PATH, PLAIN } from "../support/sample_image.ts";

const VARIABLES = [
  { name: "PATH", value: PATH.slice("PATH=".length) },
  { name: "GREETING", value: "hi" },
  { name: "EMPTY", value: "" },
];

Deno.test("appcManifest() maps every field it can", () => {
  assert.deepEqual(appcManifest(FULL), {
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name: "isoc/hello",
    labels: [
      { name: "version", value: "1.0" },
      { name: "os", value: "linux" },
      { name: "arch", value: "armv6l" },
    ],
    app: {
      exec: ["/bin/busybox", "echo", "make container not war"],
      user: "1000",
      group: "1001",
      workingDirectory: "/srv/work",
      environment: VARIABLES,
      mountPoints: [
        { name: "var-lib-data", path: "/var/lib/data" },
        { name: "data", path: "/data" },
      ],
      ports: [
        port(8080, "tcp"),
        port(53, "udp"),
      ],
      userLabels: { a__b: "1", "org.example.Team_name": "blue" },
    },
    annotations: [
      { name: "created", value: "2015-06-09T12:00:00Z" },
      { name: "authors", value: "Jane <jane@example.com>" },
      { name: "foo-bar", value: "q" },
      { name: "created-2", value: "by me" },
    ],
  });
});

function port(port: number, protocol: string) {
  const name = `${port}-${protocol}`;
  return { name, protocol, port, count: 1, socketActivated: false };
}

Deno.test("appcManifest() leaves out what is not set", () => {
  assert.deepEqual(appcManifest(PLAIN), {
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name: "hello",
    labels: [
      { name: "version", value: "latest" },
      { name: "os", value: "linux" },
      { name: "arch", value: "amd64" },
    ],
    app: {
      exec: [],
      user: "0",
      group: "0",
      environment: VARIABLES.slice(0, 1),
    },
    annotations: [{ name: "created", value: "1970-01-01T00:00:00Z" }],
  });
});

Deno.test("appcManifest() makes exec absolute where it can", () => {
  const exec = (fields: Partial<Image>, executable?: string) =>
    appcManifest({ ...PLAIN, ...fields }, { executable }).app.exec;
  assert.deepEqual(exec({ command: ["/bin/echo", "a b"] }), [
    "/bin/echo",
    "a b",
  ]);
  assert.deepEqual(exec({ command: ["./run"], workdir: "/srv/" }), [
    "/srv/./run",
  ]);
  assert.deepEqual(exec({ command: ["bin/run"] }), ["/bin/run"]);
  assert.deepEqual(exec({ command: ["echo", "x"] }), ["echo", "x"]);
  assert.deepEqual(exec({ command: ["echo", "x"] }, "/bin/echo"), [
    "/bin/echo",
    "x",
  ]);
  assert.deepEqual(exec({ entrypoint: ["/e"], command: ["c"] }), ["/e", "c"]);
});

Deno.test("appcManifest() takes the groups that are looked up", () => {
  const ids = { uid: 5, gid: 6, additionalGids: [7] };
  const app = (user?: string) => appcManifest({ ...PLAIN, user }, { ids }).app;
  assert.equal(app("web").user, "web");
  assert.equal(app("web").group, "6");
  assert.deepEqual(app("web").supplementaryGIDs, [7]);
  assert.equal(app("web:www").group, "www");
});

Deno.test("appcManifest() renames what appc forbids, without losing any", () => {
  const { name, annotations } = appcManifest({
    ...PLAIN,
    names: ["localhost:5000/app__x"],
    annotations: { "A:b": "1", "a:b": "2", authors: "3", "a-b-2": "4" },
  });
  assert.equal(name, "localhost-5000/app_x");
  assert.deepEqual(annotations.slice(1), [
    { name: "a-b", value: "1" },
    { name: "a-b-2", value: "4" },
    { name: "a-b-3", value: "2" },
    { name: "authors-2", value: "3" },
  ]);
});

Deno.test("unsupportedByAppc() names what is left out", () => {
  assert.deepEqual(unsupportedByAppc(PLAIN), []);
  assert.deepEqual(unsupportedByAppc(FULL), [
    "names",
    "stopSignal",
    "healthcheck",
    "shell",
    "history",
  ]);
  const odd = { ...PLAIN, env: ["1X=y", "a b=c", "OK=1"] };
  assert.deepEqual(unsupportedByAppc(odd), ["env"]);
  assert.deepEqual(
    appcManifest(odd).app.environment?.map(({ name }) => name),
    ["PATH", "OK"],
  );
});

Deno.test("unsupportedByAppc() names systems that appc does not know", () => {
  const left = (fields: Partial<Image>) => {
    const image = { ...PLAIN, ...fields };
    const labels = appcManifest(image).labels.map(({ value }) => value);
    return [unsupportedByAppc(image), labels.slice(1)];
  };
  assert.deepEqual(left({ architecture: "riscv64" }), [["architecture"], []]);
  assert.deepEqual(left({ os: "plan9" }), [["os"], []]);
  assert.deepEqual(left({ architecture: "amd64", variant: "v3" }), [
    ["variant"],
    ["linux", "amd64"],
  ]);
  assert.deepEqual(left({ architecture: "arm", variant: "v7" }), [
    [],
    ["linux", "armv7l"],
  ]);
});

Deno.test({
  name: "appcManifest() passes appc's own checks",
  ignore: !isInstalled("go"),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const appc = `${folder}/appc-render`;
      await run(new URL("../support/appc/build", import.meta.url).pathname, [
        appc,
      ]);
      await Deno.mkdir(`${folder}/rootfs`);
      const images: Image[] = [
        PLAIN,
        FULL,
        {
          ...FULL,
          names: ["localhost:5000/a__b/c--d:_T."],
          annotations: { homepage: "none", documentation: "", "": "x" },
          labels: { "": "x", "Ü \n": "\u2028" },
          volumes: ["/a/b", "/a-b", "/é"],
          env: ["1X=y", 'A.b-c="\\\n', "a b=c"],
          created: -0.5,
          architecture: "riscv64",
        },
      ];
      for (const image of images) {
        const manifest = appcManifest(image);
        await Deno.writeTextFile(`${folder}/manifest`, jsonText(manifest));
        const archive = `${folder}/image.aci`;
        await run("tar", ["cf", archive, "-C", folder, "manifest", "rootfs"]);
        const read = JSON.parse(await run(appc, ["--manifest", archive]));
        assert.deepEqual(read, manifest);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
