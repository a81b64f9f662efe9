// Help, made of the table of commands.

import assert from "node:assert/strict";
import { optionsOf } from "../../lib/cli/command.ts";
import { PROGRAM } from "../../lib/cli/commands.ts";
import {
  exitCodesOf,
  formOf,
  longHelp,
  overview,
  shortHelp,
  topicHelp,
} from "../../lib/cli/help.ts";
import { CISO, ciso, ROOT, shell } from "../support/ciso.ts";
import { isInstalled } from "../support/run.ts";

/** Lines that are not there to be copied, which fit a terminal. */
function assertFits(text: string, what: string) {
  const [prose] = text.split("Examples:");
  for (const line of prose!.split("\n")) {
    assert.ok([...line].length < 80, `${what}: ${line}`);
  }
}

Deno.test("no name, letter or word of the table means two things", () => {
  const words = [...PROGRAM.commands, ...PROGRAM.topics].map(({ name }) =>
    name
  );
  assert.equal(new Set(words).size, words.length);
  for (const command of PROGRAM.commands) {
    const forms = optionsOf(command).flatMap(({ name, short }) =>
      short ? [name, short] : [name]
    );
    assert.equal(new Set(forms).size, forms.length, command.name);
    for (const { help, values, list } of command.options) {
      assert.match(help, /^[^\n]*[^.\n]$/, `${command.name}: ${help}`);
      assert.ok(values || !list, command.name);
    }
    assert.match(command.summary, /^[a-z].*[^.]$/);
    for (const form of command.usage) {
      assert.ok(form.startsWith(command.name) || form.startsWith("[build]"));
    }
  }
});

Deno.test("the long help of a command has all there is to say", () => {
  for (const command of PROGRAM.commands) {
    const text = longHelp(command, PROGRAM);
    for (const option of optionsOf(command)) {
      assert.ok(text.includes(formOf(option).trim()), option.name);
    }
    for (const form of command.usage) assert.ok(text.includes(form), form);
    for (const line of command.examples ?? []) assert.ok(text.includes(line));
    assertFits(text, command.name);
  }
  const [first] = PROGRAM.commands;
  const text = longHelp(first!, PROGRAM);
  for (const { name, summary } of [...PROGRAM.commands, ...PROGRAM.topics]) {
    assert.match(text, new RegExp(`^  ${name} +${summary}`, "m"));
  }
  for (const heading of ["Image", "Input", "Output", "Health check"]) {
    assert.match(text, new RegExp(`^${heading}:$`, "m"));
  }
  for (const [code] of exitCodesOf(first!)) {
    assert.match(text, new RegExp(`^  ${code}\\b`, "m"));
  }
});

Deno.test("the short help is short, and leads to the long one", () => {
  for (const command of PROGRAM.commands) {
    const text = shortHelp(command, PROGRAM);
    assert.ok(text.length < longHelp(command, PROGRAM).length);
    assert.ok(text.split("\n").length < 50, command.name);
    assert.match(text, /--help/);
    assertFits(text, command.name);
  }
});

Deno.test("-h is the short help, --help the long one, of each command", async () => {
  for (const command of PROGRAM.commands) {
    const { name } = command;
    for (
      const [args, text] of [
        [[name, "-h"], shortHelp(command, PROGRAM)],
        [[name, "--help"], longHelp(command, PROGRAM)],
        [[name, "--no-such-option", "--help"], longHelp(command, PROGRAM)],
        [["help", name], longHelp(command, PROGRAM)],
      ] as const
    ) {
      const { code, stdout, stderr } = await ciso([...args]);
      assert.equal(stderr, "");
      assert.equal(stdout, text);
      assert.equal(code, 0);
    }
  }
});

Deno.test("ciso help lists commands and topics, and explains each topic", async () => {
  const { stdout, code } = await ciso(["help"]);
  assert.equal(stdout, overview(PROGRAM));
  assert.equal(code, 0);
  for (const topic of PROGRAM.topics) {
    assert.equal((await ciso(["help", topic.name])).stdout, topicHelp(topic));
    assertFits(topicHelp(topic), topic.name);
  }
  const wrong = await ciso(["help", "exprot"]);
  assert.match(
    wrong.stderr,
    /no command or topic "exprot": did you mean export/,
  );
  assert.equal(wrong.code, 2);
  const many = await ciso(["help", "load", "export"]);
  assert.equal(many.code, 2);
});

Deno.test({
  name: "a bare ciso on a terminal shows the overview",
  ignore: Deno.build.os !== "linux" || !isInstalled("script"),
  async fn() {
    const line = CISO.map((word) => `'${word}'`).join(" ");
    const { stdout, code } = await shell('script -qec "$LINE" /dev/null', [], {
      env: { LINE: line, SHELL: "/bin/bash" },
    });
    assert.equal(stdout.replaceAll("\r\n", "\n"), overview(PROGRAM));
    assert.equal(code, 0);
    // Whoever uses the program as in 2015 has forgotten the rootfs.
    const classic = await shell('script -qec "$LINE" /dev/null', [], {
      env: { LINE: line, SHELL: "/bin/bash", NAME: "x", COMMAND: "/bin/sh" },
    });
    assert.match(classic.stdout, /There is no rootfs/);
    assert.equal(classic.code, 2);
  },
});

Deno.test("the version is that of deno.json", async () => {
  const text = await Deno.readTextFile(`${ROOT}/deno.json`);
  assert.equal(PROGRAM.version, JSON.parse(text).version);
});
