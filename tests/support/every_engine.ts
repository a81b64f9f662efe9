import assert from "node:assert/strict";
import { build, type BuildOptions } from "../../lib/build/build.ts";
import type { Isoc } from "../../lib/build/isoc.ts";
import type { Source } from "../../lib/streams/source.ts";
import { type Docker, startDocker } from "./dockerd.ts";
import { isInstalled } from "./run.ts";
import {
  appcTree,
  bundleTree,
  diffTrees,
  dockerTree,
  extractGnu,
  listTree,
  LOSSES,
  type Tree,
  type TreeOptions,
  umociTree,
} from "./tree.ts";
import { required } from "./required.ts";

/** Why trees cannot be compared here, if they cannot: all needs root. */
const obstacle = Deno.uid() !== 0
  ? "not run by root"
  : ["python3", "tar", "bsdtar", "go", "skopeo", "umoci"]
    .filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed`)[0];
if (obstacle) console.warn(`Trees are not compared: ${obstacle}`);

/** Whether tests that compare trees are left out. */
export const ignoreTrees = obstacle !== undefined && !required.includes("appc");

/** A Docker daemon for many archives, or a note that it is left out. */
export async function dockerForAll(): Promise<Docker> {
  const docker = await startDocker();
  if (docker.reason && !required.includes("docker")) {
    console.warn(`Docker is left out: ${docker.reason}`);
  }
  return docker;
}

/** Builds an archive into a file. */
export async function buildFile(
  source: Source,
  path: string,
  options: BuildOptions = {},
): Promise<Isoc> {
  const isoc = await build(source, {
    names: ["isoc/test"],
    command: ["/bin/true"],
    created: 0,
  }, options);
  await Deno.writeFile(path, isoc.stream());
  assert.equal((await Deno.stat(path)).size, isoc.size);
  return isoc;
}

/** What {@linkcode checkEngines} compares. */
export interface Comparison {
  /** The rootfs; GNU tar says what tree it makes. */
  tar: string;
  /** The archive that was built of it. */
  archive: string;
  docker: Docker;
  /** Where GNU tar needs options to see all of the tar, or is no measure. */
  reference?: Promise<Tree>;
  /** What is left out besides the engine's losses. */
  options?: TreeOptions;
  /** Engines that are left out, with reasons in the test. */
  without?: (keyof typeof LOSSES)[];
  /** The archive's root file system holds nothing that the input does not. */
  pristine?: boolean;
}

/**
 * Checks that appc's code, umoci, Docker and whoever unpacks the bundle make the
 * same tree of an archive as GNU tar of the root file system it was built from.
 */
export async function checkEngines(
  t: Deno.TestContext,
  comparison: Comparison,
): Promise<void> {
  const { tar, archive, docker, options = {}, without = [] } = comparison;
  await using reference = await (comparison.reference ?? extractGnu(tar));
  const engines = {
    appc: (o: TreeOptions) => appcTree(archive, o),
    umoci: (o: TreeOptions) => umociTree(archive, o),
    bundle: (o: TreeOptions) => bundleTree(archive, o),
    docker: (o: TreeOptions) => dockerTree(archive, docker.host, o),
  };
  for (const [name, list] of Object.entries(engines)) {
    const engine = name as keyof typeof LOSSES;
    if (without.includes(engine)) continue;
    const losses: TreeOptions = LOSSES[engine];
    const all = { ignoreMtimeOfMissing: tar, ...losses, ...options };
    for (const key of ["ignore", "bare", "noXattr"] as const) {
      all[key] = [...losses[key] ?? [], ...options[key] ?? []];
    }
    if (comparison.pristine) all.ignore = options.ignore ?? [];
    await t.step({
      name,
      ignore: engine === "docker" && docker.reason !== undefined &&
        !required.includes("docker"),
      async fn() {
        if (engine === "docker") assert.equal(docker.reason, undefined);
        const expected = await listTree(reference.root, all);
        assert.ok(expected.includes("\n"), "There is nothing to compare");
        assert.equal(
          diffTrees(expected, await list(all), ["input", engine]),
          "",
        );
      },
    });
  }
}
