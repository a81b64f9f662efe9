import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import {
  formatPax,
  isTakenBack,
  parsePax,
  paxNumber,
} from "../../lib/tar/pax.ts";
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

Deno.test("parsePax() takes empty values, which take a global record back", () => {
  for (
    const key of ["path", "linkpath", "size", "uid", "mtime", "hdrcharset"]
  ) {
    const [record] = parsePax(ascii(paxRecord(key, "")));
    assert.ok(isTakenBack(record!), key);
  }
  for (const key of ["comment", "SCHILY.xattr.user.x"]) {
    const [record] = parsePax(ascii(paxRecord(key, "")));
    assert.ok(!isTakenBack(record!), key);
  }
  assert.throws(
    () => parsed(paxRecord("GNU.sparse.name", "")),
    /The PAX record "GNU.sparse.name" is empty/,
  );
});

Deno.test("parsePax() takes any character set: no reader translates names", () => {
  for (const set of ["BINARY", "ISO-IR 10646 2000 UTF-8", "", "ISO-IR 8859"]) {
    assert.equal(parsed(paxRecord("hdrcharset", set)).length, 1);
  }
});

Deno.test("parsePax() takes numbers with leading zeros", () => {
  const many = "0".repeat(30);
  for (
    const [key, value] of [
      ["uid", `${many}1000`],
      ["size", `${many}5`],
      ["mtime", `-${many}5.25`],
      ["GNU.sparse.major", "01"],
    ] as const
  ) assert.deepEqual(parsed(paxRecord(key, value)), [[key, value]]);
  assert.deepEqual(parsed("0010 uid=5\n".replace("0010", "0011")), [[
    "uid",
    "5",
  ]]);
});

Deno.test("parsePax() says the value that it refuses", () => {
  const cases: [key: string, value: string, message: RegExp][] = [
    ["uid", "x1", /"uid" says "x1", which is no number without a sign/],
    ["uid", "4294967295", /"4294967295"; Linux takes 0 to 4294967294/],
    ["mtime", "12a", /"mtime" says "12a", which is no time in seconds/],
    ["path", "a\0b", /"path" says "a\\u0000b": it holds a NUL/],
  ];
  for (const [key, value, message] of cases) {
    assert.throws(() => parsed(paxRecord(key, value)), {
      name: "InputError",
      message,
    });
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

Deno.test("parsePax() takes the times that the form allows, and no others", () => {
  const form = /^-?0*\d{1,18}(\.\d*)?$/;
  const times = [
    ...[
      "0",
      "1.5",
      "1.",
      ".5",
      "-1.5",
      "1.5.5",
      "1,5",
      " 1",
      "1 ",
      "+1",
      "1e9",
    ],
    ...["9".repeat(18), "9".repeat(19), `${"0".repeat(9)}${"9".repeat(18)}`],
    ...["1.5x", "x1", "-", ".", "1-", "1.-5", "1\n"],
  ];
  for (const time of times) {
    const data = ascii(paxRecord("mtime", time));
    if (form.test(time)) assert.equal(parsePax(data).length, 1, time);
    else assert.throws(() => parsePax(data), /no time in seconds/, time);
  }
});
