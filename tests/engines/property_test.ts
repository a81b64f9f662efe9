import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input_error.ts";
import { build } from "../../lib/build/build.ts";
import { temporary } from "../support/ciso.ts";
import {
  buildFile,
  checkEngines,
  dockerForAll,
  ignoreTrees,
} from "../support/every_engine.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";

const SCRIPT = `${import.meta.dirname}/../support/random_trees.py`;

/** Why the tests cannot run here, if they cannot: owners and devices need root. */
const obstacle = Deno.uid() !== 0
  ? "not run by root"
  : ["python3", "tar", "bsdtar"].filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (obstacle) console.warn(`Random trees are not tried: ${obstacle}`);

/** How many trees are tried, and what they are made from. */
const COUNT = Number(Deno.env.get("CISO_TREES") ?? 600);
const SEED = Deno.env.get("CISO_SEED") ?? "2015";

/** Trees that are made, built and compared together, to start few programs. */
const BATCH = 60;

/** Builds an archive of `N.tar`, and says for the comparison what it did. */
async function buildOne(folder: string, number: number): Promise<object> {
  const tar = `${folder}/${number}.tar`;
  const isoc = await build(new Blob([await Deno.readFile(tar)]), {
    names: ["isoc/random"],
    command: ["/bin/true"],
    created: 0,
  });
  const file = `${folder}/${number}.isoc`;
  await Deno.writeFile(file, isoc.stream());
  const { size } = await Deno.stat(file);
  assert.equal(size, isoc.size, "The archive is not as large as it was said");
  const { digest, changes } = isoc.layers[0]!;
  return {
    layer: `blobs/sha256/${digest}`,
    changed: changes.size > 0,
    repeated: changes.has("repeated-paths"),
  };
}

/** A line without long repetitions, of which long names consist. */
function shortened(line: string): string {
  return line.replace(/(.{1,4}?)\1{9,}/g, "$1…");
}

Deno.test({
  name: `build() keeps ${COUNT} random trees`,
  ignore: obstacle !== undefined && required.length === 0,
  async fn() {
    assert.equal(obstacle, undefined);
    const wrong: string[] = [];
    for (let first = 0; first < COUNT; first += BATCH) {
      await using work = await temporary();
      const count = Math.min(BATCH, COUNT - first);
      const script = (command: string, ...args: (string | number)[]) =>
        run("python3", [SCRIPT, command, work.path, ...args.map(String)]);
      await script("make", SEED, first, count);
      for (let i = first; i < first + count; i++) {
        let facts;
        try {
          facts = await buildOne(work.path, i);
        } catch (error) {
          // A refusal has a message for users; of all else the place matters.
          const { message, stack } = error as Error;
          facts = { refused: error instanceof InputError ? message : stack };
        }
        const path = `${work.path}/${i}.json`;
        await Deno.writeTextFile(path, JSON.stringify(facts));
      }
      wrong.push(...(await script("compare", first, count)).split("\n"));
    }
    const lines = wrong.filter((line) => line !== "");
    assert.equal(
      lines.slice(0, 40).map(shortened).join("\n"),
      "",
      `Seed ${SEED}: ${lines.length} differences`,
    );
  },
});

Deno.test({
  name: "build() keeps random trees in every engine",
  ignore: (obstacle !== undefined || ignoreTrees) && required.length === 0,
  async fn(t) {
    await using docker = await dockerForAll();
    await using work = await temporary();
    const args = [work.path, SEED, "0", String(BATCH), "--visible"];
    await run("python3", [SCRIPT, "make", ...args]);
    for (const writer of ["gnu", "pax", "bsdtar", "python"]) {
      await t.step(writer, async (t) => {
        const tar = `${work.path}/batch.tar`;
        await run("python3", [SCRIPT, "batch", work.path, writer, tar]);
        const archive = `${work.path}/batch.isoc`;
        await buildFile(new Blob([await Deno.readFile(tar)]), archive);
        await checkEngines(t, { tar, archive, docker });
      });
    }
  },
});
