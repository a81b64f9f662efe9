import { DescriptionError } from "../../../lib/errors/description_error.ts";
import assert from "node:assert/strict";
import {
  appcArchitecture,
  goArchitectureOfAppc,
  lxdArchitecture,
} from "../../../lib/formats/values/arch.ts";

Deno.test("appcArchitecture() translates", () => {
  assert.equal(appcArchitecture("amd64"), "amd64");
  assert.equal(appcArchitecture("386"), "i386");
  assert.equal(appcArchitecture("arm64", "v8"), "aarch64");
  assert.equal(appcArchitecture("arm"), "armv7l");
  assert.equal(appcArchitecture("arm", "v6"), "armv6l");
});

Deno.test("lxdArchitecture() translates", () => {
  assert.equal(lxdArchitecture("amd64", "v3"), "x86_64");
  assert.equal(lxdArchitecture("386"), "i686");
  assert.equal(lxdArchitecture("arm", "v8"), "armv8l");
  assert.equal(lxdArchitecture("riscv64"), "riscv64");
  assert.equal(lxdArchitecture("loong64"), "loongarch64");
});

Deno.test("appcArchitecture() and lxdArchitecture() list what they know", () => {
  assert.throws(() => appcArchitecture("riscv64"), {
    name: "DescriptionError",
    message:
      /Architecture "riscv64" has no name in appc: it knows amd64, 386, .*arm\/v6/,
  });
  assert.throws(() => appcArchitecture("arm", "v5"), {
    name: "DescriptionError",
    message: /"arm\/v5"/,
  });
  assert.throws(() => appcArchitecture("arm", "v9"), DescriptionError);
  assert.throws(() => lxdArchitecture("x86_64"), {
    name: "DescriptionError",
    message: /Architecture "x86_64" has no name in LXD: it knows amd64, /,
  });
});

Deno.test("goArchitectureOfAppc() reverses appcArchitecture()", () => {
  // All that appc 0.8.11 allows for Linux.
  const names = "amd64 i386 aarch64 aarch64_be armv6l armv7l armv7b ppc64 " +
    "ppc64le s390x";
  for (const name of names.split(" ")) {
    const { architecture, variant } = goArchitectureOfAppc(name);
    assert.equal(appcArchitecture(architecture, variant), name);
  }
  assert.deepEqual(goArchitectureOfAppc("armv7l"), {
    architecture: "arm",
    variant: "v7",
  });
  assert.throws(() => goArchitectureOfAppc("x86_64"), {
    name: "DescriptionError",
    message: /appc has no architecture "x86_64": it knows amd64, i386/,
  });
});
