// What is given where something else is meant: the message names what it is, and
// the command that helps.

import assert from "node:assert/strict";
import {
  allowing,
  CISO,
  ciso,
  type Result,
  ROOT,
  shell,
  temporary,
} from "../support/ciso.ts";
import { tarOf } from "../support/tar_writer.ts";

const IMAGE = ["-t", "isoc/x", "--", "/bin/true"];
const ROOTFS = tarOf([{ name: "bin/true", data: "", mode: 0o755 }]);

function assertRefused(result: Result, code: number, line: RegExp) {
  assert.match(result.stderr, line);
  assert.match(result.stderr, /^ciso: /);
  assert.equal(result.code, code, result.stderr);
  assert.equal(result.stdout, "");
}

/** Saved images by their documents, and what is said of each. */
const SAVED: [what: string, files: Record<string, string>, line: RegExp][] = [
  [
    "docker save",
    { "manifest.json": '[{"Config":"c.json","RepoTags":null,"Layers":["l"]}]' },
    /saved image \(docker save\).*ciso convert/,
  ],
  [
    "an OCI layout",
    { "oci-layout": "{}", "index.json": "{}", "blobs/sha256/x": "" },
    /saved image \(OCI image layout\).*ciso convert/,
  ],
  [
    "an ACI",
    { "manifest": '{"acKind":"ImageManifest"}', "rootfs/bin/true": "" },
    /saved image \(ACI\).*ciso convert/,
  ],
  [
    "a bundle",
    { "config.json": '{"ociVersion":"1.0.2"}', "rootfs/bin/true": "" },
    /a runtime bundle.*ciso convert/,
  ],
  [
    "an image of LXD",
    { "metadata.yaml": "architecture: x86_64\ncreation_date: 1\n" },
    /an image of LXD or Incus.*ciso convert/,
  ],
  [
    "Docker 1.9",
    { "repositories": `{"x":{"latest":"${"a".repeat(64)}"}}` },
    /saved image \(Docker 1\.9 or older\).*ciso convert/,
  ],
  [
    "skopeo's dir:",
    { "version": "Directory Transport Version: 1.1\n", "manifest.json": "{}" },
    /saved image \(skopeo's dir:\).*ciso convert/,
  ],
];

Deno.test("a saved image is not taken for a rootfs, unless it is asked for", async () => {
  await using folder = await temporary();
  const out = `${folder.path}/out`;
  for (const [what, files, line] of SAVED) {
    const tar = `${folder.path}/saved.tar`;
    const entries = Object.entries(files).map(([name, data]) => ({
      name,
      data,
    }));
    await Deno.writeFile(tar, tarOf(entries));
    const tree = `${folder.path}/${what}`;
    for (const [name, data] of Object.entries(files)) {
      const path = `${tree}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeTextFile(path, data);
    }
    for (
      const args of [
        [tar],
        ["--layer", tar],
        ["-"],
        [tree],
      ]
    ) {
      const command = args[0] === tree ? allowing("--allow-run=find") : CISO;
      const stdin = args[0] === "-" ? tar : "/dev/null";
      const options = { command, stdin };
      const result = await ciso([...args, "-o", out, ...IMAGE], options);
      assertRefused(result, 1, line);
      assert.match(result.stderr, /--allow-saved-image/, what);
      assert.throws(() => Deno.statSync(out), Deno.errors.NotFound);
    }
    const insisted = await ciso([
      ...[tar, "--allow-saved-image", "-o", out],
      ...IMAGE,
    ]);
    assert.equal(insisted.code, 0, insisted.stderr);
    await Deno.remove(out);
  }
});

Deno.test("a rootfs with such names of its own is a rootfs", async () => {
  await using folder = await temporary();
  const tar = `${folder.path}/rootfs.tar`;
  await Deno.writeFile(
    tar,
    tarOf([
      { name: "manifest.json", data: '{"name":"app"}' },
      { name: "config.json", data: "{}" },
      { name: "manifest", data: "x" },
      { name: "version", data: "1.0\n" },
      { name: "repositories", data: "" },
      { name: "index.json", data: "{}" },
      { name: "metadata.yaml", data: "a: b\n" },
      { name: "rootfs/x", data: "" },
    ]),
  );
  const { code, stderr } = await ciso([
    ...[tar, "-o", `${folder.path}/out`],
    ...IMAGE,
  ]);
  assert.equal(code, 0, stderr);
});

Deno.test("files of other kinds are named by each command", async () => {
  await using folder = await temporary();
  const zip = `${folder.path}/x.zip`;
  await Deno.writeFile(
    zip,
    new Blob(["PK\x03\x04", "x".repeat(2000)]).stream(),
  );
  for (
    const args of [
      [zip, ...IMAGE],
      ["--layer", zip, "--layer", zip, ...IMAGE],
      ["--from", zip, "-t", "x"],
      ["convert", zip],
      ["export", zip, "--as", "oci"],
    ]
  ) {
    const result = await ciso(args);
    assertRefused(result, 1, /x\.zip: .*a zip archive: unzip FILE -d DIR/);
  }
});

Deno.test("names of images elsewhere, and wrong commands, are wrong usage", async () => {
  for (
    const [args, line] of [
      [["frob", "x.isoc"], /no command and no file "frob"/],
      [["lod", "x.isoc"], /"lod": did you mean ciso load\?/],
      [["exprt", "x.isoc"], /did you mean ciso export\?/],
      [
        ["docker://debian", ...IMAGE],
        /registry.*ciso convert docker:\/\/debian/,
      ],
      [["oci-archive:x.tar", ...IMAGE], /not a file: .*ciso convert x\.tar/],
      [["convert", "oci:layout"], /not a file: .*ciso convert layout/],
      [["convert", "docker-daemon:x"], /docker save x \| ciso convert/],
      [["convert", "containers-storage:x"], /podman save x \| ciso convert/],
      [["export", "dir:x", "--as", "oci"], /skopeo copy dir:x/],
      [["convert", "alpine:3"], /write docker:\/\/alpine:3/],
      [["inspect", "library/alpine:3"], /ciso pull library\/alpine:3 -o FILE/],
      [["verify", "docker://x/y"], /ciso pull x\/y -o FILE, then ciso verify/],
      [["convert", "a.b:5/c/d:1"], /write docker:\/\/a\.b:5\/c\/d:1/],
      [["convert", "docker:x/y:1"], /not a file: write docker:\/\/x\/y:1/],
      [["inspect", "a.b/c/d"], /ciso pull a\.b\/c\/d -o FILE/],
      [["verify", `a.b/c@sha256:${"0".repeat(64)}`], /ciso pull a\.b\/c@sha/],
      [["copy", "a.b:5/c:1", "x.isoc"], /write docker:\/\/a\.b:5\/c:1/],
      [["copy", "docker://a.b/c", "d:1"], /docker:\/\/d:1, or \.\/d:1/],
      [["copy", "docker:x", "x.isoc"], /; write docker:\/\/x/],
      [["pull", "x.isoc"], /no image in a registry.*: ciso convert x\.isoc/],
      [["pull", "./x"], /no image in a registry.*: ciso convert \.\/x/],
      [["pull", "oci:x"], /: give the directory alone: ciso convert x/],
      [["pull", "a.b/c", "x.isoc"], /goes after -o: -o x\.isoc/],
      [["push", "x:1", ROOT], /image comes first: ciso push .* x:1/],
      [["push", "localhost:5000/x"], /takes an image and where it goes/],
      [["push", ROOT, "x.isoc"], /no image in a registry.*: ciso copy .* x\.i/],
      [["push", ROOT, "docker-daemon:x"], /no image in a .*: ciso load/],
      [["https://x/y.tar", ...IMAGE], /curl -L https:\/\/x\/y\.tar \| ciso/],
      [["--from", "docker-archive:x", "-t", "x"], /ciso convert x/],
    ] as [string[], RegExp][]
  ) {
    const result = await ciso(args);
    assertRefused(result, 2, line);
  }
  for (
    const line of [
      ...["pull USER", "convert USER", "inspect docker://USER", "cat USER a"],
      ...["copy USER x.isoc", "copy docker://x USER", "push USER a.b/c"],
      ...["push - USER", "--from USER -t x", "convert https://USER"],
      "push - a.b/c --mount-from USER",
    ]
  ) {
    const result = await ciso(
      line.replace("USER", "me:secret@a.b/c:1").split(" "),
    );
    assertRefused(result, 2, /leave out what is before @/);
    assert.ok(!result.stderr.includes("secret"), result.stderr);
  }
  // What may be a file is looked for as one.
  assertRefused(await ciso(["none.tar", ...IMAGE]), 1, /no such file/);
  assertRefused(await ciso(["verify", "none.tar:x"]), 1, /no such file/);
});

Deno.test("the output must not be the input, whatever leads there", async () => {
  await using folder = await temporary();
  const tar = `${folder.path}/x.tar`;
  await Deno.writeFile(tar, ROOTFS);
  await Deno.link(tar, `${folder.path}/hard.tar`);
  await Deno.symlink("x.tar", `${folder.path}/soft.tar`);
  const made = `${folder.path}/x.isoc`;
  assert.equal((await ciso([tar, "-o", made, ...IMAGE])).code, 0);
  const cwd = folder.path;
  for (
    const [args, stdin] of [
      [[tar, "-o", tar, ...IMAGE]],
      [["x.tar", "-o", "./x.tar", ...IMAGE]],
      [["x.tar", "-o", "hard.tar", ...IMAGE]],
      [["soft.tar", "-o", "x.tar", ...IMAGE]],
      [["x.tar", "-o", "soft.tar", ...IMAGE]],
      [["-o", "x.tar", ...IMAGE], tar],
      [["--layer", "x.tar", "-o", "x.tar", ...IMAGE]],
      [["convert", "x.isoc", "-o", "x.isoc"]],
      [["convert", "-o", "x.isoc"], made],
      [["--from", "x.isoc", "-t", "x", "-o", "x.isoc"]],
      [["export", "x.isoc", "--as", "oci", "-o", "x.isoc"]],
      [["export", "--as", "oci", "-o", "x.isoc"], made],
      [["inspect", "x.isoc", "--html", "x.isoc"]],
      [["inspect", "-", "--html", "x.isoc"], made],
    ] as [string[], string?][]
  ) {
    const result = await ciso(args, { cwd, ...(stdin && { stdin }) });
    assertRefused(result, 2, /The output is the input/);
  }
  await Deno.mkdir(`${folder.path}/layout/blobs`, { recursive: true });
  const part = `${folder.path}/layout/index.json`;
  await Deno.writeTextFile(part, "{}");
  await Deno.symlink("layout", `${folder.path}/link`);
  for (
    const args of [
      ["convert", "layout", "-o", "layout/index.json"],
      ["convert", "link", "-o", "layout/blobs/../index.json"],
      ["--from", "layout", "-o", "link/index.json"],
      ["inspect", "layout", "--html", "layout/index.json"],
    ]
  ) {
    const result = await ciso(args, { cwd });
    assertRefused(result, 2, /The output is a file of the input/);
  }
  assert.equal(await Deno.readTextFile(part), "{}");
  for (
    const line of [
      '"$@" >>x.tar',
      '"$@" 1<>x.tar',
      '"$@" -o /dev/stdout 1<>x.tar',
    ]
  ) {
    const result = await shell(line, ["x.tar", ...IMAGE], { cwd });
    assertRefused(result, 2, /The output is the input/);
  }
  const line = 'exec 3<x.tar; "$@" - -o x.tar -t x -- /bin/true <&3';
  assertRefused(await shell(line, [], { cwd }), 2, /input on standard input/);
  assert.deepEqual(await Deno.readFile(tar), ROOTFS);
  const other = await ciso([tar, "-o", `${folder.path}/new`, ...IMAGE]);
  assert.equal(other.code, 0);
});

Deno.test("every command that reads one file reads a pipe as well", async () => {
  await using folder = await temporary();
  const tar = `${folder.path}/x.tar`;
  await Deno.writeFile(tar, ROOTFS);
  const image = ["-q", "-t", "isoc/x", "--created=0", "--", "/bin/true"];
  const line = 'cat x.tar | "$@" >x.isoc';
  const built = await shell(line, image, { cwd: folder.path });
  assert.equal(built.stderr, "");
  for (const args of [["convert"], ["export", "--as", "oci"], ["verify"]]) {
    for (const dash of [[], ["-"]]) {
      const { code, stderr } = await shell(
        'cat x.isoc | "$@" | cat >/dev/null',
        [...args, ...dash],
        { cwd: folder.path },
      );
      assert.equal(stderr, "", args.join(" "));
      assert.equal(code, 0);
    }
  }
});
