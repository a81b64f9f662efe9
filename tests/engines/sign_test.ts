// Signatures made here are right for gpg, gpgv and cosign, and the other way round.
import assert from "node:assert/strict";
import { CISO, shell, temporary } from "../support/ciso.ts";
import {
  missingForRegistry,
  startRegistry,
} from "../support/docker_registry.ts";
import { flippedFiles } from "../support/flipped_files.ts";
import { isocOf } from "../support/isoc_parts.ts";
import { assertNothingMissing, bundleRuntimes } from "../support/runtimes.ts";
import { required } from "../support/required.ts";
import { isInstalled } from "../support/run.ts";

const missing = ["gpg", "gpgv", "gpg-connect-agent", "faketime"].find(
  (program) => !isInstalled(program),
);
if (missing !== undefined && required.includes("gpg")) {
  throw new Error(`${missing} is not installed, but gpg is required`);
}
const ignore = missing !== undefined;

const isoc = await isocOf();

/** ciso with the network and with programs. */
const command = [...CISO.slice(0, 3), "-A", ...CISO.slice(3)].filter((word) =>
  !/^--allow/.test(word)
);

/** A directory with a.isoc and, in home/, a gpg with keys of its own. */
async function folderWithGpg() {
  const folder = await temporary();
  const cwd = folder.path;
  await Deno.writeFile(`${cwd}/a.isoc`, isoc);
  await Deno.mkdir(`${cwd}/home`, { mode: 0o700 });
  const env = { GNUPGHOME: `${cwd}/home`, COSIGN_PASSWORD: "pw" };
  const run = async (line: string, code = 0) => {
    const result = await shell(`set -e\n${line}`, [], { command, cwd, env });
    assert.equal(
      result.code,
      code,
      `${line}: ${result.stdout}${result.stderr}`,
    );
    return result;
  };
  return {
    run,
    path: cwd,
    async [Symbol.asyncDispose]() {
      if (!ignore) await run("gpgconf --kill all");
      await folder[Symbol.asyncDispose]();
    },
  };
}

const newKey = (name: string, algorithm = "rsa2048", expires = "never") =>
  `gpg -q --batch --passphrase '' --quick-gen-key '${name} <${name}@example.org>' ` +
  `${algorithm} sign ${expires} && gpg --export ${name}@example.org >${name}.gpg\n`;

Deno.test({
  name:
    "gpg and gpgv take what ciso has gpg sign, and refuse each changed file",
  ignore,
  async fn() {
    await using folder = await folderWithGpg();
    const { run, path } = folder;
    await run(newKey("ann") + newKey("ed", "ed25519"));
    await run("gpg --armor --export ann@example.org >ann.asc");
    for (const name of ["ann", "ed"]) {
      const { stdout } = await run(`
        "$@" sign a.isoc --gpg ${name}@example.org
        gpg -q --verify a.isoc.asc a.isoc
        gpgv -q --keyring ./${name}.gpg a.isoc.asc a.isoc
        "$@" verify a.isoc --keyring ${name}.gpg
        cat a.isoc | "$@" verify -q --keyring ${name}.gpg --signature a.isoc.asc
        "$@" convert a.isoc --verify-keyring ${name}.gpg -o out && cmp out a.isoc
        mv a.isoc.asc ${name}.sig
      `);
      assert.match(
        stdout,
        new RegExp(
          `^a\\.isoc: signed by ${name} <${name}@example\\.org>, key ` +
            "[0-9A-F]{40}, on \\d{4}-\\d\\d-\\d\\d \\(a\\.isoc\\.asc\\)$",
          "m",
        ),
      );
    }
    // By an armoured keyring, and with a signature of somebody else beside it.
    await run(`
      "$@" verify -q a.isoc --keyring ann.asc --signature ann.sig
      gpg -q --dearmor <ann.sig >both && gpg -q --dearmor <ed.sig >>both
      "$@" verify -q a.isoc --keyring ann.asc --signature both
    `);
    const names = [];
    const signature = await Deno.readFile(`${path}/ann.sig`);
    let i = 0;
    for await (const { name, bytes } of flippedFiles(isoc)) {
      // Each takes a process.
      if (i++ % 10 !== 0) continue;
      await Deno.writeFile(`${path}/${name}`, bytes);
      await Deno.writeFile(`${path}/${name}.asc`, signature);
      names.push(name);
    }
    const line = `"$@" verify --json --keyring ann.gpg ${names.join(" ")}`;
    const { images } = JSON.parse((await run(line, 1)).stdout);
    assert.equal(images.length, names.length);
    for (const { file, error } of images) {
      assert.match(error, /It is no signature of this file by the key/, file);
    }
  },
});

Deno.test({
  name: "each fault of an OpenPGP signature has its line",
  ignore,
  async fn() {
    await using folder = await folderWithGpg();
    const { run } = folder;
    await run(newKey("ann") + newKey("bob"));
    await run(`
      # Made long ago, for a year.
      export -f
      faketime 2020-01-01 bash -c "$KEY"
      faketime 2020-02-01 gpg -q -ab -u old@example.org -o old.asc a.isoc
      "$@" sign a.isoc --gpg bob@example.org -o bob.asc
      home=home/openpgp-revocs.d
      id=$(gpg --list-keys --with-colons bob@example.org | sed -n 's/^fpr:*\\([^:]*\\):/\\1/p')
      sed -i 's/^:---/---/' $home/$id.rev
      gpg -q --batch --import $home/$id.rev
      gpg --export bob@example.org >revoked.gpg
      "$@" sign a.isoc --gpg ann@example.org
      gpg -q --batch -s -u ann@example.org -o inline.asc a.isoc
      cp a.isoc b.isoc && printf x >>b.isoc && cp a.isoc c.isoc
      head -c 200 a.isoc.asc >cut.asc
      sed 's/^iQ/iR/' a.isoc.asc >odd.asc
      : >empty
    `.replace(
      "export -f",
      `KEY=${quoted(newKey("old", "rsa2048", "2021-01-01"))}`,
    ));
    const cases: [args: string, message: RegExp][] = [
      [
        "a.isoc --keyring bob.gpg",
        /with the key "[0-9A-F]{16}", which is not in the/,
      ],
      [
        "c.isoc --keyring ann.gpg",
        /c\.isoc is not signed: there is no c\.isoc\.asc/,
      ],
      [
        "b.isoc --keyring ann.gpg --signature a.isoc.asc",
        /no signature of this fi/,
      ],
      [
        "a.isoc --keyring old.gpg --signature old.asc",
        /that made it has expired/,
      ],
      [
        "a.isoc --keyring revoked.gpg --signature bob.asc",
        /made it has been revok/,
      ],
      [
        "a.isoc --keyring ann.gpg --signature cut.asc",
        /no signature of OpenPGP, or/,
      ],
      ["a.isoc --keyring ann.gpg --signature odd.asc", /odd\.asc: /],
      ["a.isoc --keyring ann.gpg --signature inline.asc", /inline\.asc: /],
      [
        "a.isoc --keyring ann.gpg --signature a.isoc",
        /no signature of OpenPGP, or/,
      ],
      [
        "a.isoc --keyring ann.gpg --signature empty",
        /It has 0 bytes, so it is no/,
      ],
      ["a.isoc --keyring empty", /empty: It is empty: it holds no key/],
      [
        "a.isoc --keyring a.isoc",
        /which is not in the keyring|gpgv does not take/,
      ],
    ];
    for (const [args, message] of cases) {
      const { stderr } = await run(`"$@" verify ${args}`, 1);
      assert.match(stderr, message, args);
    }
    const signing: [key: string, message: RegExp][] = [
      [
        "nobody@example.org",
        /"nobody@example.org": there is no private key of th/,
      ],
      [
        "old@example.org",
        /"old@example.org": it has expired, is revoked or is/,
      ],
      [
        "bob@example.org",
        /"bob@example.org": it has expired, is revoked or is/,
      ],
    ];
    for (const [key, message] of signing) {
      const line = `"$@" sign a.isoc --gpg ${key} -o none.asc`;
      const { stderr } = await run(line, 1);
      assert.match(stderr, message);
    }
    await run("! test -e none.asc");
  },
});

Deno.test({
  name: "each runtime has gpg sign and gpgv check",
  ignore,
  async fn() {
    await using folder = await folderWithGpg();
    const { run, path } = folder;
    await run(newKey("ann"));
    for (const runtime of await bundleRuntimes(["--allow-run=gpg,gpgv"])) {
      assertNothingMissing(runtime);
      const { code, stderr } = await shell(
        `set -e
        "$@" sign a.isoc --gpg ann@example.org -q --force
        gpgv -q --keyring ./ann.gpg a.isoc.asc a.isoc
        "$@" export a.isoc --as oci --verify-keyring ann.gpg -o out
        cat a.isoc | "$@" verify -q --keyring ann.gpg --signature a.isoc.asc
        ! "$@" sign a.isoc --gpg nobody -o none
        ! echo x | "$@" verify -q - --keyring ann.gpg --signature a.isoc.asc
        ! test -e none`,
        [],
        {
          command: runtime.command,
          cwd: path,
          env: { ...runtime.env, GNUPGHOME: `${path}/home` },
        },
      );
      assert.equal(code, 0, `${runtime.name}: ${stderr}`);
      assert.match(stderr, /"nobody": there is no private key of that name/);
    }
  },
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

Deno.test({
  name: "a file that changes after its check is not what is used",
  ignore,
  async fn() {
    await using folder = await folderWithGpg();
    const { run, path } = folder;
    // A gpgv that says what the real one says, and then changes the image.
    await Deno.mkdir(`${path}/bin`);
    await Deno.writeTextFile(
      `${path}/bin/gpgv`,
      `#!/bin/sh
/usr/bin/gpgv "$@"; code=$?
cat ${path}/evil >${path}/a.isoc; exit $code
`,
      { mode: 0o755 },
    );
    await run(
      newKey("ann") + `"$@" sign a.isoc --gpg ann@example.org
      "$@" export a.isoc --as oci -o good
      "$@" convert a.isoc -t evil/evil -o evil
      cp a.isoc copy`,
    );
    for (const use of ["export a.isoc --as oci", "convert a.isoc"]) {
      const { stdout } = await run(`
        cat copy >a.isoc
        PATH=$PWD/bin:$PATH "$@" ${use} --verify-keyring ann.gpg -o out
        cmp a.isoc evil
        ${use.startsWith("export") ? "cmp out good" : "cmp out copy"}
      `);
      assert.equal(stdout, "");
    }
  },
});

/** cosign is on PATH, or in Debian sid's tree, which scripts/engines-sid makes. */
function cosignProgram(): string | undefined {
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    `${Deno.env.get("HOME")}/.cache`;
  const places = [
    ...(Deno.env.get("PATH") ?? "").split(":"),
    `${cache}/isoc/sid/usr/bin`,
  ];
  return places.map((place) => `${place}/cosign`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

const cosign = cosignProgram();
const noCosign = cosign === undefined ? "cosign" : missingForRegistry();

Deno.test({
  name: "cosign and ciso take each other's keys and signatures",
  ignore: noCosign !== undefined,
  async fn() {
    await using folder = await folderWithGpg();
    const { run, path } = folder;
    await Deno.writeFile(
      `${path}/b.isoc`,
      await isocOf(undefined, { architecture: "arm64" }),
    );
    await using registry = await startRegistry({ work: path });
    const name = `${registry.host}/me/app`;
    const verify = "cosign verify --insecure-ignore-tlog --allow-http-registry";
    const offline = "--yes --use-signing-config=false --tlog-upload=false";
    await Deno.mkdir(`${path}/bin`);
    await Deno.symlink(cosign!, `${path}/bin/cosign`);
    await run(`
      PATH=$PWD/bin:$PATH
      cosign generate-key-pair 2>/dev/null; "$@" generate-key -q
      for key in cosign ciso; do
        "$@" sign a.isoc --key $key.key -o $key.json
        cosign verify-blob --insecure-ignore-tlog --key $key.pub --bundle $key.json a.isoc
        cosign sign-blob ${offline} --key $key.key --bundle blob.json a.isoc
        "$@" verify -q a.isoc --key $key.pub --signature blob.json
        cosign sign-blob ${offline} --new-bundle-format=false --key $key.key \\
          --output-signature blob.sig --bundle old.json a.isoc
        "$@" verify -q a.isoc --key $key.pub --signature blob.sig
        "$@" verify -q a.isoc --key $key.pub --signature old.json
        "$@" push -q a.isoc ${name}:$key --sign-key $key.key
      done
      ! cosign verify-blob --insecure-ignore-tlog --key ciso.pub --bundle cosign.json a.isoc
      for key in cosign ciso; do
        # Both have signed the same digest, beside each other.
        ${verify} --key $key.pub ${name}:ciso
        ${verify} --new-bundle-format=false --key $key.pub ${name}:ciso
        "$@" pull -q ${name}:ciso --verify-key $key.pub -o out
      done
      "$@" push -q a.isoc ${name}:kept --with-signature --signature ciso.json
      ${verify} --key ciso.pub ${name}:kept
      ${verify} --new-bundle-format=false --key ciso.pub ${name}:kept
      ! "$@" pull ${name}:kept --verify-key cosign.pub -o none
      for bundle in true false; do
        "$@" push -q a.isoc ${name}-$bundle
        ! "$@" pull ${name}-$bundle --verify-key cosign.pub -o none
        cosign sign ${offline} --allow-http-registry --new-bundle-format=$bundle \\
          --key cosign.key ${name}-$bundle
        "$@" pull -q ${name}-$bundle --verify-key cosign.pub -o out
        ! "$@" pull ${name}-$bundle --verify-key ciso.pub -o none
      done
      ! test -e none
      "$@" join a.isoc b.isoc -t me/both -o both.isoc
      "$@" push -q both.isoc ${name}-both --all-platforms --sign-key ciso.key
      ${verify} --key ciso.pub ${name}-both
      ${verify} --new-bundle-format=false --key ciso.pub ${name}-both
      "$@" pull -q ${name}-both --platform all --verify-key ciso.pub -o out
      "$@" sign both.isoc --key ciso.key
      ! "$@" push both.isoc ${name}-none --all-platforms --with-signature
    `);
  },
});
