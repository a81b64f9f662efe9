// Signatures by the whole program: who checks, what is refused, what is left.
import assert from "node:assert/strict";
import { allowing, ciso, shell, temporary } from "../support/ciso.ts";
import { flippedFiles } from "../support/flipped_files.ts";
import { isocOf } from "../support/isoc_parts.ts";
import { generateKeys } from "../../lib/sign/key_pair.ts";

const isoc = await isocOf();
const PASSWORD = { COSIGN_PASSWORD: "pw" };

/** A directory with a signed a.isoc, a key of its own and another one. */
async function signed() {
  const folder = await temporary();
  const cwd = folder.path;
  await Deno.writeFile(`${cwd}/a.isoc`, isoc);
  for (const name of ["own", "other"]) {
    const { privatePem, publicPem } = await generateKeys("pw");
    await Deno.writeTextFile(`${cwd}/${name}.key`, privatePem);
    await Deno.writeTextFile(`${cwd}/${name}.pub`, publicPem);
  }
  const run = (line: string, env: Record<string, string> = PASSWORD) =>
    shell(line, [], { cwd, env });
  const { code, stderr, stdout } = await run('"$@" sign a.isoc --key own.key');
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^a\.isoc\.sigstore\.json: signature of a\.isoc by SHA256:[\w+/]{43}\n$/,
  );
  return { ...folder, run };
}

Deno.test("one byte changed anywhere in the archive makes the check fail", async () => {
  await using folder = await signed();
  const names = ["a.isoc"];
  const bundle = await Deno.readFile(`${folder.path}/a.isoc.sigstore.json`);
  for await (const { name, bytes } of flippedFiles(isoc)) {
    await Deno.writeFile(`${folder.path}/${name}`, bytes);
    await Deno.writeFile(`${folder.path}/${name}.sigstore.json`, bundle);
    names.push(name);
  }
  assert.ok(names.length > 300, `${names.length} files`);
  const args = ["verify", "--json", "--key", "own.pub", ...names];
  const { code, stdout } = await ciso(args, { cwd: folder.path });
  assert.equal(code, 1);
  const [good, ...others] = JSON.parse(stdout).images;
  assert.deepEqual(good.findings, []);
  assert.equal(good.signatures[0].file, "a.isoc.sigstore.json");
  assert.equal(others.length, names.length - 1);
  for (const { file, error, signatures, findings } of others) {
    assert.match(
      error,
      /: It is the signature of "a\.isoc" with sha256:/,
      file,
    );
    assert.deepEqual(signatures, []);
    assert.equal(findings, undefined);
  }
});

Deno.test("nothing unsigned is taken, and nothing is written then", async () => {
  await using folder = await signed();
  const { run } = folder;
  const bytes = isoc.slice();
  bytes[bytes.length - 1300]! ^= 1;
  await Deno.writeFile(`${folder.path}/b.isoc`, bytes);
  await run("cp a.isoc.sigstore.json b.isoc.sigstore.json; cp a.isoc c.isoc");
  const uses = [
    "convert IMAGE KEY -o out",
    "export IMAGE KEY --as oci -o out",
    "export IMAGE KEY --as bundle -o out/",
    "export IMAGE KEY --as isoc -o out",
    "build --from IMAGE KEY -t x/y -o out",
    "join IMAGE c.isoc KEY -o out",
    "convert a.isoc KEY --rebase a.isoc IMAGE -o out",
    "convert a.isoc KEY --rebase IMAGE a.isoc -o out",
    "copy IMAGE KEY out",
    "copy oci-archive:IMAGE KEY oci:out",
    "push IMAGE localhost:1/x KEY",
    "load IMAGE KEY --engine podman",
    "verify IMAGE KEY",
  ];
  for (const use of uses) {
    const isVerify = use.startsWith("verify");
    const line = (image: string, key: string) => {
      const option = isVerify ? "--key" : "--verify-key";
      return `"$@" ${
        use.replace("IMAGE", image).replace("KEY", `${option} ${key}`)
      }`;
    };
    const cases: [line: string, message: RegExp][] = [
      [
        line("b.isoc", "own.pub"),
        /b\.isoc\.sigstore\.json: It is the signature/,
      ],
      [line("a.isoc", "other.pub"), /It was made with another key, "SHA256:/],
      [
        line("c.isoc", "own.pub"),
        /c\.isoc is not signed: there is no c\.isoc\.s/,
      ],
      [
        line("a.isoc", "own.key"),
        /own\.key: It is a private key: give the pub/,
      ],
      [
        line("a.isoc", "none.pub"),
        /Cannot read none\.pub: no such file or dir/,
      ],
      [
        `${line("c.isoc", "own.pub")} --signature a.isoc`,
        /a\.isoc: It (is|holds) no/,
      ],
    ];
    // One command tries them all.
    for (const [line, message] of use === uses[0] ? cases : cases.slice(0, 2)) {
      const { code, stderr, stdout } = await run(line);
      assert.equal(code, 1, line);
      assert.match(stderr, message, line);
      assert.equal(stdout, "", line);
      await assert.rejects(Deno.lstat(`${folder.path}/out`), line);
    }
  }
});

Deno.test("what is signed becomes the same bytes as without a check", async () => {
  await using folder = await signed();
  const { run } = folder;
  const key = "--verify-key own.pub --signature a.isoc.sigstore.json";
  const { code, stdout, stderr } = await run(`
    set -e
    ciso() { SOURCE_DATE_EPOCH=1 program "$@"; }
    program() { command "\${program[@]}" "$@"; }
    program=("$@")
    gzip -k a.isoc
    ciso sign a.isoc.gz --key own.key -q
    for as in oci isoc; do
      ciso export a.isoc --as $as >plain
      ciso export a.isoc --as $as ${key} | cmp - plain
      cat a.isoc | ciso export --as $as ${key} | cmp - plain
      ciso export a.isoc.gz --as $as --verify-key own.pub | cmp - plain
    done
    ciso convert a.isoc -t x/y >plain
    ciso convert a.isoc -t x/y ${key} | cmp - plain
    cat a.isoc | ciso convert - -t x/y ${key} | cmp - plain
    ciso convert a.isoc.gz -t x/y --verify-key own.pub | cmp - plain
    ciso load --dry-run a.isoc ${key} --engine podman
    cat a.isoc | ciso verify -q --key own.pub --signature a.isoc.sigstore.json
    ciso convert a.isoc ${key} -v -o out
  `);
  assert.equal(code, 0, stderr + stdout);
  assert.equal(stdout, "ciso export a.isoc --as docker | podman load\n");
  assert.match(
    stderr,
    /^ciso: signed by SHA256:\S+ \(a\.isoc\.sigstore\.json\)$/m,
  );
});

Deno.test("a signature is not replaced unasked, and never half there", async () => {
  await using folder = await signed();
  const { run, path } = folder;
  const before = await Deno.readTextFile(`${path}/a.isoc.sigstore.json`);
  const again = await run('"$@" sign a.isoc --key own.key');
  assert.equal(again.code, 1);
  assert.match(
    again.stderr,
    /a\.isoc\.sigstore\.json is there already: --force/,
  );
  assert.equal(
    await Deno.readTextFile(`${path}/a.isoc.sigstore.json`),
    before,
  );
  const forced = await run('"$@" sign a.isoc --key own.key --force --json');
  assert.equal(forced.code, 0, forced.stderr);
  const { digest, key, ...rest } = JSON.parse(forced.stdout);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  assert.match(key, /^SHA256:/);
  assert.deepEqual(rest, {
    version: 1,
    file: "a.isoc",
    signature: "a.isoc.sigstore.json",
  });
  const piped = await run('cat a.isoc | "$@" sign - --key own.key >p.json');
  assert.equal(piped.code, 0, piped.stderr);
  const check = await run(
    '"$@" verify -q a.isoc --key own.pub --signature p.json',
  );
  assert.equal(check.code, 0, check.stderr);

  const failing: [line: string, code: number, message: RegExp][] = [
    [
      'COSIGN_PASSWORD=no "$@" sign a.isoc --key own.key -o n',
      1,
      /own\.key: The pa/,
    ],
    [
      'env -u COSIGN_PASSWORD "$@" sign a.isoc --key own.key -o n',
      1,
      /set COSIGN_P/,
    ],
    [
      'echo no | "$@" sign a.isoc --key own.key -o n --password-stdin',
      1,
      /wrong/,
    ],
    [
      '"$@" sign a.isoc --key own.key -o n --password-stdin </dev/null',
      1,
      /--password-stdin: standard input is empty/,
    ],
    ['"$@" sign own.pub --key own.key -o n', 1, /own\.pub: /],
    ['head -c 9000 a.isoc >cut; "$@" sign cut --key own.key -o n', 1, /cut: /],
    ['"$@" sign a.isoc --key own.key --gpg x -o n', 2, /two signatures: run/],
    ['"$@" sign a.isoc -o n', 2, /needs --key FILE/],
    ['"$@" sign . --key own.key -o n', 2, /is a directory: only a file/],
    ['"$@" sign none.isoc --key own.key -o n', 1, /Cannot read none\.isoc/],
    ['"$@" sign a.isoc --key own.key -o a.isoc', 2, /The output is the input/],
    ['"$@" sign a.isoc --key own.key -o none/n', 1, /Cannot write none\/n/],
  ];
  for (const [line, code, message] of failing) {
    const result = await run(line);
    assert.equal(result.code, code, `${line}: ${result.stderr}`);
    assert.match(result.stderr, message, line);
    const names = [...Deno.readDirSync(path)].map(({ name }) => name);
    const left = names.filter((name) => /^\.|^n/.test(name));
    assert.deepEqual(left, [], line);
  }
});

Deno.test("a private key is its owner's alone, and is never replaced", async () => {
  await using folder = await temporary();
  const options = { cwd: folder.path, env: PASSWORD };
  const run = (line: string) => shell(line, [], options);
  const first = await run('umask 0; "$@" generate-key --json');
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(Object.keys(JSON.parse(first.stdout)), [
    ...["version", "privateKey", "publicKey", "key"],
  ]);
  const mode = async (name: string) =>
    (await Deno.stat(`${folder.path}/${name}`)).mode! & 0o7777;
  assert.equal(await mode("ciso.key"), 0o600);
  assert.equal(await mode("ciso.pub"), 0o644);
  const before = await Deno.readTextFile(`${folder.path}/ciso.key`);
  for (const remove of ["ciso.pub", "none"]) {
    const again = await run(`rm -f ${remove}; "$@" generate-key`);
    assert.equal(again.code, 1);
    assert.match(
      again.stderr,
      /ciso\.key is there already, and no key is repla/,
    );
  }
  assert.equal(await Deno.readTextFile(`${folder.path}/ciso.key`), before);
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
  assert.deepEqual(names, ["ciso.key"]);
  // The password may be empty, but must be given.
  const none = await run(
    'env -u COSIGN_PASSWORD "$@" generate-key --output-key-prefix x',
  );
  assert.match(
    none.stderr,
    /There is no password for the private key: set COSIGN/,
  );
  const empty = await run(
    'COSIGN_PASSWORD= "$@" generate-key --output-key-prefix x',
  );
  assert.equal(empty.code, 0, empty.stderr);
});

Deno.test("options that do not fit together are refused", async () => {
  await using folder = await signed();
  const lines: [line: string, message: RegExp][] = [
    [
      '"$@" verify a.isoc --signature x',
      /--signature needs the signer's key: --key/,
    ],
    [
      '"$@" convert a.isoc --signature x',
      /needs the signer's key: --verify-key or/,
    ],
    [
      '"$@" verify a.isoc b.isoc --key own.pub --signature x',
      /is for one file/,
    ],
    [
      '"$@" verify a.isoc --key own.pub --keyring x --signature x',
      /is for one of/,
    ],
    [
      '"$@" a.isoc -t x --verify-key own.pub -- /x',
      /about the image of --from/,
    ],
    [
      '"$@" convert a.isoc b --verify-key own.pub',
      /about one file, but here are/,
    ],
    [
      '"$@" convert a.isoc --rebase a.isoc a.isoc --verify-key own.pub ' +
      "--signature x",
      /--signature is for one image: put the signature of each beside it/,
    ],
    [
      '"$@" convert - --verify-key own.pub <a.isoc',
      /signature of standard input/,
    ],
    [
      '"$@" push a.isoc localhost:1/x --sign-key own.key --with-signature',
      /leave/,
    ],
    [
      '"$@" push a.isoc localhost:1/x --with-signature --compression gzip',
      /pushes layers as they were signed: leave out --compression gzip/,
    ],
  ];
  for (const [line, message] of lines) {
    // A keyring is read before its signature.
    await Deno.writeTextFile(`${folder.path}/x`, "x");
    const { code, stderr } = await folder.run(`${line} | cat`);
    assert.match(stderr, message, line);
    assert.equal(code, 2, line);
  }
});

Deno.test("Deno's permission to run gpg is named", async () => {
  await using folder = await signed();
  const command = allowing();
  const options = { cwd: folder.path, command };
  const sign = await ciso(["sign", "a.isoc", "--gpg", "me"], options);
  assert.equal(sign.code, 1);
  assert.match(
    sign.stderr,
    /Cannot run gpg: .*--allow-run=gpg|Cannot run gpg: no/,
  );
  await Deno.writeTextFile(`${folder.path}/a.isoc.asc`, "x");
  await Deno.writeTextFile(`${folder.path}/keys`, "x");
  const verify = await ciso(["verify", "a.isoc", "--keyring", "keys"], options);
  assert.equal(verify.code, 1);
  assert.match(verify.stderr, /Cannot run gpgv: /);
});
