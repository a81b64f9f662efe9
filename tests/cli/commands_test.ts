// Each command of the table, by what runs ciso: the sources, the bundle under each
// runtime, and the compiled programs. All do the same: exit code, standard output
// byte by byte, messages, and the files they write.

import assert from "node:assert/strict";
import { PROGRAM } from "../../lib/cli/commands.ts";
import { type Result, shell, SOURCES, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  compiledPrograms,
  type Runtime,
  unlessMissing,
} from "../support/runtimes.ts";

const EPOCH = { SOURCE_DATE_EPOCH: "1433664550" };
const IMAGE =
  '-t isoc/hello:1 --platform linux/amd64 -e A="b c" -- /bin/sh -c true';

/**
 * Lines of bash, in which "$@" is ciso, by the command that they are about. They
 * run one after another in one directory, which has a rootfs.tar.
 */
const LINES: Record<string, [line: string, code: number][]> = {
  build: [
    [`"$@" rootfs.tar -o hello.isoc ${IMAGE}`, 0],
    [`"$@" build - --json -o piped.isoc ${IMAGE} <rootfs.tar`, 0],
    ['cat rootfs.tar | NAME=isoc/x COMMAND=/bin/sh "$@" | sha256sum', 0],
    [`head -c 1000 rootfs.tar | "$@" -o none.isoc ${IMAGE}`, 1],
    ['"$@" build rootfs.tar -t Up/Case -- /bin/sh', 2],
    ['"$@" build --nonsense', 2],
  ],
  convert: [
    ['"$@" convert hello.isoc -o again.isoc', 0],
    ['"$@" convert rootfs.tar -o none.isoc', 1],
  ],
  join: [
    [
      `"$@" rootfs.tar -qo arm.isoc ${
        IMAGE.replace("amd64", "arm64")
      } && "$@" join hello.isoc arm.isoc -qo multi.isoc`,
      0,
    ],
    ['"$@" convert multi.isoc -q --primary linux/arm64 | sha256sum', 0],
    ['"$@" join hello.isoc hello.isoc -o none.isoc', 2],
    ['"$@" join hello.isoc', 2],
  ],
  export: [
    ['"$@" export hello.isoc --as docker -o docker.tar', 0],
    ['"$@" export hello.isoc --as rootfs | sha256sum', 0],
    ['"$@" export hello.isoc --as nothing -o none', 2],
  ],
  load: [
    ['"$@" load --dry-run --engine docker /no/such.isoc', 1],
    ['"$@" load --engine nothing hello.isoc', 2],
  ],
  inspect: [
    ['"$@" inspect hello.isoc', 0],
    ['"$@" inspect --json hello.isoc', 0],
    ['"$@" inspect --sbom spdx --sbom-files hello.isoc', 0],
    ['"$@" inspect --html page.html hello.isoc', 0],
    ['"$@" inspect rootfs.tar', 1],
  ],
  cat: [
    ['"$@" cat hello.isoc /etc/hosts', 0],
    ['"$@" cat hello.isoc /no/such', 1],
  ],
  diff: [
    ['"$@" diff hello.isoc again.isoc', 0],
    [
      `"$@" rootfs.tar -o other.isoc -t other -- /bin/sh && "$@" diff --json hello.isoc other.isoc`,
      1,
    ],
  ],
  push: [
    ['"$@" push hello.isoc', 2],
    ['"$@" push /no/such.isoc 127.0.0.1:1/x', 1],
  ],
  pull: [['"$@" pull', 2], ['"$@" pull Up//Case -o none.isoc', 2]],
  copy: [
    ['"$@" copy hello.isoc oci-archive:- | sha256sum', 0],
    [
      '"$@" copy hello.isoc oci:layout:1 && cat layout/blobs/*/* | sha256sum',
      0,
    ],
    ['"$@" copy oci:layout:1 copied.isoc -t isoc/x && rm -r layout', 0],
    ['"$@" copy hello.isoc hello.isoc', 2],
    ['"$@" copy oci:nothing:1 oci:other:1', 1],
  ],
  serve: [['"$@" serve', 2], ['"$@" serve /no/such.isoc', 1]],
  verify: [
    ['"$@" verify hello.isoc', 0],
    ['"$@" verify --json hello.isoc docker.tar', 0],
    ['head -c 4000 hello.isoc >cut.isoc; "$@" verify cut.isoc', 1],
  ],
  sign: [
    // A signature is another one each time.
    [
      '"$@" sign hello.isoc --key test.key -o s.json && "$@" verify -q ' +
      "hello.isoc --key test.pub --signature s.json && rm s.json",
      0,
    ],
    ['"$@" sign rootfs.tar --key test.key', 1],
    ['"$@" sign hello.isoc --key test.pub', 1],
    ['"$@" sign hello.isoc', 2],
  ],
  "generate-key": [
    ['COSIGN_PASSWORD=x "$@" generate-key -q && rm ciso.key ciso.pub', 0],
    ['COSIGN_PASSWORD=x "$@" generate-key --output-key-prefix test', 1],
    ['"$@" generate-key none </dev/null', 2],
  ],
  completions: [
    ['"$@" completions bash', 0],
    ['"$@" completions zsh', 0],
    ['"$@" completions fish', 0],
    ['"$@" completions tcsh', 2],
  ],
  help: [
    ['"$@" help', 0],
    ['"$@" help faces', 0],
    ['"$@" help verify', 0],
    ['"$@" help --man', 0],
    ['"$@" help nothing', 2],
    ['"$@" -h', 0],
    ['"$@" --help', 0],
    ['"$@" --version', 0],
  ],
};

const work = await temporary();
await makeRootfs();
Deno.test.afterAll(() => Deno.remove(work.path, { recursive: true }));

async function makeRootfs(): Promise<void> {
  const tree = `${work.path}/tree`;
  await Deno.mkdir(`${tree}/bin`, { recursive: true });
  await Deno.mkdir(`${tree}/etc`);
  await Deno.copyFile("/bin/sh", `${tree}/bin/sh`);
  await Deno.writeTextFile(`${tree}/etc/hosts`, "127.0.0.1 localhost\n");
  await run("tar", [
    ...["--sort=name", "--mtime=@0", "-C", tree],
    ...["-cf", `${work.path}/rootfs.tar`, "."],
  ]);
}

/** A pair of keys for tests alone. */
const KEYS = {
  "test.key": `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg96w8YX6lasUboDCN
lDb56KkyTWcOqSXJficozirycjGhRANCAATaGFEFVgjUpD+oa1dw83m1SbOEMBDN
MYCPwbHpKFgQn4qBsk2ZcEPDRhAbG1rty66QFIUjNZ+9Y9mQnkh+3mdR
-----END PRIVATE KEY-----
`,
  "test.pub": `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2hhRBVYI1KQ/qGtXcPN5tUmzhDAQ
zTGAj8Gx6ShYEJ+KgbJNmXBDw0YQGxta7cuukBSFIzWfvWPZkJ5Ift5nUQ==
-----END PUBLIC KEY-----
`,
};

/** What all lines print and exit with, and the digests of the files they write. */
async function runLines({ command, env }: Runtime) {
  await using folder = await temporary();
  await Deno.copyFile(`${work.path}/rootfs.tar`, `${folder.path}/rootfs.tar`);
  for (const [name, text] of Object.entries(KEYS)) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text);
  }
  const results = new Map<string, Result>();
  for (const [line] of Object.values(LINES).flat()) {
    const options = { command, env: { ...env, ...EPOCH }, cwd: folder.path };
    results.set(line, await shell(line, [], options));
  }
  const sums = await run("sh", ["-c", 'cd "$0" && sha256sum *', folder.path]);
  return { results, sums };
}

Deno.test("each command of the table has lines that work and that fail", () => {
  const commands = PROGRAM.commands.map(({ name }) => name);
  assert.deepEqual(Object.keys(LINES), commands);
});

const runtimes = [...await bundleRuntimes(), ...await compiledPrograms()];
const sources = runLines({ name: "the sources", command: SOURCES });

Deno.test("the sources exit as each line says", async () => {
  const { results, sums } = await sources;
  const wrong: string[] = [];
  for (const [line, code] of Object.values(LINES).flat()) {
    const result = results.get(line)!;
    const said = `${line}: ${result.code}, ${result.stderr}`;
    // Whoever succeeds says nothing.
    if (result.code !== code || (code === 0 && result.stderr !== "")) {
      wrong.push(said);
    }
    assert.doesNotMatch(result.stderr, /^\s+at |Uncaught|\.[jt]s:\d/m);
  }
  assert.deepEqual(wrong, []);
  assert.match(sums, / hello\.isoc$/m);
  assert.doesNotMatch(sums, / none/);
});

for (const runtime of runtimes) {
  Deno.test({
    ...unlessMissing(`${runtime.name}: every command does the same`, runtime),
    async fn() {
      assertNothingMissing(runtime);
      assert.deepEqual(await runLines(runtime), await sources);
    },
  });
}
