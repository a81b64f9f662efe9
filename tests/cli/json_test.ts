// One rule for the --json of all commands, as docs/json.md has it.
import assert from "node:assert/strict";
import { allowing, ciso, temporary } from "../support/ciso.ts";
import { FakeRegistry } from "../support/fake_registry.ts";
import { fill } from "../support/filled_registry.ts";

Deno.test("--json prints one object that begins with its version, or nothing", async () => {
  await using folder = await temporary();
  await using registry = new FakeRegistry();
  fill(registry);
  const command = allowing("--allow-net", "--allow-run=find");
  const cwd = folder.path;
  const there = `${registry.host}/me/app:1`;
  const nowhere = `${registry.host}/me/other:2`;
  const run = async (line: string) => {
    const words = [...line.split(" "), "--json"];
    return await ciso(words, {
      command,
      cwd,
      env: { HOME: cwd, COSIGN_PASSWORD: "x" },
    });
  };
  const works = async (line: string) => {
    const { code, stdout, stderr } = await run(line);
    assert.equal(code, 0, `${line}: ${stderr}`);
    assert.match(stdout, /^\{"version": ?1,/, line);
    JSON.parse(stdout);
  };
  await works(`pull ${there} -o app.isoc`);
  await works("generate-key --output-key-prefix key");
  await Promise.all([
    "convert app.isoc -o converted.isoc",
    "--allow-saved-image app.isoc -t x --entrypoint /x -o built.isoc",
    `push app.isoc ${registry.host}/me/pushed:1`,
    `copy app.isoc docker://${registry.host}/me/copied:1`,
    `copy docker://${there} copied.isoc`,
    `copy docker://${there} docker-archive:copied.tar`,
    `copy docker://${there} oci-archive:oci.tar`,
    `copy docker://${there} oci:layout`,
    "inspect app.isoc",
    "inspect app.isoc --files",
    "inspect app.isoc --packages",
    "diff app.isoc app.isoc",
    "verify app.isoc",
    "verify --rules",
    "sign app.isoc --key key.key",
  ].map(works));
  await Promise.all([
    `pull ${nowhere} -o none.isoc`,
    "none.tar -t x --entrypoint /x -o none.isoc",
    "convert none.tar -o none.isoc",
    `push none.isoc ${there}`,
    `push app.isoc 127.0.0.1:1/x`,
    `copy docker://${nowhere} oci:none`,
    "inspect none.isoc",
    "diff app.isoc none.isoc",
    "sign none.isoc --key key.key",
  ].map(async (line) => {
    const { code, stdout, stderr } = await run(line);
    assert.ok(code === 1 || code === 2, line);
    assert.equal(stdout, "", line);
    assert.match(stderr, /^ciso: /, line);
  }));
});
