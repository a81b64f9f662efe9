// Package URLs, against the examples of the specification and the library of the
// package-url project.

import assert from "node:assert/strict";
import { PackageURL } from "packageurl-js";
import { purl, purlOf } from "../../lib/packages/purl.ts";
import type { FoundPackage } from "../../lib/packages/package.ts";

const DEBIAN = { id: "debian", version: "12" };
const FEDORA = { id: "fedora", version: "40" };
const found = (type: FoundPackage["type"], name: string, version: string) => ({
  type,
  name,
  version,
});

const URLS: [FoundPackage, typeof DEBIAN | undefined, string][] = [
  [
    { ...found("deb", "libstdc++6", "1:12.2.0-14~x"), architecture: "amd64" },
    DEBIAN,
    "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14~x?arch=amd64&distro=debian-12",
  ],
  [
    { ...found("rpm", "Curl", "3:7.50.3-1.fc25"), architecture: "i386" },
    FEDORA,
    "pkg:rpm/fedora/Curl@7.50.3-1.fc25?arch=i386&distro=fedora-40&epoch=3",
  ],
  [found("rpm", "curl", "7-1"), undefined, "pkg:rpm/curl@7-1"],
  [
    found("apk", "busybox", "1.36.1-r2"),
    undefined,
    "pkg:apk/alpine/busybox@1.36.1-r2",
  ],
  [
    { ...found("npm", "animation", "12.3.1"), namespace: "@angular" },
    undefined,
    "pkg:npm/%40angular/animation@12.3.1",
  ],
  [found("pypi", "Django_X.y", "1.11"), undefined, "pkg:pypi/django-x-y@1.11"],
  [
    {
      ...found("golang", "genproto", "v0.1.0"),
      namespace: "google.golang.org/a",
    },
    undefined,
    "pkg:golang/google.golang.org/a/genproto@v0.1.0",
  ],
  [
    found("gem", "a b/c?d#e@f%\u202e", "1+2"),
    undefined,
    "pkg:gem/a%20b%2Fc%3Fd%23e%40f%25%E2%80%AE@1%2B2",
  ],
];

for (const [one, distribution, url] of URLS) {
  Deno.test(`The URL ${url}`, () => {
    assert.equal(purlOf(one, distribution), url);
    const { type, name, version } = PackageURL.fromString(url);
    assert.equal(type, one.type);
    const isEpoch = one.type === "rpm" && one.version.includes(":");
    assert.equal(version, isEpoch ? one.version.slice(2) : one.version);
    if (one.type !== "pypi") assert.equal(name, one.name);
  });
}

Deno.test("A URL with lone surrogates is one all the same", () => {
  assert.equal(
    purl({ type: "npm", name: "a\ud800", version: "1" }),
    "pkg:npm/a%EF%BF%BD@1",
  );
});
