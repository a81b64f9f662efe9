import assert from "node:assert/strict";
import { parseChallenges } from "../../lib/registry/challenge.ts";

const plain = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => ({
    scheme,
    ...Object.fromEntries(parameters),
  }));

Deno.test("parseChallenges() reads schemes and parameters", () => {
  assert.deepEqual(
    plain('Bearer realm="https://a/t", service="s, \\"x\\"",scope=a:b'),
    [{
      scheme: "bearer",
      realm: "https://a/t",
      service: 's, "x"',
      scope: "a:b",
    }],
  );
  assert.deepEqual(plain('BASIC realm="r", Bearer realm = q'), [
    { scheme: "basic", realm: "r" },
    { scheme: "bearer", realm: "q" },
  ]);
  assert.deepEqual(plain("Negotiate"), [{ scheme: "negotiate" }]);
});

Deno.test("parseChallenges() ends at what it cannot read, and keeps the first", () => {
  assert.deepEqual(plain(""), []);
  assert.deepEqual(plain('Bearer realm="a", realm="b"'), [
    { scheme: "bearer", realm: "a" },
  ]);
  assert.deepEqual(plain('Bearer realm="unfinished'), [
    { scheme: "bearer", realm: "" },
  ]);
  assert.equal(parseChallenges("Bearer __proto__=x")[0]!.parameters.size, 1);
  // A header of megabytes takes no time.
  assert.ok(parseChallenges("a=".repeat(1 << 20)).length <= 1 << 14);
});
