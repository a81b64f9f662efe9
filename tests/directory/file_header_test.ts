import assert from "node:assert/strict";
import { asciiText, utf8 } from "../../lib/streams/bytes.ts";
import {
  FileList,
  type FileRecord,
  type NewFile,
} from "../../lib/directory/file_list.ts";
import { numberField, textField } from "../../lib/tar/block.ts";
import type { Entry } from "../../lib/tar/entry.ts";
import { readEntry } from "../../lib/tar/read_entry.ts";
import {
  fileHeader,
  fileHeaderSize,
  putFileHeader,
} from "../../lib/directory/file_header.ts";

function record(some: Partial<FileRecord> = {}): FileRecord {
  return {
    kind: "file",
    path: utf8("etc/hosts"),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 5,
    seconds: 1433664550,
    nanoseconds: 0,
    major: 0,
    minor: 0,
    ...some,
  };
}

/** Reads header blocks back; the PAX records as a plain object. */
function read(bytes: Uint8Array) {
  const entry = readEntry(bytes, 0, []) as Entry;
  assert.equal(entry.end, bytes.length);
  const records = Object.fromEntries(
    entry.records.map(([key, value]) => [key, asciiText(value)]),
  );
  return { ...entry, records };
}

Deno.test("fileHeader() makes one ustar block of a plain record", () => {
  const bytes = fileHeader(record());
  assert.equal(bytes.length, 512);
  const { kind, path, size, dialect } = read(bytes);
  assert.deepEqual([kind, size, dialect], ["file", 5, "ustar"]);
  assert.deepEqual(path, utf8("etc/hosts"));
  assert.equal(numberField(bytes, [136, 12]), 1433664550);
  // Names of user and group depend on the machine.
  assert.deepEqual(textField(bytes, [265, 32]), utf8(""));
  assert.deepEqual(textField(bytes, [297, 32]), utf8(""));
});

Deno.test("fileHeader() makes an entry of each kind", () => {
  const link = utf8("usr/lib");
  for (
    const [some, kind, path] of [
      [{ kind: "directory" }, "directory", "etc/hosts/"],
      [{ kind: "directory", path: utf8("") }, "directory", "./"],
      [{ kind: "symlink", link }, "symlink", "etc/hosts"],
      [{ kind: "hardlink", link }, "hardlink", "etc/hosts"],
      [{ kind: "character", major: 5, minor: 1 }, "device", "etc/hosts"],
      [{ kind: "block", major: 4095, minor: 1048575 }, "device", "etc/hosts"],
      [{ kind: "fifo" }, "fifo", "etc/hosts"],
    ] as const
  ) {
    const bytes = fileHeader(record({ size: 0, ...some }));
    assert.equal(bytes.length, 512);
    const entry = read(bytes);
    assert.equal(entry.kind, kind);
    assert.deepEqual(entry.path, utf8(path));
    assert.deepEqual(entry.link, "link" in some ? link : utf8(""));
    assert.equal(
      numberField(bytes, [329, 8]),
      "major" in some ? some.major : 0,
    );
    assert.equal(
      numberField(bytes, [337, 8]),
      "minor" in some ? some.minor : 0,
    );
  }
});

Deno.test("fileHeader() puts into PAX records what ustar cannot say", () => {
  for (
    const [some, expected] of [
      [{ nanoseconds: 123456789 }, { mtime: "1433664550.123456789" }],
      [{ nanoseconds: 500000000 }, { mtime: "1433664550.5" }],
      [{ nanoseconds: 1 }, { mtime: "1433664550.000000001" }],
      [{ seconds: -1 }, { mtime: "-1" }],
      [{ seconds: -1, nanoseconds: 999999999 }, { mtime: "-0.000000001" }],
      [
        { seconds: -315521755, nanoseconds: 250000000 },
        { mtime: "-315521754.75" },
      ],
      [{ seconds: 2 ** 33 }, { mtime: "8589934592" }],
      [{ seconds: 2 ** 33 - 1 }, {}],
      [{ size: 2 ** 33 }, { size: "8589934592" }],
      [{ size: 2 ** 33 - 1 }, {}],
      [{ uid: 2097152, gid: 2097151 }, { uid: "2097152" }],
      [{ uid: 3, gid: 4294967294 }, { gid: "4294967294" }],
    ] as [Partial<FileRecord>, Record<string, string>][]
  ) {
    const bytes = fileHeader(record(some));
    const entry = read(bytes);
    assert.deepEqual(entry.records, expected);
    assert.equal(entry.size, some.size ?? 5);
    // Readers that know no PAX find them in the header as well.
    const field = (at: number, length: number) =>
      numberField(bytes, [at, length], entry.header);
    assert.equal(field(108, 8), some.uid ?? 0);
    assert.equal(field(116, 8), some.gid ?? 0);
    assert.equal(field(124, 12), some.size ?? 5);
    assert.equal(field(136, 12), some.seconds ?? 1433664550);
  }
});

Deno.test("putFileHeader() writes what fileHeader() makes", () => {
  const written: number[] = [];
  for (const seconds of [-1, 0, 9, 10, 999999999, 1433664550, 2 ** 33]) {
    for (const nanoseconds of [0, 1, 10, 123456789, 500000000, 999999999]) {
      for (const path of ["a", "p".repeat(101)]) {
        const some = record({ seconds, nanoseconds, path: utf8(path) });
        const expected = fileHeader(some);
        const bytes = new Uint8Array(4096).fill(1);
        if (!putFileHeader(some, bytes, 512)) continue;
        const end = 512 + expected.length;
        assert.deepEqual(bytes.subarray(512, end), expected);
        assert.equal(bytes[511], 1);
        assert.equal(bytes[end], 1);
        written.push(seconds);
      }
    }
  }
  const usual = [0, 9, 10, 999999999, 1433664550];
  assert.deepEqual(written, usual.flatMap((time) => Array(6).fill(time)));
});

Deno.test("fileHeader() keeps paths and targets of any length", () => {
  const long = "long".repeat(50);
  for (
    const [path, extension] of [
      ["p".repeat(100), ""],
      [`${"d".repeat(155)}/${"n".repeat(100)}`, ""],
      ["p".repeat(101), "x"],
      [`${long}/${long}`, "x"],
      ["日本".repeat(40), "x"],
      [new Uint8Array(200).fill(0xff), "L"],
    ] as const
  ) {
    const bytes = typeof path === "string" ? utf8(path) : path;
    for (const nanoseconds of [0, 5]) {
      const header = fileHeader(record({ path: bytes, nanoseconds }));
      assert.deepEqual(read(header).path, bytes);
      const first = nanoseconds > 0 && extension === "" ? "x" : extension;
      assert.equal(header[156], (first || "0").charCodeAt(0));
      const linked = record({ kind: "symlink", link: bytes, size: 0 });
      assert.deepEqual(read(fileHeader(linked)).link, bytes);
    }
  }
});

Deno.test("fileHeader() gives the same bytes for the same record", () => {
  for (const seconds of [0, 1, -1]) {
    const some = record({ seconds, nanoseconds: 120000000, uid: 3000000 });
    const first = fileHeader(some).slice();
    assert.deepEqual(fileHeader(some), first);
  }
});

Deno.test("fileHeaderSize() is the size of what fileHeader() makes", () => {
  const list = new FileList();
  const add = (file: Partial<NewFile>) => {
    const { path: _, link: __, ...rest } = record();
    return list.add({ ...rest, parent: 0, name: utf8("x"), stamp: 1, ...file });
  };
  add({ kind: "directory", parent: -1, name: utf8("") });
  for (const length of [1, 98, 99, 100, 101, 155, 156, 255]) {
    const name = utf8("n".repeat(length));
    const parent = add({ kind: "directory", name });
    add({ parent });
    const slot = add({ name });
    add({ kind: "hardlink", link: slot });
    add({ kind: "symlink", link: name });
    add({ kind: "symlink", name, link: name, nanoseconds: 1 });
  }
  for (
    const numbers of [
      { uid: 8 ** 7 },
      { gid: 8 ** 7 - 1 },
      { size: 8 ** 11 },
      { seconds: -1 },
      { seconds: -(2 ** 33), nanoseconds: 999_999_999 },
      { seconds: 8 ** 11, uid: 2 ** 32 - 1, gid: 2 ** 32 - 1, size: 2 ** 52 },
      { nanoseconds: 120_000_000 },
    ]
  ) add(numbers);
  for (let slot = 0; slot < list.length; slot++) {
    const found = list.record(slot);
    assert.equal(fileHeaderSize(list, slot), fileHeader(found).length);
  }
});
