import assert from "node:assert/strict";
import { ROOT } from "../support/ciso.ts";
import { run } from "../support/run.ts";

const files = (await run("git", ["-C", ROOT, "ls-files", "-co", "*.md"]))
  .trim().split("\n");
const textOf = (file: string) => Deno.readTextFile(`${ROOT}/${file}`);

Deno.test("README has 1,200 words at most", async () => {
  const words = (await textOf("README.md")).split(/\s+/).filter(Boolean);
  assert.ok(words.length <= 1200, `It has ${words.length}`);
});

Deno.test("each room of lib/ says in 15 lines what it is for", async () => {
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/lib`)) {
    if (!isDirectory) continue;
    const lines = (await textOf(`lib/${name}/README.md`)).trim().split("\n");
    assert.ok(lines.length <= 15, `lib/${name}/README.md has ${lines.length}`);
    // A file that it names is there.
    for (const [, file] of lines.join("\n").matchAll(/`([\w/]+\.ts)`/g)) {
      const places = [`lib/${name}/${file}`, `lib/${file}`];
      const found = await Promise.all(
        places.map((path) =>
          Deno.stat(`${ROOT}/${path}`).then(() => true, () => false)
        ),
      );
      assert.ok(found.includes(true), `lib/${name}/README.md names ${file}`);
    }
  }
});

Deno.test("every link to a file leads to one", async () => {
  for (const file of files) {
    for (const [, link] of (await textOf(file)).matchAll(/\]\(([^)#]+)/g)) {
      if (/^[a-z]+:/.test(link!)) continue;
      const path = new URL(link!, `file://${ROOT}/${file}`);
      await assert.doesNotReject(Deno.stat(path), `${file} links to ${link}`);
    }
  }
});

Deno.test("each page of docs/ is linked from README", async () => {
  const readme = await textOf("README.md");
  for (const file of files.filter((file) => file.startsWith("docs/"))) {
    assert.ok(readme.includes(`](${file})`), `${file} is not linked`);
  }
});

Deno.test("architecture.md lists each room of lib/", async () => {
  const page = await textOf("docs/architecture.md");
  for await (const { name } of Deno.readDir(`${ROOT}/lib`)) {
    const room = name.endsWith(".ts") ? `\`${name}\`` : `\`${name}/\``;
    assert.ok(page.includes(`| ${room} `), `${room} is not in its table`);
  }
});
