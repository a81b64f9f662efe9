// What package databases call licences, as SPDX expressions.

import assert from "node:assert/strict";
import { readCopyright } from "../../lib/packages/dep5.ts";
import {
  allOf,
  licenceExpression,
  licenceReferences,
} from "../../lib/packages/licence.ts";
import { isSpdx } from "../../lib/packages/spdx_expression.ts";
import { seededRandom } from "../support/random.ts";

const EXPRESSIONS: [text: unknown, expression: string | undefined][] = [
  ["MIT", "MIT"],
  ["mit", "MIT"],
  ["Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"],
  ["(MIT OR Apache-2.0)", "(MIT OR Apache-2.0)"],
  ["GPL-2+", "GPL-2.0-or-later"],
  ["GPL-2", "GPL-2.0-only"],
  ["GPL-2.0", "GPL-2.0-only"],
  ["GPL-2.0+", "GPL-2.0-or-later"],
  ["LGPL-2.1+", "LGPL-2.1-or-later"],
  ["GPLv2+ and MIT", "GPL-2.0-or-later AND MIT"],
  ["GPLv3 or later", "GPL-3.0-or-later"],
  [
    "(GPLv2+ or AFL) and ASL 2.0",
    "(GPL-2.0-or-later OR LicenseRef-AFL) AND Apache-2.0",
  ],
  [
    "GPL-1+ or Artistic, and Expat",
    "(GPL-1.0-or-later OR Artistic-1.0) AND (MIT)",
  ],
  ["public-domain", "LicenseRef-public-domain"],
  ["GPL-3+ with GCC exception", "LicenseRef-GPL-3-with-GCC-exception"],
  ["Apache License, Version 2.0", "Apache-2.0"],
  ["MIT)(", "LicenseRef-MIT"],
  ["SEE LICENSE IN x", "LicenseRef-SEE-LICENSE-IN-x"],
  ["\u202e\x1b[31m", "LicenseRef-31m"],
  ["***", "LicenseRef-other"],
  ["", undefined],
  ["UNKNOWN", undefined],
  ["x ".repeat(600), undefined],
  [7, undefined],
  [undefined, undefined],
];

for (const [text, expression] of EXPRESSIONS) {
  const name = JSON.stringify(text)?.slice(0, 40);
  Deno.test(`The licence ${name} is ${expression}`, () => {
    assert.equal(licenceExpression(text), expression);
    if (expression !== undefined) assert.ok(isSpdx(expression));
  });
}

Deno.test("Whatever a database says becomes an expression of SPDX, or nothing", () => {
  const random = seededRandom(3);
  const pieces = [
    ...["MIT", "GPL-2+", "and", "or", "OR", "AND", "WITH", "(", ")", ",", "+"],
    ...[" ", "  ", "with", "LLVM-exception", "é", "\n", "LicenseRef-x", ":"],
  ];
  for (let i = 0; i < 3000; i++) {
    const text = Array.from(
      { length: random(12) },
      () => pieces[random(pieces.length)] + " ".repeat(random(2)),
    ).join("");
    const expression = licenceExpression(text);
    if (expression !== undefined) assert.ok(isSpdx(expression), text);
  }
});

Deno.test("Only expressions of known identifiers are SPDX", () => {
  for (
    const text of [
      ...["", "MIT AND", "AND MIT", "MIT MIT", "()", "(MIT", "MIT)", "mit"],
      ...["MIT WITH x", "MIT and MIT", "LicenseRef-", "(".repeat(5000)],
    ]
  ) assert.equal(isSpdx(text), false, text.slice(0, 20));
  assert.ok(isSpdx("((MIT OR GPL-2.0+) AND DocumentRef-a:LicenseRef-b)"));
});

Deno.test("Licences that all hold are joined once each, in one order", () => {
  assert.equal(allOf(["MIT", "GPL-2.0-only AND MIT"]), "GPL-2.0-only AND MIT");
  assert.equal(allOf(["MIT OR ISC", "Zlib"]), "(MIT OR ISC) AND Zlib");
  assert.equal(allOf([]), undefined);
  assert.deepEqual(
    licenceReferences("MIT AND (LicenseRef-a OR LicenseRef-b.c)"),
    ["LicenseRef-a", "LicenseRef-b.c"],
  );
});

Deno.test("A copyright file in DEP-5 says the licences of its files", () => {
  const text =
    `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: x

Files: *
Copyright: 2001 A
License: GPL-2+
 This is free software.
 .
 And so on.

Files: debian/*
License: Expat

License: Zlib
 Text of a licence that no file has.
`;
  assert.equal(readCopyright(text), "GPL-2.0-or-later AND MIT");
  assert.equal(
    readCopyright("This package is free.\n\nFiles: *\nLicense: MIT"),
    undefined,
  );
  assert.equal(readCopyright(""), undefined);
});
