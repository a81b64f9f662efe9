import assert from "node:assert/strict";
import { fileKind } from "../../lib/tar/file_kind.ts";
import { TarReader } from "../../lib/tar/reader.ts";
import { temporary } from "../support/ciso.ts";
import { isInstalled, run } from "../support/run.ts";

/** What makes a file of a kind, in a directory that holds `tree/` and `tree.tar`. */
const MADE: [program: string, command: string, name: RegExp][] = [
  ["bsdtar", "bsdtar -cf x --format zip tree", /^a zip archive$/],
  ["bsdtar", "bsdtar -cf x --format 7zip tree", /^a 7z archive$/],
  ["bsdtar", "bsdtar -cf x --format iso9660 tree", /^an ISO image$/],
  ["bsdtar", "bsdtar -cf x --format newc tree", /^a cpio archive$/],
  ["bsdtar", "bsdtar -cf x --format odc tree", /^a cpio archive$/],
  ["bsdtar", "bsdtar -cf x --format ar tree/etc/os-release", /^an ar archive$/],
  ["bsdtar", "bsdtar -cf x --format xar tree", /^a xar archive$/],
  ["bsdtar", "bsdtar -cf x -Z tree", /compress \(\.Z\)$/],
  ["xz", "xz --format=lzma -c tree.tar >x", /lzma$/],
  ["gzip", "gzip -c tree.tar >x", /compressed with gzip$/],
  ["lz4", "lz4 -qc tree.tar >x", /lz4$/],
  ["lz4", "lz4 -qlc tree.tar >x", /lz4$/],
  ["lzip", "lzip -c tree.tar >x", /lzip/],
  ["mke2fs", "mke2fs -q -t ext4 x 4M", /^an ext2, ext3 or ext4 image$/],
  ["mke2fs", "mke2fs -q -t ext2 -d tree x 4M", /^an ext2, ext3 or ext4 image$/],
  ["mksquashfs", "mksquashfs tree x -quiet -no-progress", /^a squashfs image$/],
  ["genisoimage", "genisoimage -quiet -o x tree", /^an ISO image$/],
  [
    "dpkg-deb",
    "mkdir -p tree/DEBIAN && printf 'Package: x\\nVersion: 1\\nArchitecture: all\\n" +
    "Maintainer: x <x@x>\\nDescription: x\\n' >tree/DEBIAN/control && " +
    "dpkg-deb -b tree x",
    /^a Debian package$/,
  ],
  ["bash", "cp /bin/true x", /^an ELF program$/],
  ["bash", "printf 'qcow' >x; printf '\\x51\\x46\\x49\\xfb' >x", /qcow2/],
];

Deno.test("fileKind() knows what real programs write, and the reader says it", async () => {
  await using folder = await temporary();
  let tried = 0;
  for (const [program, command, name] of MADE) {
    if (!isInstalled(program)) continue;
    tried++;
    await run("bash", [
      "-c",
      'cd "$1" && rm -rf tree x && mkdir -p tree/etc && ' +
      "echo NAME=x >tree/etc/os-release && tar -cf tree.tar tree && " +
      `{ ${command}; } >/dev/null`,
      "bash",
      folder.path,
    ]);
    const bytes = await Deno.readFile(`${folder.path}/x`);
    const kind = fileKind(bytes);
    assert.match(kind?.name ?? "", name, command);
    assert.doesNotMatch(kind!.remedy, /\.$/);
    const reader = new TarReader((async function* () {
      yield bytes;
    })());
    await assert.rejects(
      async () => {
        for await (const _ of reader.buffers()) {
          while (reader.next() !== undefined);
        }
      },
      { name: "NotTarError", remedy: kind!.remedy },
      command,
    );
  }
  assert.ok(tried > 10);
});

Deno.test("fileKind() knows text, and what kind of text", () => {
  for (
    const [text, name] of [
      ["<!DOCTYPE html>\n<html>", "a web page"],
      ["#!/bin/sh\n", "a script"],
      ['{"errors":[]}', "JSON"],
      ["FROM debian\n", "a Dockerfile"],
      ["version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"],
      ["größe\n", "text"],
      ["ä".repeat(300), "text"],
    ] as const
  ) {
    assert.equal(fileKind(new TextEncoder().encode(text))?.name, name, text);
  }
});

Deno.test("fileKind() does not guess", () => {
  assert.equal(fileKind(new Uint8Array(0)), undefined);
  assert.equal(fileKind(new Uint8Array(70_000)), undefined);
  assert.equal(fileKind(Uint8Array.of(1, 2, 3)), undefined);
  assert.equal(fileKind(new Uint8Array(2000).fill(0xfe)), undefined);
});
