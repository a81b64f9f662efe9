// Tars of all kinds that must survive, and how they are made.

import assert from "node:assert/strict";
import type { BuildOptions } from "../../lib/build/build.ts";
import type { Isoc } from "../../lib/build/isoc.ts";
import { concat } from "../../lib/streams/bytes.ts";
import { run } from "./run.ts";
import { paxHeader, type TarEntry, tarOf } from "./tar_writer.ts";
import type { LOSSES, TreeOptions } from "./tree.ts";

export const BLOCK = 512;

const DIRECTORY = { type: "5", mode: 0o755 };

/** CAP_NET_RAW, effective, as the kernel stores it (version 2). */
const CAPABILITY = "\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/** The ACL user::rw-,user:1234:rw-,group::r--,mask::rw-,other::r--. */
const ACL = "\x02\0\0\0" +
  "\x01\0\x06\0\xff\xff\xff\xff\x02\0\x06\0\xd2\x04\0\0" +
  "\x04\0\x04\0\xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff" +
  "\x20\0\x04\0\xff\xff\xff\xff";

/** The size 4 in GNU's base 256. */
const SIZE_4 = "\x80\0\0\0\0\0\0\0\0\0\0\x04";

/** The same in the words of SCHILY.acl records, which GNU tar takes. */
const ACL_TEXT = "user::rw-,user:1234:rw-,group::r--,mask::rw-,other::r--";

/** A tar that must survive. */
export interface Case {
  /** What it is made of. */
  name: string;
  /** The tar, or what makes it at a path. */
  tar: Uint8Array | ((path: string) => Promise<unknown>);
  /** Why its layer is not the input; it is, byte for byte, unless given. */
  changes?: string[] | undefined;
  options?: BuildOptions | undefined;
  /** What the comparison leaves out, or takes in again, beyond an engine's losses. */
  trees?: TreeOptions | undefined;
  /** Whether directories' entries come after what is in them, see LOSSES.umoci. */
  lateDirectories?: boolean | undefined;
  /** What GNU tar extracts instead, where it needs options for the tar itself. */
  reference?: Uint8Array | undefined;
  /** Engines that make another tree of it, as the build says. */
  without?: Engine[] | undefined;
  /** What the build notes. */
  notes?: RegExp | undefined;
  /** More to check of the archive. */
  check?: ((archive: string, isoc: Isoc) => Promise<void>) | undefined;
}

export type Engine = keyof typeof LOSSES;

/** Makes the tree of tests/support/long_names.py and tars it with GNU tar. */
function longNames(form: string, ...options: string[]) {
  return async (path: string) => {
    const tree = `${path}.tree`;
    await run("python3", [
      `${import.meta.dirname}/../support/long_names.py`,
      tree,
      form,
    ]);
    await run("tar", [
      ...["-C", tree, "-cf", path, `--format=${form}`, "--sort=name"],
      ...options,
      ".",
    ]);
  };
}

/** Bytes without the two blocks of zeros at their end. */
function unclosed(tar: Uint8Array): Uint8Array {
  return tar.subarray(0, -2 * BLOCK);
}

/** A 2 MiB file with six holes, in each way that GNU tar can write it. */
async function sparseFiles(path: string) {
  const tree = `${path}.tree`;
  const tars: Uint8Array[] = [];
  for (
    const [name, ...options] of [
      ["gnu", "--format=gnu"],
      ["oldgnu", "--format=oldgnu"],
      ["pax-0.0", "--format=pax", "--sparse-version=0.0"],
      ["pax-0.1", "--format=pax", "--sparse-version=0.1"],
      ["pax-1.0", "--format=pax", "--sparse-version=1.0"],
    ] as const
  ) {
    const folder = `${tree}/${name}`;
    await Deno.mkdir(`${folder}/${"sparse".repeat(15)}`, { recursive: true });
    await using file = await Deno.open(`${folder}/holes`, {
      write: true,
      create: true,
    });
    await file.truncate(1 << 21);
    for (let i = 1; i <= 6; i++) {
      await file.seek(i * 300_000, Deno.SeekMode.Start);
      await file.write(new Uint8Array(1000).fill(i));
    }
    await Deno.truncate(await emptyFile(`${folder}/all hole`), 1 << 20);
    await Deno.copyFile(
      `${folder}/holes`,
      `${folder}/${"sparse".repeat(15)}/copy of it`,
    );
    await run("truncate", ["-s", "+1000000", `${folder}/holes`]);
    await Deno.link(`${folder}/holes`, `${folder}/link`);
    await run("tar", [
      ...["-C", tree, "-cf", `${path}.part`, "-b1", "--sparse", "--sort=name"],
      ...options,
      name,
    ]);
    tars.push(unclosed(await Deno.readFile(`${path}.part`)));
  }
  await Deno.writeFile(path, concat([...tars, new Uint8Array(2 * BLOCK)]));
}

async function emptyFile(path: string): Promise<string> {
  await Deno.writeFile(path, new Uint8Array(0));
  return path;
}

/** Writes files again and again at the end of a tar, as tar --append does. */
async function appended(path: string) {
  const tree = `${path}.tree`;
  await Deno.mkdir(`${tree}/d`, { recursive: true });
  const write = (name: string, text: string) =>
    Deno.writeTextFile(`${tree}/${name}`, text);
  await write("a", "the first, longest version");
  await write("d/b", "first");
  await Deno.link(`${tree}/a`, `${tree}/d/link1`);
  await Deno.link(`${tree}/a`, `${tree}/d/link2`);
  await Deno.symlink("a", `${tree}/s`);
  await Deno.mkdir(`${tree}/becomes`);
  const tar = (mode: string, ...names: string[]) =>
    run("tar", ["-C", tree, mode, "-f", path, "--sort=name", ...names]);
  await tar("-c", ".");
  await Deno.remove(`${tree}/a`);
  await write("a", "second");
  await Deno.remove(`${tree}/s`);
  await Deno.symlink("d/b", `${tree}/s`);
  await tar("-r", "./a", "./s");
  await write("d/b", "3rd");
  await Deno.chmod(`${tree}/d/b`, 0o4755);
  await tar("-r", "./d/b", "d", "./a");
}

const NAMES = [
  ...[93, 94, 99, 100].map((length) => "n".repeat(length)),
  ...["./dot", "/slash", "//slashes", "././/./dots", "./a//b/./c"],
  ...["caf\xe9", "\xe6\x97\xa5\xe6\x9c\xac", " ", "a b", "new\nline", "tab\t"],
  ...[
    "'",
    '"',
    "a\\",
    "a\\n",
    "a\\134",
    "*",
    "-x",
    "~",
    "..x",
    "...",
    "\x01\x7f",
  ],
];

const plain: (TarEntry | Uint8Array)[] = [
  // The root's own entry, not the first one.
  { ...DIRECTORY, name: "first/" },
  {
    ...DIRECTORY,
    name: "./",
    mode: 0o2711,
    uid: 21,
    gid: 22,
    mtime: 1_000_000_001,
  },
  { ...DIRECTORY, name: "a" },
  { ...DIRECTORY, name: "./a/b//" },
  ...NAMES.map((name, i) => ({ name, data: `${i}`.repeat(i) })),
  ...NAMES.slice(4).map((name, i) => (
    { name: `hard${i}`, type: "1", link: name }
  )),
  ...NAMES.map((name, i) => ({ name: `soft${i}`, type: "2", link: name })),
  // With rootfs/ in front neither name nor prefix has room.
  { ...DIRECTORY, name: `${"p".repeat(76)}/` },
  { ...DIRECTORY, name: `${"p".repeat(77)}/` },
  { ...DIRECTORY, name: `${"q".repeat(77)}/`, prefix: "p".repeat(77) },
  {
    name: "n".repeat(100),
    prefix: `${"p".repeat(77)}/${"q".repeat(77)}`,
    data: "256 bytes",
  },
  {
    name: "n".repeat(99),
    prefix: "p".repeat(76),
    data: "176 bytes",
  },
  { name: "link93", type: "1", link: "n".repeat(93) },
  { name: "link94", type: "1", link: "n".repeat(94) },
  { name: "link100", type: "1", link: "n".repeat(100) },
  { name: "l".repeat(100), type: "1", link: "n".repeat(100) },
  { name: "m".repeat(100), type: "2", link: "x".repeat(100) },
  // GNU long names, which need not be UTF-8.
  {
    name: "short",
    longName: `a/b/${"\xe9".repeat(255)}`,
    dialect: "gnu",
    data: "L",
  },
  {
    name: "short",
    type: "2",
    longName: `a/${"k".repeat(255)}`,
    longLink: "x/".repeat(1950),
    dialect: "gnu",
  },
  {
    name: "hard to long",
    type: "1",
    link: "a/b/",
    longLink: `a/b/${"\xe9".repeat(255)}`,
    dialect: "gnu",
  },
  { name: "short", pax: [["path", `a/${"x".repeat(253)}`]], data: "PAX" },
  { name: "x", type: "2", pax: [["path", "a/x"], ["linkpath", "../a b"]] },
  { name: "v7", dialect: "v7", data: "old" },
  { name: "v7 directory/", dialect: "v7", type: "5", mode: 0o750 },
  { name: "v7 link", dialect: "v7", type: "1", link: "v7" },
  // Links of links, and of symbolic links.
  { name: "chain1", type: "1", link: "v7 link" },
  { name: "chain2", type: "1", link: "./chain1" },
  { name: "absolute", type: "2", link: "/a/b" },
  { name: "relative", type: "2", link: "a/b/../b/" },
  { name: "dangling", type: "2", link: "/no/where" },
  { name: "hard absolute", type: "1", link: "absolute" },
  { name: "hard dangling", type: "1", link: "dangling" },
  { name: "harder dangling", type: "1", link: "hard dangling" },
  // Metadata.
  { name: "empty" },
  { ...DIRECTORY, name: "empty.d/" },
  { name: "set-uid", mode: 0o4755, uid: 1, gid: 2, data: "u" },
  { name: "set-gid", mode: 0o2755, uid: 1, gid: 2, data: "g" },
  { ...DIRECTORY, name: "tmp/", mode: 0o1777 },
  { name: "no mode", mode: 0 },
  { name: "fifo", type: "6", mode: 0o620 },
  { name: "null", type: "3", mode: 0o666, device: [1, 3] },
  { name: "disk", type: "4", mode: 0o660, gid: 6, device: [259, 1048575] },
  { name: "octal owner", uid: 2097151, gid: 2097151 },
  { name: "base-256 owner", uid: 2097152, gid: 4294967294, dialect: "gnu" },
  { name: "PAX owner", pax: [["uid", "3000000"], ["gid", "4294967294"]] },
  { name: "1970", mtime: 0 },
  { name: "1901", mtime: -2147483648, dialect: "gnu" },
  // rkt counts nanoseconds in 64 bits, which end in 2262.
  { name: "2255", mtime: 9_000_000_000, dialect: "gnu" },
  { name: "sub-second", pax: [["mtime", "1433664550.123456789"]] },
  { name: "one digit", pax: [["mtime", "1433664550.5"]] },
  { name: "before 1970", pax: [["mtime", "-315521754.25"]] },
  {
    name: "xattrs",
    pax: [
      ["SCHILY.xattr.user.text", 'quo"te=\n'],
      ["SCHILY.xattr.user.bytes", "\0\xff\n\0"],
      ["SCHILY.xattr.user.long", "x".repeat(2000)],
    ],
  },
  {
    name: "capable",
    mode: 0o755,
    pax: [["SCHILY.xattr.security.capability", CAPABILITY]],
  },
  {
    name: "acl",
    mode: 0o664,
    pax: [
      ["SCHILY.acl.access", ACL_TEXT],
      ["SCHILY.xattr.system.posix_acl_access", ACL],
    ],
  },
  {
    ...DIRECTORY,
    name: "acl.d/",
    pax: [
      ["SCHILY.acl.default", ACL_TEXT],
      ["SCHILY.xattr.system.posix_acl_default", ACL],
    ],
  },
  { name: "size in PAX", pax: [["size", "4"]], size: 0, data: "size" },
  { name: "size in base 256", raw: [[124, SIZE_4]], data: "size" },
];

export const FILES: TarEntry[] = [
  { ...DIRECTORY, name: "./", mode: 0o755 },
  { name: "./a", data: "a" },
  { ...DIRECTORY, name: "./d/", mode: 0o700 },
  { name: "./d/b", data: "b".repeat(1000) },
];

const MORE: TarEntry[] = [
  { name: "./d/c", mode: 0o600, uid: 3, data: "c" },
  { name: "./d/link", type: "1", link: "./d/b" },
];

const FILES_AND_MORE = [...FILES, ...MORE.slice(0, 1)];

export const ODD_TARS: Case[] = [
  { name: "GNU tar's v7 headers", tar: longNames("v7", "-b1") },
  { name: "GNU tar's ustar headers", tar: longNames("ustar", "-b2048") },
  { name: "GNU long names and links", tar: longNames("gnu") },
  { name: "PAX headers", tar: longNames("pax") },
  {
    name: "GNU tar's PAX global header",
    tar: longNames("pax", "--pax-option=globexthdr.name=g,comment=said"),
    changes: ["global-headers"],
  },
  {
    name: "PAX global headers that count",
    tar: tarOf([
      paxHeader([["uid", "77"], ["mtime", "1433664550.5"]], "g"),
      { ...DIRECTORY, name: "./" },
      { name: "a", data: "a" },
      { name: "b", data: "b", pax: [["uid", "78"]] },
      // POSIX would keep the first header's other keywords, GNU tar does not.
      paxHeader([["uid", "80"], ["mtime", "1433664551"]], "g"),
      { name: "c", data: "c" },
    ]),
    changes: ["global-headers"],
  },
  { name: "all that an engine takes as it is", tar: tarOf(plain) },
  {
    // libarchive takes a leading backslash off.
    name: "names that begin with a backslash",
    tar: tarOf([
      { ...DIRECTORY, name: "./" },
      ...["\\", "\\n", "\\134", "c:\\x"].map((name) => ({ name, data: name })),
      { name: "hard", type: "1", link: "\\n" },
      { name: "soft", type: "2", link: "\\n" },
    ]),
    changes: ["odd-headers"],
  },
  {
    name: "hard links whose headers carry other metadata",
    tar: tarOf([
      { ...DIRECTORY, name: "./" },
      { name: "a", mode: 0o4755, uid: 5, data: "a" },
      { name: "b", type: "1", link: "a", mode: 0o600, mtime: 7 },
      { name: "c", type: "1", link: "b", uid: 9, gid: 9 },
      { name: "s", type: "2", link: "a", mode: 0o777 },
      { name: "t", type: "1", link: "s", mode: 0o600, uid: 5 },
    ]),
    changes: ["hard-links"],
  },
  {
    name: "file types of old",
    tar: tarOf([
      { ...DIRECTORY, name: "./" },
      { name: "contiguous", type: "7", data: "7" },
      { name: "directory/", type: "0", mode: 0o711, dialect: "v7" },
      { name: "NUL", type: "\0", data: "0", dialect: "v7" },
    ]),
    changes: ["entry-types"],
  },
  {
    name: "missing parent directories",
    tar: tarOf([
      { name: "bin/x", data: "x", uid: 5 },
      { name: "a/b/c/d", data: "d" },
      { name: `${"e".repeat(90)}/${"f".repeat(5)}/g`, data: "g" },
      { name: "h/i", type: "1", link: "a/b/c/d" },
      { name: "j/k", type: "2", link: "../a" },
      // The entry comes after what is in the directory.
      { name: "l/m", data: "m" },
      { ...DIRECTORY, name: "l/", mode: 0o700, uid: 8 },
    ]),
    changes: ["missing-directories"],
    trees: { noMtimeOfDirs: true },
  },
  {
    name: "sparse files",
    tar: sparseFiles,
    changes: ["sparse-files"],
    trees: { noMtimeOfDirs: true },
  },
  {
    name: "paths that come again",
    tar: appended,
    // A name given twice makes GNU tar write a hard link to itself.
    changes: ["hard-links", "repeated-paths"],
    lateDirectories: true,
    async check(archive) {
      const names = (await run("tar", ["-tf", archive])).trim().split("\n");
      assert.deepEqual(names, [...new Set(names)]);
    },
  },
  {
    name: "directories that come again",
    tar: tarOf([
      ...FILES,
      { ...DIRECTORY, name: "d/", mode: 0o1711, uid: 4, mtime: 5 },
      { ...DIRECTORY, name: ".", mode: 0o750, mtime: 6 },
    ]),
    changes: ["repeated-paths"],
    lateDirectories: true,
    // GNU tar would set the first entry's mode last, since it sets all at the end.
    reference: tarOf([
      { ...DIRECTORY, name: "d/", mode: 0o1711, uid: 4, mtime: 5 },
      { ...DIRECTORY, name: ".", mode: 0o750, mtime: 6 },
      ...FILES.filter(({ type }) => type === undefined),
    ]),
  },
  {
    name: "entries below symbolic links",
    tar: tarOf([
      { ...DIRECTORY, name: "./" },
      { ...DIRECTORY, name: "usr/" },
      { ...DIRECTORY, name: "usr/lib/" },
      { name: "lib", type: "2", link: "usr/lib" },
      { name: "lib/x", data: "x" },
      { ...DIRECTORY, name: "lib/y/" },
      { name: "lib/y/z", data: "z" },
      { name: "hard", type: "1", link: "lib/x" },
      { name: "lib/hard", type: "1", link: "usr/lib/y/z" },
      { name: "usr/lib64", type: "2", link: "lib" },
      { name: "usr/lib64/w", data: "w" },
    ]),
  },
  {
    name: "entries below symbolic links that lead up, or to what is missing",
    tar: tarOf([
      { ...DIRECTORY, name: "./" },
      { ...DIRECTORY, name: "usr/" },
      { name: "usr/up", type: "2", link: "../.." },
      { name: "usr/up/x", data: "x" },
      { name: "run", type: "2", link: "/var/run" },
      { name: "run/y", data: "y" },
    ]),
    changes: ["missing-directories", "moved-entries"],
    reference: tarOf([
      { ...DIRECTORY, name: "./" },
      { ...DIRECTORY, name: "usr/" },
      { name: "usr/up", type: "2", link: "../.." },
      { name: "x", data: "x" },
      { name: "run", type: "2", link: "/var/run" },
      { name: "var/run/y", data: "y" },
    ]),
    trees: { noMtimeOfDirs: true },
  },
  ...[false, true].map((pristine): Case => ({
    name: `a rootfs with files named as Docker's${
      pristine ? ", pristine" : ""
    }`,
    tar: tarOf([
      { ...DIRECTORY, name: "./" },
      ...["json", "VERSION", "layer.tar", "manifest", "repositories"]
        .map((name) => ({ name: `./${name}`, data: `own ${name}` })),
    ]),
    options: { pristine },
    notes: pristine ? undefined : /The rootfs has a \/VERSION of its own/,
    trees: { ignore: [] },
    async check(archive, isoc) {
      const names = await run("tar", ["-tf", archive]);
      assert.match(names, new RegExp(`^${isoc.layers[0]!.digest}/json$`, "m"));
    },
  })),
  {
    name: "names of whiteouts, allowed",
    tar: tarOf([...FILES, { name: "./d/.wh.b", data: "no deletion" }]),
    options: { allowWhiteouts: true },
    without: ["docker", "umoci"],
  },
  {
    name: "two tars, one after the other",
    tar: concat([tarOf(FILES), tarOf(MORE)]),
    changes: ["several-archives"],
    reference: tarOf([...FILES, ...MORE]),
  },
  {
    name: "no closing blocks",
    tar: unclosed(tarOf(FILES_AND_MORE)),
  },
  {
    name: "one closing block",
    tar: tarOf(FILES_AND_MORE).subarray(0, -BLOCK),
  },
  {
    name: "one closing block, and junk after it",
    tar: concat([
      tarOf(FILES_AND_MORE).subarray(0, -BLOCK),
      new Uint8Array(BLOCK).fill(0x6a),
    ]),
    changes: ["closing-blocks"],
  },
  {
    name: "junk after the closing blocks",
    tar: concat([
      tarOf(FILES_AND_MORE),
      new Uint8Array(3000).fill(0x6a),
      unclosed(tarOf(MORE)),
    ]),
  },
];
