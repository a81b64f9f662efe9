import assert from "node:assert/strict";
import {
  environment,
  environmentFault,
} from "../../../lib/formats/values/environment.ts";
import { PATH, PLAIN } from "../../support/sample_image.ts";

Deno.test("environment() adds PATH where none is given", () => {
  assert.deepEqual(environment(PLAIN), [PATH]);
  assert.deepEqual(environment({ ...PLAIN, env: ["A=1"] }), [PATH, "A=1"]);
  assert.deepEqual(environment({ ...PLAIN, env: ["PATH=/bin"] }), [
    "PATH=/bin",
  ]);
  assert.deepEqual(environment({ ...PLAIN, env: ["PATH="] }), ["PATH="]);
  assert.deepEqual(environment({ ...PLAIN, os: "windows" }), []);
});

Deno.test("environment() keeps the last value of a variable", () => {
  assert.deepEqual(
    environment({ ...PLAIN, env: ["A=1", "PATH=/x", "B=b=c", "A=", "a=2"] }),
    ["A=", "PATH=/x", "B=b=c", "a=2"],
  );
});

Deno.test("environment() refuses what is not KEY=VALUE", () => {
  for (const entry of ["A", "=1", "", "A=\0"]) {
    assert.throws(() => environment({ ...PLAIN, env: [entry] }), {
      name: "DescriptionError",
    }, entry);
  }
});

Deno.test("environmentFault() never shows a value, which may be secret", () => {
  const fault = (entry: string) => environmentFault(entry, 2);
  assert.equal(fault("A=1"), undefined);
  assert.equal(fault("A="), undefined);
  assert.equal(
    fault("secret"),
    "Environment entry 3 is not KEY=VALUE: write KEY= for an empty value",
  );
  assert.equal(
    fault("=secret"),
    'Environment entry 3 has no name before its "="',
  );
  assert.equal(fault(""), "Environment entry 3 is empty");
  assert.equal(
    fault("KEY=sec\0ret"),
    'Environment variable "KEY" holds a NUL character, which no process can have',
  );
});
