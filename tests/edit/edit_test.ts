import assert from "node:assert/strict";
import { toBytes } from "@std/streams";
import { edit, type Edited } from "../../lib/edit/edit.ts";
import type { EditOptions } from "../../lib/edit/edit_options.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { spoolToFile } from "../../lib/system/spool_file.ts";
import { FIELD, numberField } from "../../lib/tar/block.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { ciso } from "../support/ciso.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const TREE: TarEntry[] = [
  { name: "top/", type: "5", mode: 0o755 },
  { name: "top/z", data: "z", mode: 0o640, uid: 5, mtime: 2_000_000_000 },
  { name: "top/bin/", type: "5", mode: 0o755 },
  { name: "top/bin/sh", data: "sh", mode: 0o644, mtime: 1 },
  { name: "top/bin/ash", type: "1", link: "top/bin/sh", mode: 0o644 },
  { name: "top/log/", type: "5", mode: 0o755 },
  { name: "top/log/a", data: "a" },
  { name: "top/log/b", data: "b" },
];
const TAR = new Blob([tarOf(TREE) as Uint8Array<ArrayBuffer>]);

/** What a tar has: path, mode, owner and time of each entry. */
async function listed(tar: Edited): Promise<string[]> {
  const bytes = await toBytes(tar.stream());
  const lines: string[] = [];
  for await (const { entry, place } of entriesOf(tar.stream())) {
    // Their numbers fit in the entry's own header block.
    const block = bytes.subarray(place + entry.end - entry.start - 512);
    const [mode, uid, gid, time] = [
      ...[FIELD.mode, FIELD.uid, FIELD.gid, FIELD.mtime],
    ].map((field) => numberField(block, field));
    const path = binary(entry.path);
    lines.push(`${path} ${mode!.toString(8)} ${uid}:${gid} ${time}`);
  }
  return lines;
}

const OPTIONS: EditOptions = {
  exclude: ["top/log", "!top/log/b"],
  stripComponents: 1,
  remove: ["/z"],
  add: [
    { path: "etc/issue", data: "hello", mode: 0o600, mtime: 7 },
    { path: "opt/tool", data: new Uint8Array([1]), owner: { uid: 1, gid: 2 } },
  ],
  chmod: [{ glob: "bin/*", mode: "a+x" }, { glob: "log", mode: 0o2700 }],
  owner: { uid: 3, gid: 4 },
  mtime: 1_000_000_000,
  clampMtime: true,
  sort: true,
};

Deno.test("edit() does all edits, and says what each one came to", async () => {
  const edited = await edit(TAR, OPTIONS);
  assert.deepEqual(await listed(edited), [
    "./ 755 3:4 0",
    "bin/ 755 3:4 1000000000",
    "bin/ash 755 3:4 1",
    "bin/sh 755 3:4 1",
    "etc/ 755 3:4 0",
    "etc/issue 600 3:4 7",
    "log/ 2700 3:4 1000000000",
    "log/b 644 3:4 1000000000",
    "opt/ 755 3:4 0",
    "opt/tool 644 1:2 0",
  ]);
  assert.deepEqual(
    edited.edits.map(({ edit, entries }) => `${edit} ${entries > 0}`),
    [
      ...["exclude true", "strip-components true", "remove true", "add true"],
      ...["add true", "chmod true", "chmod true", "owner true"],
      ...["clamp-mtime true", "sort true"],
    ],
  );
});

Deno.test("a mode is for the file that one of its hard links names", async () => {
  const tree: TarEntry[] = [
    { name: "./lib/", type: "5", mode: 0o755 },
    { name: "./lib/a", data: "a", mode: 0o644 },
    { name: "./lib/b.py", data: "b", mode: 0o644 },
    { name: "./lib/c", data: "c", mode: 0o644 },
    { name: "./lib/d.py/", type: "5", mode: 0o700 },
    { name: "./lib/e.pyc", data: "e", mode: 0o644 },
    { name: "./one", type: "1", link: "./lib/a", mode: 0o644 },
    { name: "./two", type: "1", link: "./lib/b.py", mode: 0o644 },
  ];
  const link: TarEntry = {
    ...{ name: "./a.py", type: "1", link: "./one", mode: 0o644 },
  };
  const chmod = [{ glob: "**/*.py", mode: "0755" }];
  for (const isLinked of [false, true]) {
    const tar = tarOf(isLinked ? [...tree, link] : tree);
    const blob = new Blob([tar as Uint8Array<ArrayBuffer>]);
    const lines = await listed(await edit(blob, { chmod }));
    const mode = isLinked ? 755 : 644;
    assert.deepEqual(lines.map((line) => line.split(" ", 2).join(" ")), [
      "./lib/ 755",
      `./lib/a ${mode}`,
      "./lib/b.py 755",
      "./lib/c 644",
      "./lib/d.py/ 755",
      "./lib/e.pyc 644",
      `./one ${mode}`,
      "./two 755",
      ...(isLinked ? ["./a.py 755"] : []),
    ]);
  }
});

Deno.test("edit() gives the bytes that ciso gives", async () => {
  const work = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${work}/in.tar`, TAR.stream());
    await Deno.writeTextFile(`${work}/issue`, "hello");
    await Deno.chmod(`${work}/issue`, 0o600);
    await Deno.utime(`${work}/issue`, 7, 7);
    const { code, stderr } = await ciso([
      ...["in.tar", "--exclude", "top/log", "--exclude", "!top/log/b"],
      ...["--strip-components", "1", "--add", "issue:/etc/issue"],
      ...["--chmod", "bin/*=a+x", "--owner", "3:4", "--sort", "-q"],
      ...["-t", "isoc/x", "-o", "out.isoc", "--created", "0", "--", "/bin/sh"],
    ], { cwd: work });
    assert.equal(code, 0, stderr);
    const { remove: _, add, mtime: __, clampMtime: ___, ...rest } = OPTIONS;
    const chmod = rest.chmod!.slice(0, 1);
    const edited = await edit(TAR, { ...rest, chmod, add: add!.slice(0, 1) }, {
      spool: spoolToFile,
    });
    const hash = await crypto.subtle.digest(
      "SHA-256",
      await toBytes(edited.stream()) as Uint8Array<ArrayBuffer>,
    );
    edited.close!();
    const digest = new Uint8Array(hash).toHex();
    const archive = await Deno.readFile(`${work}/out.isoc`);
    assert(binary(archive).includes(`blobs/sha256/${digest}`));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
});

Deno.test("edit() adds a tree, and knows a layer's deletions", async () => {
  const tree = new Blob([
    tarOf([{ name: "./", type: "5" }, { name: "d/x", data: "x" }]),
  ] as BlobPart[]);
  const layer = new Blob([tarOf([{ name: "log/.wh.a" }])] as BlobPart[]);
  const edited = await edit(layer, {
    exclude: ["log/a"],
    add: [{ path: "/opt", tree }],
  }, { isLayer: true });
  assert.deepEqual((await listed(edited)).map((line) => line.split(" ")[0]), [
    ...["opt/", "opt/d/x"],
  ]);
});

Deno.test("edit() changes nothing that it is not asked for", async () => {
  const edited = await edit(TAR, {});
  const bytes = await toBytes(edited.stream());
  assert.deepEqual(bytes, new Uint8Array(await TAR.arrayBuffer()));
  const part = await new Response(edited.slice(512, 1024).stream()).bytes();
  assert.deepEqual(part, bytes.slice(512, 1024));
});

Deno.test("edit() refuses wrong options, and names them", async () => {
  for (
    const [options, message] of [
      [{ exclude: ["["] }, 'exclude: The pattern "[" is malformed'],
      [{ stripComponents: 1.5 }, "stripComponents: 1.5 is not a whole number"],
      [{ stripComponents: 1e9 }, "stripComponents: 1000000000 is not a whole"],
      [{ remove: ["/"] }, 'remove: "/" is the root'],
      [{ remove: ["a/../b"] }, "remove: \"a/../b\" climbs with '..'"],
      [{ add: [{ path: "x" }] }, 'add: "x" needs either data or a tree'],
      [{ add: [{ path: "/", data: "" }] }, 'add: "/" is the root'],
      [{ add: [{ path: "a\0", data: "" }] }, 'add: "a\\u0000" holds a NUL'],
      [{ add: [{ path: "x", data: "", mode: 99999 }] }, "add: mode: 99999 is"],
      [{ add: [{ path: "x", tree: TAR, mode: 0 }] }, 'add: "x" is a tree'],
      [{ chmod: [{ glob: "x", mode: "rw" }] }, 'chmod: "rw" is not a mode'],
      [{ chmod: [{ glob: "x", mode: -1 }] }, "chmod: mode: -1 is not a whole"],
      [{ owner: { uid: 4294967295, gid: 0 } }, "owner: uid: 4294967295 is not"],
      [{ mtime: NaN }, "mtime: NaN is not a count of seconds"],
      [{ clampMtime: true }, "clampMtime needs a time: give mtime"],
    ] as [EditOptions, string][]
  ) {
    await assert.rejects(edit(TAR, options), (error: Error) => {
      assert.equal(error.name, "DescriptionError", message);
      assert(error.message.startsWith(message), error.message);
      return true;
    });
  }
  await assert.rejects(edit(TAR, { exclude: ["**"] }), {
    name: "InputError",
    message: /^Nothing is left of its \d entries/,
  });
  await assert.rejects(
    edit(TAR, { add: [{ path: "top/z/x", data: "" }] }),
    { name: "InputError", message: /"top\/z" is there, which is no directory/ },
  );
});
