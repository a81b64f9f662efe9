import assert from "node:assert/strict";
import { ascii, binary, concat } from "../../lib/streams/bytes.ts";
import {
  BLOCK,
  checksumMatches,
  dialectOf,
  FIELD,
  numberField,
  textField,
} from "../../lib/tar/block.ts";
import type { Entry } from "../../lib/tar/entry.ts";
import { readEntry } from "../../lib/tar/read_entry.ts";
import {
  patch,
  paxEntry,
  rebuild,
  type Target,
} from "../../lib/tar/rebuild.ts";
import { entryOf, paxRecord, type TarEntry } from "../support/tar_writer.ts";

const NONE = new Map<string, Uint8Array>();

function read(bytes: Uint8Array): Entry {
  const item = readEntry(bytes, 0, []);
  assert.ok(typeof item === "object" && "kind" in item);
  return item;
}

function target(path: string, link?: string): Target {
  return {
    path: ascii(path),
    ...(link !== undefined && { link: ascii(link) }),
  };
}

/** Moves an entry in place; gives it as it reads then, if that worked. */
function patched(from: TarEntry, to: Target): Entry | undefined {
  const bytes = entryOf(from);
  const before = bytes.slice();
  const entry = read(bytes);
  const works = patch(bytes, entry, to, true);
  assert.deepEqual(bytes, before, "A dry run changes nothing");
  assert.equal(patch(bytes, entry, to), works);
  if (!works) {
    assert.deepEqual(bytes, before);
    return undefined;
  }
  assert.ok(checksumMatches(bytes, entry.header));
  const after = read(bytes);
  assert.equal(after.end, entry.end);
  assert.equal(binary(after.path), binary(to.path));
  if (to.link) assert.equal(binary(after.link), binary(to.link));
  return after;
}

/** Moves an entry by new header blocks; gives them and how they read. */
function rebuilt(
  from: TarEntry,
  to: Target,
  globals: ReadonlyMap<string, Uint8Array> = NONE,
): Entry & { bytes: Uint8Array; types: string } {
  const bytes = entryOf(from);
  const before = bytes.slice();
  const out = rebuild(bytes, read(bytes), globals, to);
  assert.deepEqual(bytes, before);
  assert.equal(out.length % BLOCK, 0);
  const entry = read(out);
  assert.equal(entry.end, out.length);
  assert.equal(binary(entry.path), binary(to.path));
  if (to.link) assert.equal(binary(entry.link), binary(to.link));
  let types = "";
  for (let at = 0; at < out.length;) {
    types += String.fromCharCode(out[at + 156]!);
    const size = numberField(out, FIELD.size, at)!;
    at += BLOCK + (at < entry.header ? Math.ceil(size / BLOCK) * BLOCK : 0);
  }
  return { ...entry, bytes: out, types };
}

const NAME_93 = "n".repeat(93);
const NAME_94 = "n".repeat(94);

Deno.test("patch() writes short paths into the name field", () => {
  for (const dialect of ["ustar", "gnu"] as const) {
    assert.ok(patched({ name: "a", dialect }, target("rootfs/a")));
    const path = `rootfs/${NAME_93}`;
    assert.ok(patched({ name: NAME_93, dialect }, target(path)));
  }
});

Deno.test("patch() splits longer paths where ustar has a prefix", () => {
  const path = `rootfs/${NAME_94}`;
  const entry = patched({ name: NAME_94 }, target(path));
  assert.ok(entry);
  assert.ok(
    patched({ name: "x" }, target(`${"p".repeat(155)}/${"n".repeat(100)}`)),
  );
  // No slash where one is needed, or GNU's times in the prefix's place.
  assert.ok(!patched({ name: "x" }, target("n".repeat(101))));
  assert.ok(!patched({ name: "x" }, target(`${"p".repeat(156)}/n`)));
  assert.ok(!patched({ name: "x" }, target(`p/${"n".repeat(101)}`)));
  assert.ok(!patched({ name: "x", dialect: "gnu" }, target(path)));
});

Deno.test("patch() does not split at a directory's last slash", () => {
  const path = `p/${"d".repeat(99)}/`;
  assert.ok(patched({ name: "d/", type: "5" }, target(path)));
  assert.ok(!patched({ name: "d/", type: "5" }, target(`${"d".repeat(100)}/`)));
});

Deno.test("patch() clears what the header had before", () => {
  const entry = patched(
    { name: "n".repeat(100), prefix: "p".repeat(155) },
    target("short"),
  );
  assert.equal(binary(entry!.path), "short");
});

Deno.test("rebuild() leaves GNU's times out, which some readers take for a path", () => {
  const times = "12534776046\x0012534776047\0";
  const bytes = entryOf({ name: "x", dialect: "gnu", raw: [[345, times]] });
  assert.ok(!patch(bytes, read(bytes), target("rootfs/x")));
  const made = rebuild(bytes, read(bytes), NONE, target("rootfs/x"));
  assert.deepEqual(made.subarray(345, 369), new Uint8Array(24));
  assert.equal(read(made).odd, false);
});

/** Headers that readers take for different things, and what all take after. */
const ODD: Record<string, [entry: TarEntry | Uint8Array, path?: string]> = {
  "a prefix in a header without a magic": [
    { name: "x", dialect: "v7", prefix: "p" },
  ],
  "a prefix after a magic with a blank": [
    { name: "x", raw: [[257, "ustar 00"]], prefix: "p" },
  ],
  "a prefix after a magic in capitals": [
    { name: "x", raw: [[257, "USTAR\x0000"]], prefix: "p" },
  ],
  "a prefix in a GNU header, by old Go": [
    { name: "x", dialect: "gnu", prefix: "p/q" },
    "p/q/x",
  ],
  "a prefix in a GNU header that is not ASCII": [
    { name: "x", dialect: "gnu", prefix: "\xff" },
  ],
  "a prefix of star's that has no end": [
    {
      name: "x",
      prefix: "p".repeat(131),
      raw: [[476, "12534776046 12534776046 "], [508, "tar\0"]],
    },
    `${"p".repeat(131)}/x`,
  ],
  "a GNU long name without a NUL": [
    concat([
      entryOf({ name: "L", type: "L", data: "long", dialect: "gnu" }),
      entryOf({ name: "x", dialect: "gnu" }),
    ]),
    "long",
  ],
  "a GNU long name with two NULs": [
    concat([
      entryOf({ name: "L", type: "L", data: "long\0er\0", dialect: "gnu" }),
      entryOf({ name: "x", dialect: "gnu" }),
    ]),
    "long",
  ],
  "an empty GNU long name": [{ name: "x", longName: "", dialect: "gnu" }],
  "an empty path": [{ name: "x", pax: [["path", ""]] }],
  "an empty number": [{ name: "x", pax: [["uid", ""], ["mtime", ""]] }],
  "star's size of the file": [{ name: "x", pax: [["SCHILY.realsize", "99"]] }],
  "old bytes after a number": [{ name: "x", raw: [[124, "0\x007777 \0"]] }],
  "Solaris's PAX header": [
    concat([
      entryOf({ name: "X", type: "X", data: paxRecord("path", "real") }),
      entryOf({ name: "x" }),
    ]),
    "real",
  ],
  "a symlink with a size": [{ name: "x", type: "2", link: "y", size: 3 }],
  "a FIFO with a size": [{ name: "x", type: "6", size: 3 }],
  "a device with a size": [{ name: "x", type: "3", size: 3 }],
  "a directory with a size in PAX": [
    { name: "x", type: "5", pax: [["size", "3"]] },
  ],
};

for (const [what, [entry, path = "x"]] of Object.entries(ODD)) {
  Deno.test(`rebuild() settles ${what}`, () => {
    const bytes = entry instanceof Uint8Array ? entry : entryOf(entry);
    const found = read(bytes);
    assert.equal(binary(found.path), path);
    assert.ok(found.odd);
    const to = target(path);
    assert.ok(!patch(bytes.slice(), found, to));
    const made = rebuild(bytes, found, NONE, to);
    const again = read(made);
    assert.deepEqual([binary(again.path), again.odd], [path, false]);
    assert.equal(again.kind, found.kind);
    const { header } = again;
    assert.equal(numberField(made, FIELD.size, header), again.size);
    // libarchive, busybox and Python go by this without looking at the magic.
    const prefix = made[header + 345] === 0 ? "" : dialectOf(made, header);
    assert.ok(prefix === "" || prefix === "star", prefix);
  });
}

Deno.test("patch() writes link targets of up to 100 bytes", () => {
  const link: TarEntry = { name: "x", type: "1", link: "y" };
  assert.ok(patched(link, target("rootfs/x", "r".repeat(100))));
  assert.ok(!patched(link, target("rootfs/x", "r".repeat(101))));
});

Deno.test("patch() leaves entries alone whose extensions say the path", () => {
  for (
    const more of [
      { longName: "y" },
      { longLink: "y" },
      { pax: [["path", "y"]] },
      { pax: [["linkpath", "y"]] },
      { pax: [["GNU.sparse.size", "0"]] },
    ] as Partial<TarEntry>[]
  ) assert.ok(!patched({ name: "x", ...more }, target("rootfs/x")));
  // Others come first as they are.
  const entry = patched(
    { name: "x", pax: [["mtime", "1.5"]] },
    target("rootfs/x"),
  );
  assert.equal(entry!.records.length, 1);
});

Deno.test("patch() makes an old header one that rkt takes", () => {
  const bytes = entryOf({
    ...{ name: "x", dialect: "v7", type: "\0" },
    raw: [[257, "garbage that means nothing"]],
  });
  assert.ok(patch(bytes, read(bytes), target("rootfs/x")));
  assert.equal(dialectOf(bytes), "ustar");
  assert.equal(bytes[156], 0x30);
  assert.equal(binary(textField(bytes, FIELD.uname)), "");
  assert.equal(numberField(bytes, FIELD.devmajor), 0);
});

Deno.test("patch() makes plain types of odd ones", () => {
  const flag = (entry: TarEntry) => patched(entry, target("y"))!.flag;
  assert.equal(flag({ name: "x", type: "7" }), 0x30);
  assert.equal(flag({ name: "x/", type: "0" }), 0x35);
  const link = patched(
    { name: "x", type: "1", link: "z", size: 9 },
    target("y"),
  );
  assert.equal(link!.size, 0);
});

Deno.test("rebuild() keeps a path where the entry had it before", () => {
  const path = "rootfs/" + "x".repeat(200);
  assert.equal(rebuilt({ name: "x", longName: "y" }, target(path)).types, "L0");
  const pax: TarEntry["pax"] = [["path", "y"]];
  assert.equal(rebuilt({ name: "x", pax }, target(path)).types, "x0");
  assert.equal(rebuilt({ name: "x", pax }, target("short")).types, "x0");
});

Deno.test("rebuild() takes the dialect's own way for a path that grew", () => {
  const path = "rootfs/" + "x".repeat(200);
  assert.equal(rebuilt({ name: "x" }, target(path)).types, "x0");
  assert.equal(
    rebuilt({ name: "x", dialect: "gnu" }, target(path)).types,
    "L0",
  );
  const pax: TarEntry["pax"] = [["mtime", "1.5"]];
  const entry = rebuilt({ name: "x", dialect: "gnu", pax }, target(path));
  assert.equal(entry.types, "x0");
  assert.deepEqual(entry.records.map(([key]) => key), ["mtime", "path"]);
  // PAX records are UTF-8.
  assert.equal(rebuilt({ name: "x" }, target(`${path}\xff`)).types, "L0");
});

Deno.test("rebuild() writes the start of a long path into the header", () => {
  const { bytes, header } = rebuilt({ name: "x" }, target("n".repeat(200)));
  assert.equal(binary(textField(bytes, FIELD.name, header)), "n".repeat(100));
  assert.equal(textField(bytes, FIELD.prefix, header).length, 0);
});

Deno.test("rebuild() writes long link targets", () => {
  const link = "rootfs/" + "x".repeat(200);
  const hard: TarEntry = { name: "x", type: "1", link: "y" };
  assert.equal(rebuilt(hard, target("a", link)).types, "x1");
  const gnu: TarEntry = { ...hard, dialect: "gnu" };
  assert.equal(rebuilt(gnu, target("a", link)).types, "K1");
  assert.equal(rebuilt(gnu, target(link, link)).types, "LK1");
  const long = "z".repeat(120);
  // A symlink's target stays as it is.
  const soft = rebuilt(
    { name: "x", type: "2", longName: "y", longLink: long, dialect: "gnu" },
    target("rootfs/y"),
  );
  assert.equal(binary(soft.link), long);
});

Deno.test("rebuild() puts global records into the entry's own", () => {
  const globals = new Map([
    ["mtime", ascii("1")],
    ["uid", ascii("7")],
    ["path", ascii("global")],
  ]);
  const entry = rebuilt(
    { name: "x", pax: [["uid", "8"], ["gid", "9"], ["gid", "10"]] },
    target("rootfs/global"),
    globals,
  );
  assert.deepEqual(
    entry.records.map(([key, value]) => `${key}=${binary(value)}`),
    ["mtime=1", "path=rootfs/global", "uid=8", "gid=10"],
  );
});

Deno.test("rebuild() makes a plain file of a sparse one", () => {
  const pax: TarEntry["pax"] = [
    ["GNU.sparse.size", "1000"],
    ["GNU.sparse.map", "0,5"],
    ["size", "5"],
    ["mtime", "1.5"],
  ];
  const from: TarEntry = { name: "x", data: "hello", pax };
  const entry = rebuilt(from, target("rootfs/x"));
  assert.deepEqual(entry.records.map(([key]) => key), ["mtime"]);
  assert.equal(entry.size, 1000);
  assert.equal(entry.sparse, undefined);

  const old = rebuilt({
    ...{ name: "x", type: "S", dialect: "gnu", data: "hello" },
    raw: [
      [386, "00000000000\x0000000000005\0"],
      [483, "00000001750\0"],
    ],
  }, target("rootfs/x"));
  assert.equal(old.flag, 0x30);
  assert.equal(old.size, 1000);
  assert.ok(
    old.bytes.subarray(old.header + 386, old.header + 495).every((b) =>
      b === 0
    ),
  );
});

Deno.test("rebuild() takes sizes over 8 GiB from a sparse file", () => {
  const entry = rebuilt({
    ...{ name: "x", type: "S", dialect: "gnu" },
    raw: [[483, "\x80\0\0\0\0\0\0\x02\0\0\0\x01"]],
  }, target("rootfs/x"));
  assert.equal(entry.size, 2 ** 33 + 1);
});

Deno.test("rebuild() makes a hard link of a file, if asked", () => {
  const entry = rebuilt(
    {
      name: "x",
      data: "data",
      mode: 0o755,
      pax: [["size", "4"], ["uid", "5"]],
    },
    { ...target("rootfs/y", "rootfs/x"), as: "hardlink" },
  );
  assert.equal(entry.kind, "hardlink");
  assert.equal(entry.size, 0);
  assert.deepEqual(entry.records.map(([key]) => key), ["uid"]);
  assert.equal(numberField(entry.bytes, FIELD.mode, entry.header), 0o755);
});

Deno.test("paxEntry() pads the data, and keeps a header block's fields", () => {
  const [block, data] = paxEntry([["path", ascii("x".repeat(600))]]);
  assert.equal(block!.length, BLOCK);
  assert.equal(data!.length, 2 * BLOCK);
  assert.ok(checksumMatches(block!));
  const given = entryOf({ name: "PaxHeaders/1", type: "x", mode: 0o600 });
  const [kept] = paxEntry([["uid", ascii("1")]], given);
  assert.equal(binary(textField(kept!, FIELD.name)), "PaxHeaders/1");
  assert.equal(numberField(kept!, FIELD.size), 8);
  assert.ok(checksumMatches(kept!));
});
