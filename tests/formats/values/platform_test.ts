import assert from "node:assert/strict";
import { goPlatform } from "../../../lib/formats/values/platform.ts";

Deno.test("goPlatform() reads Docker's form", () => {
  const read = (text: string) => Object.values(goPlatform(text)).join(" ");
  assert.equal(read("linux/arm64"), "linux arm64 ");
  assert.equal(read("linux/arm/v7"), "linux arm v7");
  assert.equal(read("Linux/AMD64"), "linux amd64 ");
  assert.deepEqual(goPlatform("linux/amd64"), {
    os: "linux",
    architecture: "amd64",
    // Where it is laid over another platform, that one's must go.
    variant: undefined,
  });
});

Deno.test("goPlatform() knows other names of architectures", () => {
  const read = (text: string) => {
    const { architecture, variant = "" } = goPlatform(`linux/${text}`);
    return `${architecture} ${variant}`;
  };
  assert.equal(read("x86_64"), "amd64 ");
  assert.equal(read("aarch64"), "arm64 ");
  assert.equal(read("i686"), "386 ");
  assert.equal(read("armhf"), "arm v7");
  assert.equal(read("armv6l"), "arm v6");
  assert.equal(read("constructor"), "constructor ");
});

Deno.test("goPlatform() refuses other forms", () => {
  for (
    const text of [
      "",
      "linux",
      "linux/",
      "/arm",
      "linux/arm/",
      "a/b/c/d",
      "a b/c",
    ]
  ) {
    assert.throws(() => goPlatform(text), {
      name: "InputError",
      message: /is not OS\/ARCH or OS\/ARCH\/VARIANT, such as linux\/arm64/,
    }, text);
  }
});
