import assert from "node:assert/strict";
import { type Option, parseOptions } from "../../lib/cli/options.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const OPTIONS: Option[] = [
  { name: "env", short: "e", value: "KEY=VALUE", help: "" },
  { name: "workdir", short: "w", value: "PATH", help: "" },
  { name: "label", value: "KEY=VALUE", help: "" },
  { name: "author", value: "TEXT", help: "" },
  { name: "quiet", short: "q", help: "" },
  { name: "verbose", short: "v", help: "" },
  { name: "no-check", help: "" },
];

/** All that is found, as one object. */
function parse(...args: string[]) {
  const parsed = parseOptions(args, OPTIONS);
  const found: Record<string, unknown> = {};
  for (const { name, value } of OPTIONS) {
    const values = parsed.values(name);
    if (value && values.length > 0) {
      found[name] = values;
      assert.equal(parsed.value(name), values.at(-1));
    }
    if (!value && parsed.on(name)) found[name] = true;
  }
  if (parsed.words.length > 0) found.words = parsed.words;
  if (parsed.rest) found.rest = parsed.rest;
  return found;
}

Deno.test("parseOptions() reads every form of a value", () => {
  assert.deepEqual(
    parse("-e", "A=1", "-eB=2", "-e=C=3", "--env", "D=4", "--env=E=5"),
    { env: ["A=1", "B=2", "C=3", "D=4", "E=5"] },
  );
  assert.deepEqual(parse("-wsrv", "-w/srv", "-w", "007"), {
    workdir: ["srv", "/srv", "007"],
  });
  assert.deepEqual(parse("--label=a=b=c", "--label", "a b\n"), {
    label: ["a=b=c", "a b\n"],
  });
});

Deno.test("parseOptions() takes texts that are empty, and values that begin with a dash", () => {
  assert.deepEqual(parse("--author", "", "--author="), { author: ["", ""] });
  assert.deepEqual(parse("-w", "-", "--workdir", "-5", "-w", "--x y"), {
    workdir: ["-", "-5", "--x y"],
  });
});

Deno.test("parseOptions() reads switches, alone and together", () => {
  assert.deepEqual(parse("-q", "--no-check"), {
    quiet: true,
    "no-check": true,
  });
  assert.deepEqual(parse("-qvw", "/srv"), {
    quiet: true,
    verbose: true,
    workdir: ["/srv"],
  });
  assert.deepEqual(parse("-qe=A=1"), { quiet: true, env: ["A=1"] });
});

Deno.test("parseOptions() leaves words as they are", () => {
  assert.deepEqual(parse("1e3", "-q", "-", " ", "a=b"), {
    quiet: true,
    words: ["1e3", "-", " ", "a=b"],
  });
  assert.deepEqual(parse("a", "--", "-q", "--", "--env"), {
    words: ["a"],
    rest: ["-q", "--", "--env"],
  });
  assert.deepEqual(parse("--"), { rest: [] });
  assert.deepEqual(parse(), {});
});

Deno.test("parseOptions() refuses unknown options", () => {
  for (
    const [word, message] of [
      ["--nonsense", "Unknown option --nonsense"],
      ["--nonsense=a b", "Unknown option --nonsense"],
      ["--quite", "Unknown option --quite: did you mean --quiet?"],
      ["--lable=a=b", "Unknown option --lable: did you mean --label?"],
      ["--ENV=a=b", "Unknown option --ENV: did you mean --env?"],
      ["--work=/srv", "Unknown option --work: did you mean --workdir?"],
      ["--nocheck", "Unknown option --nocheck: did you mean --no-check?"],
      ["--e=A=1", "Unknown option --e"],
      ["--__proto__=1", "Unknown option --__proto__"],
      ["-z", "Unknown option -z"],
      ["-qz", "Unknown option -z"],
      ["-z=1", "Unknown option -z"],
      ["--no-quiet", "Unknown option --no-quiet"],
    ] as const
  ) {
    assert.throws(() => parse(word), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message, message);
      return true;
    });
  }
});

Deno.test("parseOptions() says what else an unknown option can mean", () => {
  const hint = (form: string, word: string) => `${form} of ${word}`;
  assert.throws(() => parseOptions(["-qz.tar"], OPTIONS, hint), {
    message: "Unknown option -z: -z of -qz.tar",
  });
});

Deno.test("parseOptions() refuses empty words and values", () => {
  for (const args of [["-w", ""], ["--workdir="], ["-qw", ""]]) {
    assert.throws(() => parse(...args), {
      name: "UsageError",
      message: "Option -w/--workdir needs PATH, and has an empty one",
    });
  }
  assert.throws(() => parse("a", ""), /A word of the command line is empty/);
});

Deno.test("parseOptions() refuses an option without its value", () => {
  const wanted = /^Option -e\/--env needs KEY=VALUE$/;
  for (
    const args of [
      ["-e"],
      ["--env"],
      ["-qe"],
      ["-e", "-q"],
      ["--env", "--label=a=b"],
      ["--env", "--", "A=1"],
    ]
  ) assert.throws(() => parse(...args), { message: wanted });
  assert.throws(() => parse("--label"), {
    message: "Option --label needs KEY=VALUE",
  });
});

Deno.test("parseOptions() refuses a switch with a value", () => {
  assert.throws(() => parse("--quiet=false"), {
    message: "Option --quiet takes no value",
  });
});

Deno.test("parseOptions() takes nothing for what parseArgs would take it", () => {
  // A number, a boolean, a nested key, the prototype's keys.
  assert.deepEqual(parse("1.0", "-q", "true", "-v", "false", "0x10"), {
    quiet: true,
    verbose: true,
    words: ["1.0", "true", "false", "0x10"],
  });
  assert.deepEqual(parse("-e", "1.0", "-w", "true", "--label", "1e3"), {
    env: ["1.0"],
    workdir: ["true"],
    label: ["1e3"],
  });
  assert.deepEqual(parse("-eA=B=-C", "-e=-", "-w5", "-w.a.b", "-e-x"), {
    env: ["A=B=-C", "-", "-x"],
    workdir: ["5", ".a.b"],
  });
  assert.deepEqual(parse("-qv", "--no-check", "constructor"), {
    quiet: true,
    verbose: true,
    "no-check": true,
    words: ["constructor"],
  });
  for (
    const word of ["--quiet=1", "--quiet=true", "--quiet=", "--no-check=1"]
  ) {
    assert.throws(
      () => parse(word),
      /^UsageError: Option --\S+ takes no value$/,
    );
  }
  for (const word of ["-q=1", "--constructor=1", "--toString", "--a.b=1"]) {
    assert.throws(() => parse(word), /^UsageError: Unknown option/);
  }
  const { on, value, values } = parseOptions([], OPTIONS);
  assert.equal(on("constructor"), false);
  assert.equal(value("toString"), undefined);
  assert.deepEqual(values("__proto__"), []);
});
