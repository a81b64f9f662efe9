import assert from "node:assert/strict";
import { elfArchitecture } from "../../lib/rootfs/elf.ts";

/** The first bytes of a program of this machine. */
async function programHeader(): Promise<Uint8Array<ArrayBuffer>> {
  await using file = await Deno.open(Deno.execPath());
  const bytes = new Uint8Array(64);
  await file.read(bytes);
  return bytes;
}

/** The same with another machine's number in it. */
async function header(
  machine: number,
  { bits = 64, little = true } = {},
): Promise<Uint8Array> {
  const bytes = await programHeader();
  bytes[4] = bits === 64 ? 2 : 1;
  bytes[5] = little ? 1 : 2;
  new DataView(bytes.buffer).setUint16(18, machine, little);
  return bytes;
}

const onLinux = { ignore: Deno.build.os !== "linux" };

Deno.test({
  ...onLinux,
  name: "elfArchitecture() reads this machine's programs",
  async fn() {
    const bytes = (await programHeader()).slice(0, 20);
    const name = { x86_64: "amd64", aarch64: "arm64" }[Deno.build.arch];
    assert.equal(elfArchitecture(bytes), name);
  },
});

Deno.test({
  ...onLinux,
  name: "elfArchitecture() names other machines as Go does",
  async fn() {
    const big = { little: false };
    for (
      const [bytes, name] of [
        [header(3, { bits: 32 }), "386"],
        [header(8, { bits: 32, ...big }), "mips"],
        [header(8, { bits: 32 }), "mipsle"],
        [header(8, big), "mips64"],
        [header(8), "mips64le"],
        [header(20, { bits: 32, ...big }), "ppc"],
        [header(21), "ppc64le"],
        [header(21, big), "ppc64"],
        [header(22, big), "s390x"],
        [header(40, { bits: 32 }), "arm"],
        [header(40, { bits: 32, ...big }), "armbe"],
        [header(62), "amd64"],
        [header(183), "arm64"],
        [header(183, big), "arm64be"],
        [header(243), "riscv64"],
        [header(243, { bits: 32 }), undefined],
        [header(258), "loong64"],
        [header(9999), undefined],
      ] as const
    ) assert.equal(elfArchitecture(await bytes), name);
  },
});

Deno.test("elfArchitecture() finds nothing in what is no ELF program", () => {
  const text = (text: string) => new TextEncoder().encode(text);
  for (
    const bytes of [
      text(""),
      text("#!/bin/sh\necho not a program for any machine\n"),
      text("\x7fELF"),
      text("\x7fELF\x02\x01\x01".padEnd(19, "\0")),
      text("MZ".padEnd(64, "\0")),
    ]
  ) assert.equal(elfArchitecture(bytes), undefined);
});
