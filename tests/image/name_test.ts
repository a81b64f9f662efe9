import assert from "node:assert/strict";
import { parseName, parseNames } from "../../lib/image/name.ts";

Deno.test("parseName() takes a name on Docker Hub apart", () => {
  assert.deepEqual(parseName("isoc/hello:1.0"), {
    name: "isoc/hello",
    tag: "1.0",
    domain: "docker.io",
    path: "isoc/hello",
    repository: "isoc/hello",
    familiar: "isoc/hello:1.0",
    qualified: "docker.io/isoc/hello:1.0",
  });
});

Deno.test("parseName() puts one word into library", () => {
  assert.deepEqual(parseName("hello"), {
    name: "hello",
    tag: "latest",
    domain: "docker.io",
    path: "library/hello",
    repository: "hello",
    familiar: "hello:latest",
    qualified: "docker.io/library/hello:latest",
  });
});

Deno.test("parseName() tells a registry's port from a tag", () => {
  const parts = (text: string) => {
    const { domain, path, tag } = parseName(text);
    return [domain, path, tag];
  };
  assert.deepEqual(parts("localhost:5000/x:tag"), [
    "localhost:5000",
    "x",
    "tag",
  ]);
  assert.deepEqual(parts("host:5000/x"), ["host:5000", "x", "latest"]);
  assert.deepEqual(parts("localhost/a/b"), ["localhost", "a/b", "latest"]);
  assert.deepEqual(parts("ghcr.io/a/b/c:v1"), ["ghcr.io", "a/b/c", "v1"]);
  assert.deepEqual(parts("10.0.0.1:80/x"), ["10.0.0.1:80", "x", "latest"]);
  // Without a slash there is no host.
  assert.deepEqual(parts("localhost:5000"), [
    "docker.io",
    "library/localhost",
    "5000",
  ]);
  assert.deepEqual(parts("example.com"), [
    "docker.io",
    "library/example.com",
    "latest",
  ]);
});

Deno.test("parseName() shows names as Docker does", () => {
  const familiar = (text: string) => parseName(text).familiar;
  assert.equal(familiar("docker.io/library/hello"), "hello:latest");
  assert.equal(familiar("index.docker.io/isoc/hello"), "isoc/hello:latest");
  assert.equal(familiar("library/a/b"), "library/a/b:latest");
  assert.equal(familiar("ghcr.io/library/a"), "ghcr.io/library/a:latest");
  // Cut to "example.com/x" it would be the name of another image.
  assert.equal(
    familiar("docker.io/example.com/x"),
    "docker.io/example.com/x:latest",
  );
});

Deno.test("parseName() gives names that mean the same when read again", () => {
  for (
    const text of [
      "hello",
      "isoc/hello:1.0",
      "docker.io/localhost/x",
      "localhost/x",
      "localhost:5000/a/b_c/d__e/f--g:_T.a-g",
      "index.docker.io/a",
    ]
  ) {
    const { familiar, qualified } = parseName(text);
    assert.equal(parseName(familiar).qualified, qualified);
    assert.equal(parseName(qualified).familiar, familiar);
  }
});

Deno.test("parseName() refuses what a format forbids and says how to mend it", () => {
  const refused: [string, RegExp][] = [
    ["", /"": a name is needed/],
    [":1.0", /": a name is needed before the tag/],
    ["isoc/Hello:V1", /upper case is not allowed.*: try isoc\/hello:V1$/],
    ["Example.com/x", /upper case .*: try example.com\/x$/],
    ["isoc/hello world", /blanks .*: try isoc\/hello-world$/],
    ["isoc/hello\n", /blanks .*: try isoc\/hello$/],
    ["isoc/hello\0", /blanks are not allowed/],
    ["https://ghcr.io/x", /no URL: try ghcr.io\/x$/],
    [`hello@sha256:${"a".repeat(64)}`, /digest cannot be chosen.*: try hello$/],
    ["hello:", /the tag "" must be letters.*: try hello$/],
    ["hello:-x", /the tag "-x" must be/],
    ["hello:a:b", /the tag "a:b" must be/],
    [`hello:${"t".repeat(129)}`, /tag has 129 characters, at most 128/],
    ["isoc//hello", /a slash must be between two parts: try isoc\/hello$/],
    ["/hello", /between two parts: try hello$/],
    ["hello/", /between two parts: try hello$/],
    ["a/:x", /between two parts$/],
    ["isoc/_hello", /the part "_hello" must be/],
    ["isoc/a..b", /the part "a..b" must be/],
    ["isoc/a___b", /the part "a___b" must be/],
    ["isoc/héllo", /the part "héllo" must be/],
    ["under_score.com/x", /the registry host "under_score.com" must be/],
    ["host:port/x", /the registry host "host:port" must be/],
    ["[::1]:5000/x", /the registry host "\[::1\]:5000" must be/],
    ["a".repeat(64), /64 hex digits are taken for an image ID/],
    [`isoc/${"a".repeat(241)}`, /has 256 characters, at most 255/],
  ];
  for (const [text, message] of refused) {
    assert.throws(
      () => parseName(text),
      { name: "DescriptionError", message },
      text,
    );
  }
});

Deno.test("parseName() takes the longest name and tag", () => {
  const longest = `isoc/${"a".repeat(240)}:${"t".repeat(128)}`;
  assert.equal(parseName(longest).qualified, `docker.io/${longest}`);
});

Deno.test("parseNames() keeps each name once", () => {
  assert.deepEqual(
    parseNames(["hello:1", "hello", "hello:latest", "docker.io/library/hello"])
      .map(({ familiar }) => familiar),
    ["hello:1", "hello:latest"],
  );
});

Deno.test("parseNames() wants a name", () => {
  assert.throws(() => parseNames([]), {
    name: "DescriptionError",
    message: /An image needs a name/,
  });
});
