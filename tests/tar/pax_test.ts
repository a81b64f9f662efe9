import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import { formatPax, parsePax, paxNumber } from "../../lib/tar/pax.ts";
import { paxRecord } from "../support/tar_writer.ts";

function parsed(text: string): [string, string][] {
  return parsePax(ascii(text)).map(([key, value]) => [key, binary(value)]);
}

Deno.test("parsePax() reads records in order, any bytes in their values", () => {
  assert.deepEqual(parsed(""), []);
  assert.deepEqual(parsed("6 a=b\n13 path=x=\n\n\n"), [
    ["a", "b"],
    ["path", "x=\n\n"],
  ]);
  assert.deepEqual(parsed("5 a=\n6 a=c\n"), [["a", ""], ["a", "c"]]);
  assert.deepEqual(parsed(paxRecord("SCHILY.xattr.user.x", "\0\xff\n=")), [
    ["SCHILY.xattr.user.x", "\0\xff\n="],
  ]);
});

Deno.test("parsePax() refuses records with wrong lengths", () => {
  for (
    const text of [
      "7 a=b\n",
      "5 a=b\n",
      "0 a=b\n",
      "99999999999 a=b\n",
      "-6 a=b\n",
      " 6 a=b\n",
      "x a=b\n",
      "6a=b\n",
      "6 a=bx",
      "6 a=b\n\0\0",
      "3 \n",
      "6 =ab\n",
      "6 abc\n",
    ]
  ) {
    const message = JSON.stringify(text);
    assert.throws(() => parsed(text), InputError, message);
  }
});

Deno.test("parsePax() refuses values that readers reject", () => {
  for (
    const [key, value] of [
      ["path", "a\0b"],
      ["linkpath", "\0"],
      ["uname", "\0"],
      ["GNU.sparse.name", "a\0"],
      ["size", "-1"],
      ["size", "1.5"],
      ["size", "0x10"],
      ["GNU.sparse.realsize", "1\0"],
      ["GNU.sparse.major", "one"],
      ["uid", "4294967295"],
      ["gid", "-1"],
      ["mtime", "1e-09"],
      ["mtime", "now"],
      ["atime", "1,5"],
      ["a\0b", "x"],
    ] as const
  ) {
    const what = JSON.stringify([key, value]);
    assert.throws(() => parsed(paxRecord(key, value)), InputError, what);
  }
});

Deno.test("parsePax() refuses empty values that readers take differently", () => {
  for (const key of ["path", "linkpath", "size", "uid", "mtime", "ctime"]) {
    assert.throws(() => parsed(paxRecord(key, "")), InputError, key);
  }
  for (const key of ["uname", "comment", "SCHILY.xattr.user.x"]) {
    assert.deepEqual(parsed(paxRecord(key, "")), [[key, ""]]);
  }
});

Deno.test("parsePax() refuses character sets other than UTF-8 and none", () => {
  for (const set of ["BINARY", "ISO-IR 10646 2000 UTF-8"]) {
    assert.equal(parsed(paxRecord("hdrcharset", set)).length, 1);
  }
  for (const set of ["", "ISO-IR 8859 1 1998", "\xff"]) {
    assert.throws(() => parsed(paxRecord("hdrcharset", set)), InputError);
  }
});

Deno.test("parsePax() takes all forms of times that GNU tar and Go take", () => {
  for (const time of ["0", "1.", "-1.5", "-0.25", "1433664550.123456789123"]) {
    assert.deepEqual(parsed(paxRecord("mtime", time)), [["mtime", time]]);
  }
});

Deno.test("formatPax() counts the digits of a record's length", () => {
  assert.equal(binary(formatPax([["a", ascii("b")]])), "6 a=b\n");
  // Where the length has one digit more than the rest of the record.
  for (let length = 0; length < 1100; length++) {
    const value = ascii("v".repeat(length));
    const text = binary(formatPax([["k", value]]));
    assert.equal(Number(text.split(" ")[0]), text.length);
    assert.deepEqual(parsed(text), [["k", binary(value)]]);
  }
});

Deno.test("paxNumber() reads a number, or none", () => {
  assert.equal(paxNumber(ascii("8589934592")), 8589934592);
  assert.equal(paxNumber(ascii("")), undefined);
  assert.equal(paxNumber(undefined), undefined);
});

Deno.test("parsePax() takes a keyword that JavaScript's objects have", () => {
  for (const key of ["constructor", "__proto__", "toString"]) {
    assert.equal(parsePax(ascii(paxRecord(key, "x")))[0]![0], key);
  }
});
