// SBOMs of packages that an enemy has named: valid all the same, one line of text
// for each text, and the same bytes for the same packages.

import assert from "node:assert/strict";
import type { Package } from "../../lib/packages/package.ts";
import { purlOf } from "../../lib/packages/purl.ts";
import { sbomText } from "../../lib/packages/sbom.ts";
import { SBOM_FORMATS } from "../../lib/packages/sbom_formats.ts";
import type { SbomSubject } from "../../lib/packages/sbom_subject.ts";
import { seededRandom } from "../support/random.ts";
import { faultsOf } from "../support/sbom_schema.ts";

const random = seededRandom(9);
const PIECES = [
  ...["a", "Z", "0", " ", ".", "..", "@", "<", ">", "(", ")", "%", "%zz", "/"],
  ...[
    "://",
    "http://",
    "https://x.example/",
    "[",
    "#",
    "?",
    "\n",
    "\x1b",
    "\0",
  ],
  ...[
    "é",
    "\u202e",
    "\ud800",
    "😀",
    '"',
    "\\",
    "__proto__",
    ":",
    ",",
    "+",
    "-",
  ],
];
const anything = () =>
  Array.from(
    { length: 1 + random(8) },
    () => PIECES[random(PIECES.length)],
  ).join("") || "x";

function odd(i: number): Package {
  const found = {
    type: (["deb", "rpm", "npm", "golang"] as const)[i % 4]!,
    ...(i % 3 === 0 && { namespace: anything() }),
    name: `${anything()}${i}`,
    version: anything(),
    architecture: anything(),
    supplier: anything(),
    homepage: anything(),
    source: { name: anything(), version: anything() },
  };
  const purl = purlOf(found, { id: "debian", version: anything() });
  return { ...found, purl, layer: 1 + i % 3, paths: [anything()] };
}

function subject(packages: Package[]): SbomSubject {
  return {
    names: [anything()],
    digest: `sha256:${"a".repeat(64)}`,
    isManifest: true,
    architecture: "amd64",
    layers: ["sha256:1", undefined],
    time: "1970-01-01T00:00:00Z",
    list: { packages, warnings: [] },
    version: "1.0",
  };
}

for (const format of SBOM_FORMATS) {
  Deno.test(`An SBOM in ${format} of odd packages is valid`, () => {
    const one = subject(Array.from({ length: 600 }, (_, i) => odd(i)));
    const text = sbomText(format, one);
    assert.deepEqual(faultsOf(format, JSON.parse(text)), []);
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\x00-\x09\x0b-\x1f\u202e]/.test(text));
    assert.equal(sbomText(format, one), text);
  });

  Deno.test(`Another package is another SBOM in ${format}, with another name`, () => {
    const id = (text: string): string => {
      const { documentNamespace, serialNumber } = JSON.parse(text);
      return documentNamespace ?? serialNumber;
    };
    const one = { ...subject([odd(1)]), names: ["a:1"] };
    const two = { ...one, list: { packages: [odd(2)], warnings: [] } };
    assert.notEqual(id(sbomText(format, one)), id(sbomText(format, two)));
    assert.match(
      id(sbomText(format, one)),
      /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
}
