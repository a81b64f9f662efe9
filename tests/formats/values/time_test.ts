import { DescriptionError } from "../../../lib/errors/description_error.ts";
import assert from "node:assert/strict";
import {
  isGoTime,
  parseRfc3339,
  rfc3339,
} from "../../../lib/formats/values/time.ts";

Deno.test("rfc3339() writes UTC", () => {
  assert.equal(rfc3339(0), "1970-01-01T00:00:00Z");
  assert.equal(rfc3339(1433851200), "2015-06-09T12:00:00Z");
  assert.equal(rfc3339(-1), "1969-12-31T23:59:59Z");
});

Deno.test("rfc3339() keeps milliseconds", () => {
  assert.equal(rfc3339(0.5), "1970-01-01T00:00:00.5Z");
  assert.equal(rfc3339(10.001), "1970-01-01T00:00:10.001Z");
  assert.equal(rfc3339(1.005), "1970-01-01T00:00:01.005Z");
});

Deno.test("times never round up to the next second", () => {
  const seconds = parseRfc3339("2015-06-09T12:00:00.999999999Z");
  assert.equal(Math.floor(seconds), 1433851200);
  assert.equal(rfc3339(seconds), "2015-06-09T12:00:00.999Z");
  assert.equal(rfc3339(0.9999999), "1970-01-01T00:00:00.999Z");
  assert.equal(rfc3339(-0.25), "1969-12-31T23:59:59.75Z");
});

Deno.test("isGoTime() is as strict as Go", () => {
  assert.equal(isGoTime("2015-06-09T12:00:00Z"), true);
  assert.equal(isGoTime("2015-06-09T12:00:00.123456789+02:00"), true);
  for (
    const text of [
      "",
      "2015-06-09t12:00:00Z",
      "2015-06-09T12:00:00z",
      "2015-06-09 12:00:00Z",
      "2015-06-31T12:00:00Z",
      "yesterday",
    ]
  ) assert.equal(isGoTime(text), false, text);
});

Deno.test("rfc3339() refuses what it cannot write", () => {
  assert.equal(rfc3339(253402300799), "9999-12-31T23:59:59Z");
  assert.equal(rfc3339(-62167219200), "0000-01-01T00:00:00Z");
  for (const seconds of [253402300800, -62167219201, NaN, Infinity]) {
    assert.throws(() => rfc3339(seconds), DescriptionError);
  }
});

Deno.test("parseRfc3339() reads every form", () => {
  for (
    const [text, seconds] of [
      ["1970-01-01T00:00:00Z", 0],
      ["2015-06-09T12:00:00Z", 1433851200],
      ["2015-06-09t12:00:00z", 1433851200],
      ["2015-06-09 14:00:00+02:00", 1433851200],
      ["2015-06-08T23:30:00-12:30", 1433851200],
      ["2015-06-09T12:00:00.25Z", 1433851200.25],
      ["2024-02-29T00:00:00.123456789Z", 1709164800.123456],
      ["0001-01-01T00:00:00Z", -62135596800],
      ["0000-01-01T00:00:00Z", -62167219200],
      ["9999-12-31T23:59:59Z", 253402300799],
    ] as const
  ) assert.equal(parseRfc3339(text), seconds, text);
});

Deno.test("parseRfc3339() refuses all else", () => {
  for (
    const text of [
      "",
      "2015",
      "2015-06-09",
      "2015-06-09T12:00:00",
      "2015-06-09T12:00Z",
      "2015-06-31T12:00:00Z",
      "2015-02-29T12:00:00Z",
      "2015-13-01T12:00:00Z",
      "2015-00-01T12:00:00Z",
      "2015-06-00T12:00:00Z",
      "2015-06-09T24:00:00Z",
      "2015-06-09T12:60:00Z",
      "2015-06-09T12:00:60Z",
      "2015-06-09T12:00:00+24:00",
      "2015-06-09T12:00:00+0200",
      "+002015-06-09T12:00:00Z",
      "June 9, 2015",
      " 2015-06-09T12:00:00Z",
    ]
  ) {
    assert.throws(() => parseRfc3339(text), {
      name: "InputError",
      message: /is no RFC 3339 time such as/,
    }, text);
  }
});

Deno.test("parseRfc3339() reads what rfc3339() writes", () => {
  for (const seconds of [0, 0.5, 1.005, 1433851200, -1, 253402300799]) {
    assert.equal(parseRfc3339(rfc3339(seconds)), seconds);
  }
});
