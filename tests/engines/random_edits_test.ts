// Random trees through random edits: the archive is whole, and a sorted one does
// not depend on the order of the entries.

import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { IgnoreRules, pathGlob } from "../../lib/directory/dockerignore.ts";
import { editedTar } from "../../lib/edit/edited_tar.ts";
import type { Edits, Tally } from "../../lib/edit/edits.ts";
import { LookAhead } from "../../lib/edit/look_ahead.ts";
import { parseMode } from "../../lib/edit/mode.ts";
import { stripped } from "../../lib/edit/strip.ts";
import { sortedTar } from "../../lib/edit/sorted.ts";
import { InputError } from "../../lib/errors/input_error.ts";
import { fromStream, type Source } from "../../lib/streams/source.ts";
import { BLOCK, padded } from "../../lib/tar/block.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import type { SeekableTar } from "../../lib/tar/seeking.ts";
import { normalizePath } from "../../lib/tar/path.ts";
import { temporary } from "../support/ciso.ts";
import { seededRandom } from "../support/random.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { findingLines } from "../support/verify.ts";

const SCRIPT = `${import.meta.dirname}/../support/random_trees.py`;
const COUNT = Number(Deno.env.get("CISO_EDITS") ?? 60);
const SEED = Deno.env.get("CISO_SEED") ?? "2015";

const obstacle = Deno.uid() !== 0
  ? "not run by root"
  : ["python3", "tar", "bsdtar"].filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];

async function inMemory(chunks: AsyncGenerator<Uint8Array>): Promise<Blob> {
  const parts: BlobPart[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Blob(parts);
}

/** Paths of a tar, and the text that patterns see. */
async function pathsOf(tar: Blob): Promise<Uint8Array[]> {
  const paths: Uint8Array[] = [];
  for await (const { entry } of entriesOf(tar.stream())) {
    const path = normalizePath(entry.path);
    if (path.length > 0) paths.push(path.slice());
  }
  return paths;
}

/** A pattern that means a path. */
function patternOf(path: Uint8Array): string {
  const text = new TextDecoder().decode(path);
  return text.replace(/[*?[\]\\!]/g, "\\$&").replace(/^\s|\s$/g, "?");
}

/** A tar that can be read at any place at once, as a file can. */
function filled(bytes: Uint8Array<ArrayBuffer>): SeekableTar {
  const blob = new Blob([bytes]);
  return {
    size: bytes.length,
    stream: () => blob.stream(),
    slice: (start, end) => blob.slice(start, end),
    fill(buffer, start) {
      const part = bytes.subarray(start, start + buffer.length);
      buffer.set(part);
      return part.length;
    },
  };
}

/**
 * What a look at the first headers of a tar says that is left of it once one
 * component goes: all but the entries at its beginning that have no other.
 *
 * @returns Its size, and whether nothing else can change that: files of one
 * component later on, headers that are long or odd, what belongs to no entry.
 */
async function withoutTop(
  tar: Blob,
): Promise<{ size: number; isAll: boolean }> {
  let { size } = tar;
  let isTop = true;
  let isAll = true;
  let last = 0;
  for await (const { entry, place } of entriesOf(tar.stream())) {
    const { start, end, path, stored } = entry;
    const goes = stripped(path, 1) === undefined;
    isTop &&= goes;
    if (isTop) size -= end - start + padded(stored);
    else if (goes || end - start > BLOCK || place > last) isAll = false;
    last = place + end - start + padded(stored);
  }
  const rest = await tar.slice(last).bytes();
  isAll &&= rest.length % BLOCK === 0 && rest.every((byte) => byte === 0);
  return { size, isAll };
}

/** What a look at the headers says must be what edits make then. */
async function assertForeseen(
  tar: Blob,
  edited: Blob,
  edits: () => Edits,
  what: string,
): Promise<void> {
  const base = filled(await tar.bytes());
  const ahead = new LookAhead(base, edits(), {});
  const size = await ahead.size();
  const { exclude, strip, remove, add, chmod } = edits();
  // Otherwise nothing is looked at; modes of odd headers are no part of the look.
  if ((exclude || strip || remove || add) && !chmod) {
    // For one component alone only the first headers are looked at.
    const isGuess = !exclude && !remove && !add;
    const top = isGuess ? await withoutTop(tar) : undefined;
    if (top) assert.equal(size, top.size, what);
    if (!top || top.isAll) assert.equal(size, edited.size, what);
  }
  const again = await inMemory(editedTar(base, edits(), { ahead }));
  assert.deepEqual(await again.bytes(), await edited.bytes(), what);
  if (add) return;
  const change = { edits: edits(), part: {}, ahead };
  const tally = { edit: "sort", entries: 0 };
  const both = await sortedTar(base, {
    tally,
    change,
    edits: edits(),
  });
  const after = await sortedTar(edited, { tally, edits: edits() });
  assert.deepEqual(
    await new Response(both.stream()).bytes(),
    await new Response(after.stream()).bytes(),
    what,
  );
}

/** Some edits that fit a tree. */
function randomEdits(random: (below: number) => number, paths: Uint8Array[]) {
  const tally = (edit: string): Tally => ({ edit, entries: 0 });
  const some = () => paths[random(paths.length)]!;
  const edits: Edits = {};
  if (random(2)) {
    const rules = new IgnoreRules([
      patternOf(some()),
      patternOf(some()),
      ...random(2) ? [`!${patternOf(some())}`] : [],
    ]);
    edits.exclude = { rules, tally: tally("exclude") };
  }
  if (!random(4)) edits.strip = { count: 1, tally: tally("strip-components") };
  if (random(2)) edits.remove = [{ path: some(), tally: tally("remove") }];
  if (random(2)) {
    edits.chmod = [{
      glob: pathGlob(random(2) ? "**" : patternOf(some())),
      change: parseMode(["a+rX", "u=rwX,go=", "0751", "g-w,o+t"][random(4)]!)!,
      tally: tally("chmod"),
    }];
  }
  if (random(2)) edits.owner = { uid: 7, gid: 3000000, tally: tally("owner") };
  if (random(2)) {
    const clamp = random(2) === 1;
    edits.time = { seconds: 1433664550, clamp, tally: tally("mtime") };
  }
  if (random(2)) {
    const bytes = new TextEncoder().encode("added");
    edits.add = [{
      path: new TextEncoder().encode("new/deep/file"),
      source: new Blob([bytes]),
      isTree: false,
      mode: 0o640,
      owner: { uid: 0, gid: 0 },
      hasOwner: false,
      hasMode: true,
      seconds: 5,
      tally: tally("add"),
    }];
  }
  return edits;
}

/** A sorted copy of a tar. */
async function sorted(tar: Source): Promise<Blob> {
  const tally = { edit: "sort", entries: 0 };
  const source = await sortedTar(tar, { tally });
  const blob = await inMemory(fromStream(source.stream()));
  assert.equal(blob.size, source.size, "The size is wrong");
  // Each stretch of it is the same.
  const [from, to] = [blob.size >> 2, blob.size >> 1];
  assert.deepEqual(
    await new Response(source.slice(from, to).stream()).bytes(),
    await blob.slice(from, to).bytes(),
  );
  return blob;
}

Deno.test({
  name: `${COUNT} random trees go through random edits`,
  ignore: obstacle !== undefined && required.length === 0,
  async fn() {
    assert.equal(obstacle, undefined);
    await using work = await temporary();
    const args = [
      SCRIPT,
      "make",
      work.path,
      SEED,
      "0",
      `${COUNT}`,
      "--visible",
    ];
    await run("python3", args);
    let built = 0;
    for (let number = 0; number < COUNT; number++) {
      const tar = new Blob([await Deno.readFile(`${work.path}/${number}.tar`)]);
      const description = {
        names: ["isoc/edited"],
        command: ["/bin/true"],
        created: 0,
      };
      const what = `seed ${SEED}, tree ${number}`;
      try {
        // What cannot be built as it is cannot be either when it is edited.
        await build(tar, description);
      } catch (error) {
        assert.ok(error instanceof InputError, what);
        continue;
      }
      const paths = await pathsOf(tar);
      const anew = () => randomEdits(seededRandom(number), paths);
      const edits = anew();
      let edited: Blob;
      try {
        edited = await inMemory(editedTar(tar, edits));
      } catch (error) {
        assert.ok(
          error instanceof InputError,
          `${what}: ${(error as Error).stack}`,
        );
        assert.match(error.message, /^Nothing is left|cannot be added/, what);
        continue;
      }
      await assertForeseen(tar, edited, anew, what);
      for (const source of [edited, await sorted(edited)]) {
        const isoc = await build(source, description);
        const archive = await new Response(isoc.stream()).bytes();
        const faults = (await findingLines(archive)).filter((line) =>
          !line.startsWith("note")
        );
        assert.deepEqual(faults, [], what);
        built++;
      }
      // Sorting twice changes nothing.
      const once = await sorted(edited);
      const twice = await sorted(once);
      assert.deepEqual(await twice.bytes(), await once.bytes(), what);
    }
    assert.ok(built > COUNT, `Only ${built} archives were built`);
  },
});
