// Layers that buildLayers() refuses, and one that it leaves as it is.

import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input_error.ts";
import { buildStack, refusal } from "../support/build_stack.ts";
import {
  directory,
  file,
  hardLink,
  symlink,
  whiteout,
} from "../support/stack_entries.ts";
import { tarOf } from "../support/tar_writer.ts";

Deno.test("buildLayers() refuses what no two engines take alike", async () => {
  const lower = [directory("d/"), file("f")];
  assert.equal(
    await refusal([lower, [hardLink("g", "f")]]),
    '2.tar: Entry "g": It is a hard link to "f", which only a lower layer ' +
      "has: Docker cannot link to that; put the file itself here",
  );
  assert.equal(
    await refusal([lower, [file("f/x")]]),
    '2.tar: Entry "f/x": "f" is above it and is no directory in the ' +
      "layers below; put an entry for the directory before it",
  );
  assert.equal(
    await refusal([lower, [whiteout(".wh..wh..opq")]]),
    '2.tar: Entry ".wh..wh..opq": It deletes all that lower layers have, ' +
      "which Docker does not do; delete each path, or build an image of this " +
      "layer alone",
  );
  assert.equal(
    await refusal([lower, [whiteout("d/.wh.")]]),
    '2.tar: Entry "d/.wh.": It is a whiteout that names no file; remove it',
  );
  assert.match(
    await refusal([lower, [directory(".wh.d/"), file(".wh.d/x")]]),
    /^2.tar: Entry ".wh.d\/x": Docker, podman and containerd take a name/,
  );
  assert.match(
    await refusal([
      [symlink("a", "b"), symlink("b", "a")],
      [file("a/x")],
    ]),
    /^2.tar: Entry "a\/x": .*loop/,
  );
  assert.match(
    await refusal([lower, [file("f"), directory("f/")]]),
    /^2.tar: Entry "f\/": The path is a directory and something else/,
  );
  await assert.rejects(
    buildStack([tarOf(lower), new Uint8Array(1000).fill(1)], "/dev/null"),
    new InputError(
      "2.tar: The input is not a tar archive: give a tar or a directory",
    ),
  );
  await assert.rejects(
    buildStack([tarOf(lower), tarOf(lower).subarray(0, 900)], "/dev/null"),
    /^InputError: 2.tar: The input is cut short/,
  );
});

Deno.test("buildLayers() refuses a layer that its image does not know", async () => {
  await assert.rejects(
    buildStack([tarOf([file("a")])], "/dev/null", { diffId: "0".repeat(64) }),
    /^InputError: It is damaged: its digest is sha256:[0-9a-f]{64}, but the image says sha256:0{64}; fetch the image again$/,
  );
});

Deno.test("buildLayers() leaves an image's layer as it is, with a note", async () => {
  const layers = [
    [directory("tmp/", 0o1777), directory("own/", 0o700)],
    [file("tmp/x"), file("own/y")],
  ].map(tarOf);
  const isoc = await buildStack(layers, "/dev/null", { fromImage: true });
  assert.deepEqual([...isoc.layers[1]!.changes], []);
  assert.ok(
    isoc.notes.includes(
      '2.tar has no entry for the directory "tmp" and 1 more: Docker gives ' +
        "it mode 0755 and owner root, other engines keep what lower layers say",
    ),
    isoc.notes.join("\n"),
  );
});
