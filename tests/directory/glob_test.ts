import assert from "node:assert/strict";
import { IgnoreRules, pathGlob } from "../../lib/directory/dockerignore.ts";
import { countTime } from "../support/processor_time.ts";

/** Whether a pattern alone leaves a path out. */
function excludes(pattern: string, path: string): boolean {
  return new IgnoreRules([pattern]).judge(path).excluded;
}

Deno.test("patterns with many stars take no longer than others", () => {
  const name = "a".repeat(250);
  const tooLong = countTime();
  for (const stars of [5, 12, 60]) {
    assert.ok(!excludes(`${"*a".repeat(stars)}*b`, name));
    assert.ok(excludes(`${"*a".repeat(stars)}*`, name));
    assert.ok(!excludes(`${"**/a".repeat(stars)}/b`, `${"a/".repeat(120)}a`));
    assert.ok(!excludes(`${"**/*a*".repeat(stars)}b`, `${"a/".repeat(120)}a`));
    assert.ok(
      !excludes(`${"[a-z]*".repeat(stars)}/`.slice(0, -1) + "?.", name),
    );
  }
  // Backtracking takes hours.
  assert.equal(tooLong(), undefined);
});

Deno.test("patterns match as a backtracking matcher says", () => {
  // Each part as a regular expression, of which few follow each other here.
  const parts: [string, string][] = [
    ["*", "[^/]*"],
    ["**/", "(?:.*/)?"],
    ["?", "[^/]"],
    ["a", "a"],
    ["b", "b"],
    ["/", "/"],
    ["[ab]", "[ab]"],
    ["[^a]", "[^a]"],
    ["\\*", "\\*"],
    ["é", "é"],
    ["𝄞", "𝄞"],
  ];
  const texts = ["a", "b", "/", "é", "𝄞", "*"];
  let state = 20261126;
  const random = (below: number) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor(state / 65536) % below;
  };
  let matched = 0;
  let passedOver = 0;
  let tried = 0;
  while (tried < 20_000) {
    const chosen = Array.from(
      { length: 1 + random(5) },
      () => parts[random(parts.length)]!,
    );
    const pattern = chosen.map(([glob]) => glob).join("");
    const path = Array.from(
      { length: 1 + random(7) },
      () => texts[random(texts.length)],
    ).join("");
    // Slashes are cleaned away; stars that follow each other mean something else.
    const stars = chosen.some(([glob], i) =>
      glob === "*" && chosen[i + 1]?.[0].startsWith("*")
    );
    if (stars || /^\/|\/$|\/\//.test(pattern)) continue;
    tried++;
    const form = new RegExp(
      `^${chosen.map(([, form]) => form).join("")}$`,
      "su",
    );
    assert.equal(
      excludes(pattern, path),
      form.test(path),
      `${pattern} ${path}`,
    );
    if (form.test(path)) matched++;
    if (path.endsWith("/")) continue;
    const glob = pathGlob(pattern);
    const bytes = new TextEncoder().encode(`./${path}`);
    assert.equal(glob.testBytes(bytes.subarray(2)), glob.test(path), pattern);
    if (!glob.mayMatchName(bytes)) {
      assert.ok(!glob.test(path), `${pattern} ${path}`);
      passedOver++;
    }
  }
  assert.ok(matched > 200, `${matched}`);
  assert.ok(passedOver > 2000, `${passedOver}`);
});

Deno.test("bytes match as their text does", () => {
  const texts = ["a", "ab/c", "é", "a/é", "𝄞/b", "", "*", "a\u{feff}", "z/é/z"];
  for (const pattern of ["*", "**", "a/?", "**/é", "?/b", "[^a]", "a*", "é"]) {
    const glob = pathGlob(pattern);
    for (const text of texts) {
      const bytes = new TextEncoder().encode(text);
      assert.equal(glob.testBytes(bytes), glob.test(text), pattern + text);
    }
    // What is no UTF-8 is what decoders make of it.
    const wrong = Uint8Array.of(0x61, 0xff);
    assert.equal(glob.testBytes(wrong), glob.test("a\u{fffd}"), pattern);
  }
});
