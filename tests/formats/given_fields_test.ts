import assert from "node:assert/strict";
import { givenFields } from "../../lib/formats/given_fields.ts";
import { FULL, PLAIN } from "../support/sample_image.ts";

Deno.test("givenFields() picks the fields that are set, in order", () => {
  const fields = ["shell", "healthcheck", "labels", "author"] as const;
  assert.deepEqual(givenFields(FULL, fields), [...fields]);
  assert.deepEqual(givenFields(PLAIN, fields), []);
});

Deno.test("givenFields() counts empty values as not set", () => {
  const empty = { ...PLAIN, shell: [], labels: {}, author: "" };
  assert.deepEqual(givenFields(empty, ["shell", "labels", "author"]), []);
  assert.deepEqual(givenFields(empty, ["created"]), ["created"]);
});
