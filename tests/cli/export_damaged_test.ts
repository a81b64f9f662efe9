// ciso export finds what is damaged or cut short, and leaves nothing.

import assert from "node:assert/strict";
import { ciso, shell, temporary } from "../support/ciso.ts";
import {
  assertRefused,
  assertSucceeded,
  digest,
  exported,
  FACES,
  modern,
  old,
  readJson,
  rootfs,
  SAMPLES,
  work,
} from "../support/exporting.ts";
import { run } from "../support/run.ts";

/** Flips a bit of the last byte of an entry's data. */
async function damage(isoc: string, path: string): Promise<string> {
  const bad = `${work}/bad.isoc`;
  const listing = await run("tar", ["-tvRf", isoc]);
  const lines = listing.split("\n");
  const at = lines.findIndex((line) => line.endsWith(` ${path}`));
  const line = lines[at] ?? "";
  const [, block] = /^block (\d+):/.exec(line) ?? [];
  const size = Number(line.split(/\s+/)[4]);
  assert.ok(block && size > 0, line);
  const bytes = await Deno.readFile(isoc);
  const last = (Number(block) + 1) * 512 + size - 1;
  bytes[last] = bytes[last]! ^ 1;
  await Deno.writeFile(bad, bytes);
  return bad;
}

for (const sample of SAMPLES) {
  Deno.test(`export notices a damaged layer in ${sample.what}`, async (t) => {
    const layer = sample === old
      ? "rootfs/layer.tar"
      : `blobs/sha256/${await digest(rootfs)}`;
    const bad = await damage(sample.isoc, layer);
    for (const face of ["docker", "oci", "docker-v1", "rootfs"]) {
      await t.step(face, async () => {
        await using folder = await temporary();
        const output = `${folder.path}/out`;
        const args = ["export", bad, "--as", face, "-o", output];
        assertRefused(await ciso(args), /bad\.isoc: .* is damaged: its digest/);
        assert.deepEqual([...Deno.readDirSync(folder.path)], []);
        // A reader at the other end of a pipe must notice too.
        const result = await shell(
          '"$@" | tar -tf - >/dev/null',
          args.slice(0, 4),
        );
        assert.notEqual(result.code, 0);
        assert.match(result.stderr, /bad\.isoc: .* is damaged: its digest/);
        // Of a small archive it may have got nothing.
        assert.match(
          result.stderr,
          /tar: (Unexpected EOF in|This does not look like a tar) archive/,
        );
      });
    }
  });
}

Deno.test("export notices a damaged image config", async () => {
  const [{ Config }] = await readJson(modern.isoc, "manifest.json");
  const bad = await damage(modern.isoc, Config);
  assertRefused(
    await ciso(["export", bad, "--as", "docker"]).then((result) => ({
      ...result,
      stdout: "",
    })),
    /is damaged/,
  );
});

Deno.test("export notices an archive that is cut short", async () => {
  const cut = `${work}/cut.isoc`;
  const bytes = await Deno.readFile(modern.isoc);
  const output = `${work}/cut.out`;
  // One that ends inside the layer, and one that ends inside rootfs/.
  for (const length of [bytes.length / 4, bytes.length - 100_000]) {
    await Deno.writeFile(cut, bytes.subarray(0, length));
    for (const face of [...FACES, "isoc"]) {
      const args = ["export", cut, "--as", face, "-o", output];
      const result = await ciso(args);
      const isBefore = ["docker", "oci", "rootfs"].includes(face);
      if (length > bytes.length / 2 && isBefore) {
        // What these want is whole: it comes before rootfs/, digests and all.
        assertSucceeded(result);
        const whole = await exported(modern.isoc, face, "whole.tar");
        assert.deepEqual(
          await Deno.readFile(output),
          await Deno.readFile(whole),
        );
        await Deno.remove(output);
        continue;
      }
      assertRefused(result, /cut\.isoc.*cut short/);
      await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
    }
  }
});
