import assert from "node:assert/strict";
import {
  formatReference,
  isLoopback,
  parseReference,
  registryHost,
} from "../../lib/registry/reference.ts";

Deno.test("parseReference() reads what docker pull reads", () => {
  const cases: [string, string][] = [
    ["busybox", "docker.io/library/busybox:latest"],
    ["me/app", "docker.io/me/app:latest"],
    ["docker.io/busybox:1", "docker.io/library/busybox:1"],
    ["index.docker.io/me/app", "docker.io/me/app:latest"],
    ["docker://me/app:1.0", "docker.io/me/app:1.0"],
    ["localhost/app", "localhost/app:latest"],
    ["localhost:5000/app:x", "localhost:5000/app:x"],
    ["127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest"],
    ["[::1]:5000/a", "[::1]:5000/a:latest"],
    ["ghcr.io/a/b__c--d.e:v1", "ghcr.io/a/b__c--d.e:v1"],
    [
      `example.com/a:1@sha256:${"0".repeat(64)}`,
      `example.com/a:1@sha256:${"0".repeat(64)}`,
    ],
    [
      `example.com/a@sha256:${"0".repeat(64)}`,
      `example.com/a@sha256:${"0".repeat(64)}`,
    ],
  ];
  for (const [text, whole] of cases) {
    assert.equal(formatReference(parseReference(text)), whole, text);
  }
});

Deno.test("parseReference() says what is wrong, and shows no control character", () => {
  const cases: [string, RegExp][] = [
    ["", /names no repository/],
    ["localhost:5000/", /names no repository/],
    ["localhost:5000", /names no repository/],
    ["127.0.0.1:5000", /names no repository/],
    ["[::1]:5000", /names no repository/],
    ["https://localhost:5000/a", /leave out/],
    [`sha256:${"0".repeat(64)}`, /an image ID/],
    ["UPPER", /not lower-case/],
    ["a//b", /not lower-case/],
    ["a/../b", /not lower-case/],
    ["a:", /its tag/],
    ["a:b:c", /its tag/],
    [`a:${"x".repeat(129)}`, /its tag/],
    ["a@sha256:12", /its digest/],
    ["a@md5:12", /its digest/],
    ["ho_st.example/a", /no host name/],
    ["a\x1b[31m", /"a\\u001b\[31m"/],
    [`${"a/".repeat(200)}a`, /too long/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseReference(text), {
      name: "DescriptionError",
      message,
    });
  }
});

Deno.test("registryHost() knows where Docker Hub answers", () => {
  assert.equal(registryHost("docker.io"), "registry-1.docker.io");
  assert.equal(registryHost("localhost:5000"), "localhost:5000");
});

Deno.test("isLoopback() takes this machine alone", () => {
  for (
    const host of ["localhost", "localhost:1", "127.1.2.3:5", "[::1]:5", "::1"]
  ) assert.ok(isLoopback(host), host);
  for (
    const host of ["example.com", "127.0.0.1.example.com", "10.0.0.1", "local"]
  ) assert.ok(!isLoopback(host), host);
});

Deno.test("parseReference() shows no password that somebody wrote there", () => {
  for (
    const text of [
      "me:secret@localhost:5000/a",
      "docker://me:secret@a.example/b:1",
      "https://me:secret@a.example/b@sha256:12",
    ]
  ) {
    assert.throws(() => parseReference(text), (error: Error) => {
      assert.match(error.message, /leave out what is before @.*--username/);
      return !error.message.includes("secret");
    });
  }
});
