// Hostile and broken tars, which ciso refuses before it writes anything.

import assert from "node:assert/strict";
import { concat } from "../../lib/streams/bytes.ts";
import { build } from "../../lib/build/build.ts";
import type { Source } from "../../lib/streams/source.ts";
import { openInput } from "../../lib/system/open_input.ts";
import { ciso, temporary } from "../support/ciso.ts";
import {
  entryOf,
  paxHeader,
  paxRecord,
  type TarEntry,
  tarOf,
} from "../support/tar_writer.ts";

const IMAGE = { names: ["isoc/x"], command: ["/bin/true"], created: 0 };
const DIRECTORY = { type: "5", mode: 0o755 };
const FILE: TarEntry = { name: "file", data: "data" };

/** A file with a PAX header that holds just these bytes. */
function withPax(data: string): Uint8Array {
  return tarOf([FILE, paxHeader(data), { name: "named", data: "data" }]);
}

/** Tars, and what is said of each: the entry, the reason, the remedy. */
const REFUSED: [what: string, tar: Uint8Array, line: RegExp][] = [
  [
    "a name that climbs out",
    tarOf([{ name: "../out" }]),
    /"\.\.\/out": The path climbs with '\.\.'; archive/,
  ],
  [
    "a name that climbs in the middle",
    tarOf([{ name: "a/../../out" }]),
    /"a\/\.\.\/\.\.\/out": The path climbs with '\.\.'; archive/,
  ],
  [
    "a long name that climbs",
    tarOf([{ name: "x", longName: "a/..", dialect: "gnu" }]),
    /"a\/\.\.": The path climbs/,
  ],
  [
    "a NUL in a PAX name",
    withPax(paxRecord("path", "a\0b")),
    /record "path" .* holds a NUL.*"named"/,
  ],
  [
    "a NUL in a PAX link name",
    withPax(paxRecord("linkpath", "\0")),
    /record "linkpath" .* holds a NUL.*"named"/,
  ],
  [
    "a bad checksum",
    tarOf([FILE, { ...FILE, name: "wrong", badChecksum: true }]),
    /Bad header checksum at byte 1024 .*after "file".*damaged, make or fetch it again/,
  ],
  [
    "a bad checksum after a PAX header",
    tarOf([FILE, { ...FILE, badChecksum: true, pax: [["mtime", "1"]] }]),
    /Bad header checksum after an extension header/,
  ],
  [
    "a negative size",
    tarOf([FILE, { name: "negative", size: -512 }]),
    /Negative size \(-512\).*"negative"/,
  ],
  [
    "an absurd size in base 256",
    tarOf([{ name: "absurd", raw: [[124, "\x80\xff".padEnd(12, "\xff")]] }]),
    /Bad size field.*"absurd"/,
  ],
  [
    "a size of no digits",
    tarOf([{ name: "digits", raw: [[124, "0000000008x\0"]] }]),
    /Bad size field.*"digits"/,
  ],
  [
    "an absurd size in PAX",
    tarOf([{ name: "absurd", pax: [["size", "9999999999999999999"]] }]),
    /Absurd size.*"absurd"/,
  ],
  [
    "a negative size in PAX",
    tarOf([{ name: "negative", pax: [["size", "-1"]] }]),
    /record "size" says "-1".*"negative"/,
  ],
  [
    "a size that the input does not have",
    tarOf([{ name: "short", size: 1 << 30 }]),
    /cut short: it ends \d+ bytes before the data of "short" do/,
  ],
  [
    "a PAX record that is too long",
    withPax("99 mtime=1\n"),
    /length of the PAX record "99 mtime=1\\n" \(99\) does not match.*"named"/,
  ],
  [
    "a PAX record that is too short",
    withPax("9 mtime=1\n"),
    /record "9 mtime=1\\n" does not end where its length says.*"named"/,
  ],
  ["a PAX record of length 0", withPax("0 mtime=1\n"), /"0 mtime=1\\n" \(0\)/],
  ["a PAX record without a length", withPax("mtime=1\n"), /no valid length/],
  [
    "a PAX record of an absurd length",
    withPax("99999999999999999999 mtime=1\n"),
    /no valid length/,
  ],
  ["a PAX record without a keyword", withPax("6 =ab\n"), /no keyword/],
  [
    "a PAX header of more than 1 MiB",
    withPax(paxRecord("comment", "x".repeat(1 << 20))),
    /extension header of 10\d{5} bytes; at most 1048576 are taken/,
  ],
  [
    "a million nested PAX headers",
    // The header, a block of records: a million of them are a gigabyte.
    concat([
      ...new Array(20_000).fill(paxHeader([["mtime", "1"]])),
      tarOf([FILE]),
    ]),
    /more than one PAX header/,
  ],
  [
    "global headers of more than 4 KiB together",
    concat([
      paxHeader([["a", "x".repeat(1 << 11)]], "g"),
      paxHeader([["b", "x".repeat(1 << 11)]], "g"),
      tarOf([FILE]),
    ]),
    /global headers hold more than 4096 bytes/,
  ],
  [
    "a global header that names files",
    concat([paxHeader([["path", "x"]], "g"), tarOf([FILE])]),
    /global header gives all entries one "path"/,
  ],
  [
    "global headers that change again and again",
    concat([
      ...Array.from({ length: 1025 }, (_, i) =>
        concat([
          paxHeader([["uid", `${i}`]], "g"),
          tarOf([FILE]).subarray(0, 1024),
        ])),
      tarOf([FILE]),
    ]),
    /global headers change more than 1024 times/,
  ],
  [
    "sparse files of more than a disk holds",
    tarOf([{
      name: "bomb",
      pax: [["GNU.sparse.size", `${2 ** 45}`], ["GNU.sparse.map", ""]],
    }]),
    /"bomb": .*raise the limit with --max-unpacked/,
  ],
  [
    "a directory with data",
    tarOf([{ ...DIRECTORY, name: "full/", data: "data" }]),
    /after "full\/", a directory that says it has 4 bytes of data/,
  ],
  [
    "a symlink with data",
    tarOf([{ name: "link", type: "2", link: "x", data: "data" }]),
    /after "link", a symlink that says it has 4 bytes of data/,
  ],
  [
    "a hard link to nothing",
    tarOf([FILE, { name: "link", type: "1", link: "none" }]),
    /"link": It is a hard link to "none", which is not before it/,
  ],
  [
    "a hard link to what comes later",
    tarOf([{ name: "link", type: "1", link: "file" }, FILE]),
    /"link": It is a hard link to "file", which is not before it/,
  ],
  [
    "a hard link out of the tree",
    tarOf([FILE, { name: "link", type: "1", link: "../file" }]),
    /"link": Its link target "\.\.\/file" leads out of the tree/,
  ],
  [
    "a hard link to a directory",
    tarOf([{ ...DIRECTORY, name: "d/" }, {
      name: "link",
      type: "1",
      link: "d",
    }]),
    /"link": It is a hard link to the directory "d"/,
  ],
  [
    "a file that a directory follows",
    tarOf([FILE, { ...DIRECTORY, name: "file/" }]),
    /"file\/": The path is a directory and something else; remove one/,
  ],
  [
    "a directory that a file follows",
    tarOf([{ ...DIRECTORY, name: "file/" }, FILE]),
    /"file": The path is a directory and something else; remove one/,
  ],
  [
    "a file that has something below it",
    tarOf([FILE, { name: "file/below" }]),
    /"file\/below": "file" is above it and is no directory/,
  ],
  [
    "something below a symlink that leads nowhere",
    tarOf([
      { name: "loop", type: "2", link: "loop" },
      { name: "loop/below" },
    ]),
    /"loop\/below": It is below the symlink "loop", which leads nowhere/,
  ],
  [
    "a root that is a file",
    tarOf([{ name: "./", type: "2", link: "x" }]),
    /The root of the tree is no directory/,
  ],
  [
    "a component that Linux does not take",
    tarOf([{ name: "x", longName: "n".repeat(256), dialect: "gnu" }]),
    /"n{200,}.*component is 256 bytes long; Linux takes 255/,
  ],
  [
    "a path that Linux does not take",
    tarOf([{ name: "x", longName: "n/".repeat(2048) + "n", dialect: "gnu" }]),
    /"n\/.*path is 4097 bytes long; Linux takes 4095/,
  ],
  [
    "an empty name",
    tarOf([FILE, { name: "" }]),
    /Entry "": It has no name/,
  ],
  [
    "a tar that is cut in a file's data",
    tarOf([FILE, { name: "large", data: "x".repeat(5000) }]).subarray(0, 3000),
    /cut short: it ends \d+ bytes before the data of "large" do/,
  ],
  [
    "a tar that is cut in a header",
    tarOf([FILE, FILE]).subarray(0, 1024 + 300),
    /cut short: it ends inside a header/,
  ],
  [
    "a tar that is cut after an extension header",
    concat([tarOf([FILE]).subarray(0, 1024), paxHeader([["mtime", "1"]])]),
    /cut short: it ends inside a header/,
  ],
  [
    "an entry of a multi-volume archive",
    tarOf([{ name: "rest", type: "M" }]),
    /Entry type "M".*"rest"/,
  ],
];

/** Runs ciso on a file; asserts that it is refused in one line, and nothing made. */
async function assertRefused(folder: string, line: RegExp) {
  const { code, stdout, stderr } = await ciso([
    `${folder}/in.tar`,
    `--output=${folder}/out.isoc`,
    ...["--tag=isoc/x", "--", "/bin/true"],
  ]);
  assert.match(stderr, line);
  // One line: the file, the entry and the reason, then the remedy.
  assert.match(stderr, /^ciso: [^\n]*in\.tar: [^\n]+(; |: rename )[^\n]+\n$/);
  assert.doesNotMatch(stderr, /\n\s+at |Uncaught|\.[jt]s:\d/);
  assert.equal(stdout, "");
  assert.equal(code, 1);
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(left, ["in.tar"]);
}

for (const [what, tar, line] of REFUSED) {
  Deno.test(`ciso refuses ${what}`, async () => {
    await using work = await temporary();
    await Deno.writeFile(`${work.path}/in.tar`, tar);
    await assertRefused(work.path, line);
  });
}

/** Reads a stream to its end. */
async function drain(stream: ReadableStream<Uint8Array>) {
  for await (const _ of stream);
}

const CHANGED = /changed while it was read/;

Deno.test("build() fails when its file changes before it is streamed", async () => {
  await using work = await temporary();
  const path = `${work.path}/in.tar`;
  const entries: TarEntry[] = [
    { ...DIRECTORY, name: "./" },
    { name: "a", data: "a".repeat(3000) },
    { name: "b", data: "b" },
  ];
  const tar = tarOf(entries);
  const changes: [string, Uint8Array][] = [
    // Same headers: only the layer's digest tells.
    ["data", tarOf(entries.with(1, { name: "a", data: "c".repeat(3000) }))],
    ["another name", tarOf(entries.with(2, { name: "c", data: "b" }))],
    ["another size", tarOf(entries.with(2, { name: "b", data: "bb" }))],
    ["one entry more", tarOf([...entries, FILE])],
    ["one entry less", tarOf(entries.slice(0, 2))],
    ["a larger file", tarOf(entries.with(2, { name: "b", data: tar.join() }))],
    ["another type", tarOf(entries.with(2, { ...DIRECTORY, name: "b/" }))],
    [
      "a sparse file",
      tarOf(entries.with(1, {
        name: "a",
        pax: [["GNU.sparse.size", "9000"], ["GNU.sparse.map", "0,3000"]],
        data: "a".repeat(3000),
      })),
    ],
    ["a cut", tar.subarray(0, 2000)],
    ["nothing", new Uint8Array(0)],
    ["no tar", new Uint8Array(tar.length).fill(1)],
  ];
  for (const [what, changed] of changes) {
    await Deno.writeFile(path, tar);
    const input = await openInput(path, {
      maxUnpacked: 1 << 30,
      maxWindow: 1 << 27,
    });
    try {
      const isoc = await build(input, IMAGE);
      await Deno.writeFile(path, changed);
      await assert.rejects(drain(isoc.stream()), CHANGED, what);
    } finally {
      input.close();
    }
  }
});

Deno.test("build() fails when its source gives other bytes the second time", async () => {
  const first = tarOf([{ ...DIRECTORY, name: "./" }, FILE]);
  const second = tarOf([{ ...DIRECTORY, name: "./" }, {
    name: "file",
    data: "DATA",
  }]);
  let reads = 0;
  const source: Source = {
    stream: () => new Blob([(reads++ === 0 ? first : second).slice()]).stream(),
    slice: (start, end) => new Blob([first.slice(start, end)]),
  };
  const isoc = await build(source, IMAGE);
  await assert.rejects(drain(isoc.stream()), CHANGED);
  assert.ok(reads >= 2);
});

Deno.test("build() takes a million nested PAX headers no further than the second", async () => {
  const header = entryOf({ name: "x", type: "x", data: paxRecord("a", "b") });
  let given = 0;
  const source: Source = {
    stream: () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (given > 1_000_000) return controller.close();
          const chunk = concat(new Array(1000).fill(header));
          given += 1000;
          controller.enqueue(chunk);
        },
      }),
    slice: () => new Blob([]),
  };
  await assert.rejects(build(source, IMAGE), /more than one PAX header/);
  assert.ok(given < 10_000, `${given} were read`);
});
