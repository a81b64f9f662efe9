import assert from "node:assert/strict";
import { buildCommand } from "../../lib/cli/build_command.ts";
import { type Base, imageDescription } from "../../lib/cli/description.ts";
import { parseOptions } from "../../lib/cli/options.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const work = await Deno.makeTempDir({ prefix: "isoc-description-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

/** The description of an image that has a name and a command. */
function describe(...args: string[]) {
  return describeFrom(undefined, "-t", "x", ...args, "--", "/bin/sh");
}

function describeFrom(base: Base | undefined, ...args: string[]) {
  return imageDescription(parseOptions(args, buildCommand.options), base);
}

/** A file with a text. */
async function file(text: string): Promise<string> {
  const path = `${work}/${crypto.randomUUID()}`;
  await Deno.writeTextFile(path, text);
  return path;
}

/** Runs a function with environment variables set, or not set. */
function withEnv(env: Record<string, string | undefined>, run: () => void) {
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  const old = Object.keys(env).map((name) =>
    [name, Deno.env.get(name)] as const
  );
  for (const [name, value] of Object.entries(env)) set(name, value);
  try {
    run();
  } finally {
    for (const [name, value] of old) set(name, value);
  }
}

Deno.test("imageDescription() reads words as JSON or as a shell does", () => {
  const entrypoint = (text: string) =>
    describe(`--entrypoint=${text}`).entrypoint;
  assert.deepEqual(entrypoint('["a b", ""]'), ["a b", ""]);
  assert.deepEqual(entrypoint(' ["a"]'), ["a"]);
  assert.deepEqual(entrypoint("/bin/sh -c 'a b'"), ["/bin/sh", "-c", "a b"]);
  assert.deepEqual(entrypoint(""), []);
  assert.deepEqual(describe("--shell", "/bin/sh -ec").shell, [
    "/bin/sh",
    "-ec",
  ]);
});

Deno.test("imageDescription() takes the command from the nearest place", () => {
  const base = { base: { fields: { command: ["base"] } }, names: ["base"] };
  withEnv({ COMMAND: "from env", NAME: "name" }, () => {
    const command = (...args: string[]) => describeFrom(undefined, ...args);
    assert.deepEqual(command("--cmd", "a 'b c'", "--", "d").command, ["d"]);
    assert.deepEqual(command("--cmd", "a 'b c'", "--").command, ["a", "b c"]);
    assert.deepEqual(command("--cmd", '["a"]').command, ["a"]);
    assert.deepEqual(command().command, ["from", "env"]);
    assert.deepEqual(command().names, ["name"]);
    assert.deepEqual(command("-t", "a", "-t", "b:1").names, ["a", "b:1"]);
    assert.deepEqual(describeFrom(base).command, ["base"]);
  });
  withEnv({ COMMAND: undefined, NAME: undefined }, () => {
    // Another entrypoint makes nothing of the command that went with the old.
    assert.equal(describeFrom(base, "--entrypoint=x").command, undefined);
    assert.deepEqual(describeFrom(base).names, ["base"]);
    assert.equal(
      describeFrom({ base: { fields: {} }, names: ["base"] }).command,
      undefined,
    );
  });
});

Deno.test("imageDescription() wants a name and a command", () => {
  withEnv({ COMMAND: undefined, NAME: undefined }, () => {
    for (
      const [args, what] of [
        [[], "no name and no command"],
        [["-t", "x"], "no command"],
        [["-t", "x", "--entrypoint", "[]"], "no command"],
        [["-t", "x", "--cmd", ""], "no command"],
        [["--", "/bin/sh"], "no name"],
      ] as const
    ) {
      assert.throws(() => describeFrom(undefined, ...args), (error) => {
        assert.ok(error instanceof UsageError);
        const line =
          `There is ${what}. Usage: cat rootfs.tar | NAME= COMMAND= ✂`;
        assert.ok(error.message.startsWith(line), error.message);
        return true;
      });
    }
  });
});

Deno.test("imageDescription() reads variables, files first", async () => {
  const list = await file("#\nA=1\nB=2\nHERE\nGONE\n");
  withEnv({ HERE: "here", GONE: undefined }, () => {
    const args = ["--env-file", list, "-e", "B=3", "-e", "HERE", "-e", "GONE"];
    assert.deepEqual(describe(...args).env, [
      "A=1",
      "B=2",
      "HERE=here",
      "B=3",
      "HERE=here",
    ]);
  });
});

Deno.test("imageDescription() reads labels, files first", async () => {
  const list = await file("a=1\r\nb=2\r\n");
  assert.deepEqual(
    describe("--label-file", list, "-l", "b=3", "-l", "c").labels,
    {
      a: "1",
      b: "3",
      c: "",
    },
  );
});

Deno.test("imageDescription() lets the options win over --config", async () => {
  const config = await file(JSON.stringify({
    author: "Joe",
    architecture: "arm",
    variant: "v6",
    os: "linux",
    config: {
      Env: ["A=1"],
      Volumes: { "/a": {} },
      Healthcheck: { Test: ["CMD", "x"], Interval: 1e9, Timeout: 2e9 },
    },
  }));
  const base = {
    base: { fields: { author: "base", user: "base" } },
    names: [],
  };
  const { author, user, env, volumes, healthcheck, architecture, variant } =
    describeFrom(
      base,
      ...["-t", "x", "--config", config, "-e", "B=2", "--volume=/b"],
      ...["--health-timeout=3", "--platform=linux/amd64"],
    );
  assert.equal(author, "Joe");
  assert.equal(user, "base");
  assert.deepEqual(env, ["A=1", "B=2"]);
  assert.deepEqual(volumes, ["/a", "/b"]);
  assert.equal(healthcheck?.interval, 1);
  assert.equal(healthcheck?.timeout, 3);
  assert.deepEqual([architecture, variant], ["amd64", undefined]);
});

Deno.test("imageDescription() takes the time from the nearest place", async () => {
  const config = await file('{"created":"2001-01-01T00:00:00Z","config":{}}');
  const created = (...args: string[]) => describe(...args).created;
  withEnv({ SOURCE_DATE_EPOCH: "5" }, () => {
    assert.equal(created("--created", "7"), 7);
    assert.equal(created("--created=1970-01-01T01:00:09.9+01:00"), 9);
    assert.equal(created("--config", config), 5);
    assert.equal(created(), 5);
  });
  withEnv({ SOURCE_DATE_EPOCH: undefined }, () => {
    assert.equal(created("--config", config), Date.UTC(2001, 0) / 1000);
    const now = Math.floor(Date.now() / 1000);
    assert.ok(created() - now <= 1 && created() >= now);
  });
});

Deno.test("imageDescription() reads a health check", () => {
  const read = (...args: string[]) => {
    const check = describe(...args).healthcheck;
    return check && JSON.parse(JSON.stringify(check));
  };
  assert.equal(read(), undefined);
  assert.deepEqual(read("--health-cmd", "curl -f x || exit 1"), {
    test: ["CMD-SHELL", "curl -f x || exit 1"],
  });
  assert.deepEqual(read("--health-cmd", '["/bin/test", "a b"]'), {
    test: ["CMD", "/bin/test", "a b"],
  });
  assert.deepEqual(
    read(
      ...[
        "--health-cmd=x",
        "--health-interval=1m30s",
        "--health-timeout=500ms",
      ],
      ...["--health-start-period=0", "--health-start-interval=2"],
      "--health-retries=3",
    ),
    {
      test: ["CMD-SHELL", "x"],
      interval: 90,
      timeout: 0.5,
      startPeriod: 0,
      startInterval: 2,
      retries: 3,
    },
  );
  assert.deepEqual(read("--no-healthcheck"), { test: ["NONE"] });
});

Deno.test("imageDescription() names the option that is malformed", async () => {
  const bad = await file("=1\n");
  const badPort = await file('{"ExposedPorts":{"http":{}}}');
  const noJson = await file("Cmd: x");
  for (
    const [args, message] of [
      [["-t", "Up/x"], '--tag: Image name "Up/x": upper case is not allowed'],
      [
        ["--entrypoint", "[1]"],
        "--entrypoint: The list of words must be a JSON array of strings",
      ],
      [["--entrypoint", "[a"], "--entrypoint: The list of words is not JSON"],
      [["--entrypoint", "'a"], "--entrypoint: The single quote at character 1"],
      [["--shell", "[}"], "--shell: The list of words is not JSON"],
      [["-e", "=1"], '--env: Environment entry 1 has no name before its "="'],
      [["-w", "srv"], '--workdir: Working directory "srv" is not absolute'],
      [["-u", "a:b:c"], '--user: User "a:b:c" is not USER or USER:GROUP'],
      [["-l", "=x"], '--label: "=x" is not KEY=VALUE'],
      [["--annotation", "=x"], '--annotation: "=x" is not KEY=VALUE'],
      [["--expose", "http"], '--expose: Exposed port "http" is not PORT'],
      [["--expose", "0"], '--expose: Exposed port "0" is not from 1 to 65535'],
      [["--expose", "80/icmp"], '--expose: Exposed port "80/icmp" is not PORT'],
      [["--volume", "data"], '--volume: Volume "data" is not absolute'],
      [
        ["--stop-signal", "FOO"],
        '--stop-signal: Stop signal "FOO" is no signal',
      ],
      [["--health-cmd", " "], "--health-cmd: There is no command"],
      [["--health-cmd", "[]"], "--health-cmd: There is no command"],
      [
        ["--health-interval", "1s"],
        "A health check needs its command: --health-cmd",
      ],
      [
        ["--health-cmd=x", "--health-interval=1d"],
        '--health-interval: "1d" is no',
      ],
      [["--health-cmd=x", "--health-timeout=x"], '--health-timeout: "x" is no'],
      [
        ["--health-cmd=x", "--health-start-period=1us"],
        "--health-start-period: Health",
      ],
      [
        ["--health-cmd=x", "--health-start-interval=s"],
        '--health-start-interval: "s" is',
      ],
      [
        ["--health-cmd=x", "--health-retries=-1"],
        `--health-retries: "-1" is not a count`,
      ],
      [
        ["--health-cmd=x", "--no-healthcheck"],
        "--no-healthcheck and --health-cmd",
      ],
      [
        ["--created", "now"],
        "--created is a count of seconds since 1970 or an RFC",
      ],
      [
        ["--created", "1969-12-31T23:59:59Z"],
        "--created is a count of seconds",
      ],
      [
        ["--created", "253402300800"],
        "--created is a count of seconds since 1970",
      ],
      [["--", ""], "The command is an empty word: name a program first"],
      [["--entrypoint", '[""]', "--", "x"], "The command is an empty word"],
      [["--platform", "arm64"], '--platform: "arm64" is not OS/ARCH'],
    ] as const
  ) {
    assert.throws(() => describe(...args), (error) => {
      assert.ok(error instanceof UsageError, `${args}: ${error}`);
      assert.ok(error.message.startsWith(message), error.message);
      return true;
    }, args.join(" "));
  }
  for (
    const [path, name, message, option = "--config"] of [
      ["/no/env", "FileError", /^Cannot read \/no\/env: no such/, "--env-file"],
      [bad, "InputError", /: Line \d+ has no key/, "--label-file"],
      [bad, "InputError", /: Line \d+ has no key/, "--env-file"],
      ["/no/l", "FileError", /^Cannot read \/no\/l: no such/, "--label-file"],
      ["/no/c", "FileError", /^Cannot read \/no\/c: no such file/],
      [noJson, "InputError", /: The image config is not JSON/],
      [badPort, "InputError", /: Exposed port "http" is not/],
    ] as const
  ) {
    // What a file holds is no mistake of the command line.
    assert.throws(() => describe(option, path), (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.name, name);
      assert.match(error.message, message);
      assert.ok(error.message.includes(path), error.message);
      return true;
    });
  }
  withEnv({ SOURCE_DATE_EPOCH: "1e3" }, () => {
    assert.throws(() => describe(), {
      message: 'SOURCE_DATE_EPOCH is a count of seconds since 1970, not "1e3"',
    });
  });
  withEnv({ NAME: "Up", COMMAND: "x" }, () => {
    assert.throws(() => describeFrom(undefined), {
      message: /^NAME: Image name "Up": upper case is not allowed/,
    });
  });
});
