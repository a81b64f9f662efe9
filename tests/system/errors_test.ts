import assert from "node:assert/strict";
import { errorCode, fileError, isFileError } from "../../lib/system/errors.ts";
import { fs } from "../../lib/system/node.ts";

/** What opening a file that is not there throws. */
function missing(): unknown {
  try {
    fs.openSync("/nowhere/at/all", "r");
  } catch (error) {
    return error;
  }
  throw new Error("The file is there");
}

Deno.test("errorCode() gives the code of a failed system call", () => {
  assert.equal(errorCode(missing()), "ENOENT");
  assert.equal(errorCode(new Error("make container")), undefined);
  assert.equal(errorCode("ENOENT"), undefined);
});

Deno.test("isFileError() knows errors of work on files from others", () => {
  assert.ok(isFileError(missing()));
  assert.ok(!isFileError(Object.assign(new Error(), { code: "Z_DATA_ERROR" })));
  assert.ok(!isFileError(new Error("make container")));
});

Deno.test("fileError() says what and why in words, and keeps code and cause", () => {
  const cause = missing();
  const error = fileError("Cannot read x", cause);
  assert.equal(error.message, "Cannot read x: no such file or directory");
  assert.equal(errorCode(error), "ENOENT");
  assert.equal(error.cause, cause);
  const other = fileError("Cannot read x", new Error("out of paper"));
  assert.equal(other.message, 'Cannot read x: "out of paper"');
  assert.equal(errorCode(other), undefined);
});
