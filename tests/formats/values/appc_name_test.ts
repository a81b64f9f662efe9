import assert from "node:assert/strict";
import { appcName } from "../../../lib/formats/values/appc_name.ts";
import { seededRandom } from "../../support/random.ts";

const IDENTIFIER = /^[a-z0-9]+([-._~/][a-z0-9]+)*$/;
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

Deno.test("appcName() follows its rule", () => {
  const cases: [string, string, string][] = [
    ["isoc/hello", "isoc/hello", "isoc-hello"],
    ["localhost:5000/app__x", "localhost-5000/app_x", "localhost-5000-app-x"],
    ["Foo Bar", "foo-bar", "foo-bar"],
    ["/var/lib/data/", "var/lib/data", "var-lib-data"],
    ["a: .b", "a.b", "a-b"],
    ["org.example.Team_name", "org.example.team_name", "org-example-team-name"],
    ["a--b", "a-b", "a-b"],
    ["ünïx", "n-x", "n-x"],
    ["//", "x", "x"],
    ["", "x", "x"],
  ];
  for (const [text, identifier, name] of cases) {
    assert.equal(appcName(text), identifier, text);
    assert.equal(appcName(text, "name"), name, text);
  }
});

Deno.test("appcName() gives valid names and leaves them alone", () => {
  const random = seededRandom(1);
  const signs = [..."ab09AZ-._~/:@ _é\u212a\u0130\n😀"];
  for (let round = 0; round < 2000; round++) {
    const text = Array.from(
      { length: random(10) },
      () => signs[random(signs.length)],
    ).join("");
    const identifier = appcName(text);
    assert.match(identifier, IDENTIFIER, JSON.stringify(text));
    assert.equal(appcName(identifier), identifier);
    const name = appcName(text, "name");
    assert.match(name, NAME, JSON.stringify(text));
    assert.equal(appcName(name, "name"), name);
  }
});
