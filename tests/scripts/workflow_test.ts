// The workflow of GitHub, and the YAML of the recipes: they parse, and name only
// what is in the repository.

import { parse } from "@std/yaml";
import assert from "node:assert/strict";
import { ROOT } from "../support/ciso.ts";

interface Step {
  uses?: string;
  run?: string;
}
interface Job {
  "runs-on": string;
  needs?: string;
  steps: Step[];
}

const workflow = await workflowAt("ci.yml");

async function workflowAt(name: string) {
  const path = `${ROOT}/.github/workflows/${name}`;
  return parse(await Deno.readTextFile(path)) as { jobs: Record<string, Job> };
}

Deno.test("each job of the workflow has steps that run or use something", async () => {
  const { jobs } = workflow;
  const trials = await workflowAt("trials.yml");
  assert.deepEqual(Object.keys(jobs), ["test", "release"]);
  assert.equal(jobs.release!.needs, "test");
  for (const job of [...Object.values(jobs), ...Object.values(trials.jobs)]) {
    assert.equal(typeof job["runs-on"], "string");
    for (const { uses, run } of job.steps) {
      assert.notEqual(uses === undefined, run === undefined);
    }
  }
});

Deno.test("the scripts of the workflow are in the repository", async () => {
  let found = 0;
  const trials = await workflowAt("trials.yml");
  const jobs = [...Object.values(workflow.jobs), ...Object.values(trials.jobs)];
  for (const { steps } of jobs) {
    for (const { run = "" } of steps) {
      const scripts = run.matchAll(/(?:^|\s)((?:\.ci|scripts)\/[\w-]+)/g);
      for (const [, script] of scripts) {
        assert.ok((await Deno.stat(`${ROOT}/${script}`)).isFile, script);
        found++;
      }
    }
  }
  assert.ok(found >= 3, `${found}`);
});

Deno.test("a release has programs, checksums, the package and the installer", () => {
  const lines = workflow.jobs.release!.steps.map(({ run }) => run ?? "");
  for (
    const part of [
      "scripts/build --binaries --all dist",
      "scripts/pack dist",
      "sha256sum --check SHA256SUMS",
      "gh release create",
    ]
  ) {
    assert.ok(lines.some((line) => line.includes(part)), part);
  }
});

Deno.test("the YAML of the recipes parses", async () => {
  const page = await Deno.readTextFile(`${ROOT}/docs/recipes.md`);
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)];
  assert.ok(blocks.length >= 4);
  for (const [, text] of blocks) {
    const value = parse(text!);
    assert.ok(value !== null && typeof value === "object", text);
  }
});
