import assert from "node:assert/strict";
import { parseMode } from "../../lib/edit/mode.ts";
import { temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";

/** Modes whose meaning does not depend on a umask. */
const MODES = [
  ...["0", "644", "0755", "4755", "2755", "1777", "00755", "07777", "7"],
  ...["a+x", "a-w", "a=r", "u=rwX,go=rX", "go-rwx", "u+s", "g+s", "a+t", "o+t"],
  ...["ug=rw,o=", "u=g", "g=u", "o=u", "go=u-w", "g+u", "a=", "u+x-w", "a-s"],
  ...["u=s", "g=", "u-x+X", "a=rwxst", "o+s", "u+t", "a-t", "g=o", "u=rwx,u=g"],
];
const OLD = [
  0o644,
  0o755,
  0o000,
  0o7777,
  0o2755,
  0o4711,
  0o1777,
  0o123,
  0o6070,
];

Deno.test("parseMode() makes of modes what GNU chmod does", async () => {
  await using folder = await temporary();
  const lines: string[] = [`cd '${folder.path}'`, "touch f; mkdir d"];
  for (const mode of MODES) {
    for (const old of OLD) {
      for (const name of ["f", "d"]) {
        // Octal digits of five sets clear a directory's bits, too.
        lines.push(`chmod 0${old.toString(8).padStart(4, "0")} ${name}`);
        lines.push(`chmod '${mode}' ${name}; stat -c %a ${name}`);
      }
    }
  }
  const found = (await run("bash", ["-ec", lines.join("\n")])).trim().split(
    "\n",
  );
  let at = 0;
  for (const mode of MODES) {
    const change = parseMode(mode);
    assert.ok(change, mode);
    for (const old of OLD) {
      for (const isDirectory of [false, true]) {
        const made = change(old, isDirectory).toString(8);
        const what = `${mode} of ${old.toString(8)}, directory ${isDirectory}`;
        assert.equal(made, found[at++], what);
      }
    }
  }
  assert.equal(at, found.length);
});

Deno.test("parseMode() knows what is no mode", () => {
  for (
    const text of [
      "",
      "8",
      "77777",
      "x",
      "a",
      "b+x",
      "a+q",
      "u=rw,",
      "rw",
      "+x=u1",
    ]
  ) assert.equal(parseMode(text), undefined, text);
});
