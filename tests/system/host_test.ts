import assert from "node:assert/strict";
import { ROOT, temporary } from "../support/ciso.ts";

const HOST = import.meta.resolve("../../lib/system/host.ts");
const MAIN = import.meta.resolve("../../lib/cli/main.ts");

async function programOf(text: string) {
  await using folder = await temporary();
  const path = `${folder.path}/program.ts`;
  await Deno.writeTextFile(
    path,
    `import { host } from "${HOST}"; import { stuck } from "${MAIN}"; ${text}`,
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `--config=${ROOT}/deno.json`, path],
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("a program that waits for what never comes is a bug", async () => {
  const { code, stderr } = await programOf(
    "host.run(() => new Promise(() => {}), stuck);",
  );
  assert.equal(code, 70);
  assert.match(stderr, /^ciso: This is a bug in ciso: .*never comes/);
});

for (
  const [what, thrown] of [
    ["throws", 'setTimeout(() => { throw new Error("late"); })'],
    ["rejects", 'void Promise.reject(new Error("late"))'],
  ]
) {
  Deno.test(`a program that ${what} where nobody listens is a bug`, async () => {
    const { code, stderr } = await programOf(
      `host.run(() => { ${thrown}; return new Promise(() => {}); }, stuck);`,
    );
    assert.equal(code, 70);
    assert.match(stderr, /^ciso: This is a bug in ciso: Error, "late"\..*\n$/);
  });
}

Deno.test("a program ends with its exit code, whatever runs on", async () => {
  const { code, stderr } = await programOf(
    "host.run(async () => { setInterval(() => {}, 1000); return 3; }, stuck);",
  );
  assert.deepEqual({ code, stderr }, { code: 3, stderr: "" });
});
