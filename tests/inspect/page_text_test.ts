import assert from "node:assert/strict";
import { run } from "../support/run.ts";

Deno.test("The page in page_text.ts is what scripts/build-page makes", async () => {
  const script = `${import.meta.dirname}/../../scripts/build-page`;
  assert.equal(await run(script, ["--check"]), "");
});
