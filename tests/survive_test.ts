import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { BuildOptions } from "../lib/isoc.ts";
import { temporary } from "./ciso.ts";
import {
  buildFile,
  checkEngines,
  type Comparison,
  dockerForAll,
  ignoreTrees,
} from "./every_engine.ts";
import { run } from "./run.ts";
import { extractGnu } from "./tree.ts";

/** What is expected of one of tests/survivors.py's tars. */
interface Case extends Partial<Comparison> {
  /** The tar's name. */
  name: string;
  /** Why the layer is not the tar byte for byte; it is if nothing is given. */
  changes?: string[];
  build?: BuildOptions;
  /** Options for GNU tar, where it must be told to see all of the tar. */
  gnu?: string[];
}

const SPARSE = { changes: ["sparse-files"] };

const CASES: Case[] = [
  { name: "lengths-ustar" },
  { name: "lengths-pax" },
  { name: "lengths-gnu" },
  { name: "lengths-v7" },
  { name: "names" },
  { name: "files" },
  { name: "links" },
  { name: "link-headers", changes: ["hard-links"] },
  { name: "parents" },
  { name: "globals", changes: ["global-headers"] },
  { name: "global-comment", changes: ["global-headers"] },
  { name: "types", changes: ["volume-label", "entry-types"] },
  { name: "repeated", changes: ["repeated-paths"] },
  { name: "below-symlinks" },
  { name: "own-v1", pristine: true },
  { name: "sparse-gnu", ...SPARSE },
  { name: "sparse-0.0", ...SPARSE },
  { name: "sparse-0.1", ...SPARSE },
  { name: "sparse-1.0", ...SPARSE },
  { name: "end-none" },
  { name: "end-one" },
  { name: "end-one-junk", changes: ["closing-blocks"] },
  { name: "end-ragged", changes: ["closing-blocks"] },
  { name: "end-two-ragged" },
  { name: "end-junk" },
  { name: "end-many" },
  {
    name: "concatenated",
    changes: ["repeated-paths", "several-archives"],
    gnu: ["--ignore-zeros"],
  },
  {
    name: "concatenated-one",
    changes: ["repeated-paths", "several-archives"],
    gnu: ["--ignore-zeros"],
  },
  {
    name: "whiteouts",
    build: { allowWhiteouts: true },
    // They delete there, as the option's help says.
    without: ["docker", "umoci"],
  },
];

/** Checks that three programs list an archive without a word of complaint. */
async function checkReaders(archive: string): Promise<void> {
  const python = "import sys, tarfile\n" +
    "for entry in tarfile.open(sys.argv[1], errors='surrogateescape'): pass";
  for (
    const command of [
      ["tar", "-tvf", archive],
      ["bsdtar", "-tvf", archive],
      ["python3", "-c", python, archive],
    ]
  ) {
    const said = await run("bash", [
      "-c",
      '"$@" 2>&1 >/dev/null',
      "bash",
      ...command,
    ]);
    assert.equal(said, "", command.join(" "));
  }
}

Deno.test({
  name: "build() keeps the trees of all kinds of tars in every engine",
  ignore: ignoreTrees,
  async fn(t) {
    await using docker = await dockerForAll();
    await using work = await temporary();
    const folder = `${work.path}/tars`;
    await run("python3", [`${import.meta.dirname}/survivors.py`, folder]);
    for (const { name, changes = [], build, gnu, ...rest } of CASES) {
      await t.step(name, async (t) => {
        const tar = `${folder}/${name}.tar`;
        const archive = `${folder}/${name}.isoc`;
        const bytes = await Deno.readFile(tar);
        const isoc = await buildFile(new Blob([bytes]), archive, build);
        const [layer] = isoc.layers;
        assert.deepEqual([...layer!.changes.keys()], changes);
        const digest = createHash("sha256").update(bytes).digest("hex");
        assert.equal(layer!.digest === digest, changes.length === 0);
        await checkReaders(archive);
        await checkEngines(t, {
          tar,
          archive,
          docker,
          ...(gnu && { reference: extractGnu(tar, gnu) }),
          ...rest,
        });
      });
    }
  },
});
