import assert from "node:assert/strict";
import { findLogin, readHelperAnswer } from "../../lib/registry/auth_file.ts";
import { parseReference } from "../../lib/registry/reference.ts";

const find = (file: unknown, reference: string) =>
  findLogin(JSON.stringify(file), parseReference(reference));
const auth = (text: string) => ({ auth: btoa(text) });
const user = (username: string, password: string) => ({
  credentials: { username, password },
});

Deno.test("findLogin() reads what docker login and podman login write", () => {
  const file = {
    auths: {
      "localhost:5000": auth("me:se:cret"),
      "https://index.docker.io/v1/": auth("hub:word"),
      "https://example.com/v2/": auth("old:style"),
      "token.example": { ...auth("me:x"), identitytoken: "refresh" },
    },
  };
  assert.deepEqual(find(file, "localhost:5000/a"), user("me", "se:cret"));
  assert.deepEqual(find(file, "busybox"), user("hub", "word"));
  assert.deepEqual(find(file, "example.com/a"), user("old", "style"));
  assert.deepEqual(find(file, "token.example/a"), {
    credentials: { identityToken: "refresh" },
  });
  assert.equal(find(file, "other.example/a"), undefined);
});

Deno.test("findLogin() prefers the nearest entry", () => {
  const file = {
    auths: {
      "example.com": auth("all:1"),
      "example.com/team": auth("team:2"),
      "example.com/team/app": auth("app:3"),
    },
  };
  assert.deepEqual(find(file, "example.com/team/app"), user("app", "3"));
  assert.deepEqual(find(file, "example.com/team/web"), user("team", "2"));
  assert.deepEqual(find(file, "example.com/x"), user("all", "1"));
});

Deno.test("findLogin() names helpers, but none that is no word", () => {
  assert.deepEqual(
    find({ credHelpers: { "example.com": "pass" } }, "example.com/a"),
    { helper: "pass", server: "example.com", isOwn: true },
  );
  assert.deepEqual(find({ credsStore: "desktop.exe" }, "busybox"), {
    helper: "desktop.exe",
    server: "https://index.docker.io/v1/",
    isOwn: false,
  });
  for (const file of [{ credsStore: "../x" }, { credHelpers: { "a.b": 5 } }]) {
    assert.throws(() => find(file, "a.b/c"), /names no credential helper/);
  }
  const auths = { "a.b": auth("me:x") };
  assert.deepEqual(
    find({ auths, credHelpers: { "a.b": "" }, credsStore: "x" }, "a.b/c"),
    user("me", "x"),
  );
  assert.equal(
    find({ credHelpers: { "a.b": "" }, credsStore: "x" }, "a.b/c"),
    undefined,
  );
});

Deno.test("findLogin() survives files of any shape, and shows no secret", () => {
  for (
    const file of [null, 5, [], { auths: 5 }, { auths: { "a.b": null } }, {
      // As Docker Desktop leaves it beside credsStore.
      auths: { "a.b": {}, "other.example": { auth: "%%%" } },
    }]
  ) assert.equal(find(file, "a.b/c"), undefined);
  assert.equal(findLogin("\ufeff \n", parseReference("a.b/c")), undefined);
  for (const auth of ["%%%", btoa("no colon"), btoa(":no-user"), 5]) {
    assert.throws(
      () => find({ auths: { "a.b": { auth } } }, "a.b/c"),
      /Its login for a\.b is damaged: .* log in again/s,
    );
  }
  assert.equal(find({}, "constructor.example/a"), undefined);
  assert.throws(
    () => findLogin('{"auths": SECRET', parseReference("a")),
    (error: Error) => !error.message.includes("SECRET"),
  );
});

Deno.test("readHelperAnswer() reads user and token", () => {
  assert.deepEqual(
    readHelperAnswer('{"ServerURL":"x","Username":"u","Secret":"s"}'),
    { username: "u", password: "s" },
  );
  assert.deepEqual(readHelperAnswer('{"Username":"<token>","Secret":"s"}'), {
    identityToken: "s",
  });
  assert.equal(readHelperAnswer('{"Username":"","Secret":""}'), undefined);
  assert.equal(readHelperAnswer("credentials not found"), null);
  assert.equal(readHelperAnswer('{"Username":5}'), null);
});
