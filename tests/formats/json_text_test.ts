import assert from "node:assert/strict";
import { jsonText } from "../../lib/formats/json_text.ts";

Deno.test("jsonText() writes compact JSON and a newline, keys in order", () => {
  assert.equal(jsonText({ b: 1, a: ["x", {}] }), '{"b":1,"a":["x",{}]}\n');
});

Deno.test("jsonText() escapes what YAML reads otherwise", () => {
  const document = { a: "\x7f\x85\u2028\u2029\ufeff\uffff é 😀" };
  const text = jsonText(document);
  assert.equal(
    text,
    '{"a":"\\u007f\\u0085\\u2028\\u2029\\ufeff\\uffff é 😀"}\n',
  );
  assert.deepEqual(JSON.parse(text), document);
});
