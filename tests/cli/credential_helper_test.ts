// Logins that helpers and files have, or should have, on each runtime: what does
// not work is said with its remedy, and no secret is.
import assert from "node:assert/strict";
import { ciso, temporary } from "../support/ciso.ts";
import { loginRegistry } from "../support/filled_registry.ts";
import { bundleRuntimes } from "../support/runtimes.ts";

const PASSWORD = "not-to-be-seen";
const ANSWER = `echo '{"Username":"me","Secret":"${PASSWORD}"}'`;

/** Docker's config.json, the helper, the exit code and what is said. */
type Case = [
  what: string,
  config: (host: string) => unknown,
  helper: string,
  code: number,
  said: RegExp,
];

const own = (host: string) => ({ credHelpers: { [host]: "testing" } });
const store = () => ({ credsStore: "testing" });

const CASES: Case[] = [
  ["a helper that does not read its input", own, ANSWER, 0, /^$/],
  [
    "a helper that fails",
    own,
    `echo "the box is locked" >&2; ${ANSWER}; exit 3`,
    1,
    /docker-credential-testing, which fails with exit code 3 \("the box is locked"\): mend that, or give --username/,
  ],
  [
    "a helper that fails and says its secret",
    own,
    `${ANSWER}; echo "no ${PASSWORD}" >&2; exit 3`,
    1,
    /exit code 3 \("no …"\)/,
  ],
  [
    "a helper that prints something else",
    own,
    `echo ${PASSWORD}`,
    1,
    /docker-credential-testing, which prints no login .*: is it one\?/,
  ],
  [
    "a helper for all registries that fails",
    store,
    "exit 4",
    1,
    /which fails with exit code 4: .*; going on without that login\n.*log in/s,
  ],
  [
    "no helper",
    () => ({ credsStore: "nowhere" }),
    "",
    1,
    /docker-credential-nowhere, which cannot be run.*going on without/,
  ],
  ["a config that is no JSON", () => undefined, "", 1, /is no JSON.*going on/],
  [
    "a damaged login",
    (host) => ({ auths: { [host]: { auth: "%%%" } } }),
    "",
    1,
    /Its login for 127\.0\.0\.1:\d+ is damaged: .*log in again/,
  ],
];

const RUN =
  "--allow-run=docker-credential-testing,docker-credential-nowhere,find";

for (const runtime of await bundleRuntimes(["--allow-net", RUN])) {
  const { name, command, env, missing } = runtime;
  Deno.test({
    name: `${name}: logins of helpers and files, and what is wrong with them`,
    ignore: missing !== undefined,
    async fn() {
      await using folder = await temporary();
      await using registry = loginRegistry("me", PASSWORD);
      const pull = async (work: string, more: Record<string, string>) => {
        const result = await ciso([
          ...["pull", `${registry.host}/me/app:1`, "--plain-http", "-q"],
          ...["-o", `${work}/a.isoc`],
        ], { command, env: { ...env, HOME: work, CISO_DEBUG: "1", ...more } });
        assert.ok(!result.stderr.includes(PASSWORD), result.stderr);
        // Deno says of its own what it does not find.
        const stderr = result.stderr.replace(/^Info .*\n/gm, "");
        return { ...result, stderr };
      };
      const work = (i: number) => `${folder.path}/${i}`;
      await Promise.all(
        CASES.map(async ([what, config, helper, code, said], i) => {
          await Deno.mkdir(`${work(i)}/.docker`, { recursive: true });
          await Deno.writeTextFile(
            `${work(i)}/.docker/config.json`,
            JSON.stringify(config(registry.host)) ?? "{ no JSON",
          );
          await Deno.writeTextFile(
            `${work(i)}/docker-credential-testing`,
            `#!/bin/sh\n${helper}\n`,
            { mode: 0o755 },
          );
          const PATH = `${work(i)}:${Deno.env.get("PATH")}`;
          const result = await pull(work(i), { PATH });
          assert.equal(result.code, code, `${what}: ${result.stderr}`);
          assert.match(result.stderr, said, what);
        }),
      );
      for (
        const [file, said] of [["none", /There is no /], ["", /directory/]]
      ) {
        const REGISTRY_AUTH_FILE = `${work(0)}/${file}`;
        const { code, stderr } = await pull(work(0), { REGISTRY_AUTH_FILE });
        assert.equal(code, 1, stderr);
        assert.match(stderr, said as RegExp);
        assert.match(stderr, /\$REGISTRY_AUTH_FILE names/);
      }
    },
  });
}
