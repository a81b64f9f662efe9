// scripts/engines runs every engine of this machine on one archive and reports
// how each did. Those of Debian sid (--sid) are not for a test: too much to load.
//
// An engine that CISO_REQUIRE_ENGINES lists ("docker podman …") has to run.

import assert from "node:assert/strict";
import { CISO, ROOT } from "../support/ciso.ts";
import { required } from "../support/required.ts";

/** A row of the matrix, as in scripts/engines. */
interface Row {
  system: string;
  engine: string;
  name: string;
  archive: string;
  version: string;
  faces: string[];
  loaded: boolean;
  ran: boolean;
  seconds: number;
  reason: string;
  present: boolean;
}

/** What engines with but one way to take an archive take of it. */
const FACES: Record<string, string> = {
  docker: "docker",
  containerd: "oci",
  umoci: "oci",
  runc: "bundle",
  nspawn: "bundle",
  lxd: "lxd",
  rkt: "appc",
};
const TEXT = "make container not war";
const directory = await Deno.makeTempDir({ prefix: "isoc-matrix-test-" });
const archive = `${directory}/busybox.isoc`;

/** Runs a command; returns its exit status and what it said of an error. */
async function run(command: string, ...args: string[]) {
  const { code, stderr } = await new Deno.Command(command, {
    args,
    stdin: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** Runs scripts/engines; returns its exit status and its rows. */
async function engines(...args: string[]) {
  const json = `${directory}/rows.json`;
  const { code, stderr } = await run(
    `${ROOT}/scripts/engines`,
    ...["--json", json],
    ...args,
  );
  assert.ok(code === 0 || code === 1, stderr);
  const rows: Row[] = JSON.parse(await Deno.readTextFile(json));
  return { code, rows };
}

const { code, stderr } = await run(
  `${ROOT}/scripts/rootfs`,
  ...["busybox", "--check"],
);
const obstacle = code === 77 ? stderr.trim() : "";
const ignore = obstacle !== "" && required.length === 0;
const reason = ignore ? ` (${obstacle})` : "";

Deno.test.beforeAll(async () => {
  if (ignore) return;
  const rootfs = `${directory}/busybox.tar`;
  const made = [
    await run(`${ROOT}/scripts/rootfs`, "busybox", rootfs),
    await run(
      ...CISO as [string, ...string[]],
      ...[rootfs, "-t", "isoc/hello:1.0", "-o", archive],
      ...["--", "/bin/echo", ...TEXT.split(" ")],
    ),
  ];
  for (const { code, stderr } of made) assert.equal(code, 0, stderr);
});

Deno.test.afterAll(() => Deno.remove(directory, { recursive: true }));

Deno.test({
  name:
    `engines has each required engine load and run its face of an archive${reason}`,
  ignore,
  fn: async () => {
    const markdown = `${directory}/rows.md`;
    const { code, rows } = await engines(
      ...["--markdown", markdown],
      archive,
      TEXT,
    );
    // They load no images: appc's code reads trees, gpg signs, a registry keeps.
    const withRow = required.filter((name) =>
      !["appc", "gpg", "registry"].includes(name)
    );
    for (const engine of withRow) {
      const row = rows.find((row) => row.engine === engine);
      assert.ok(row, `there is no row for ${engine}`);
      assert.ok(row.loaded, `${engine} did not load it: ${row.reason}`);
      assert.ok(row.ran, `${engine} did not run it: ${row.reason}`);
      // Another archive, of several platforms.
      const other = rows.find((row) => row.engine === `platform-${engine}`);
      assert.ok(other?.ran ?? true, `${engine}: ${other?.reason}`);
    }
    const chosen = rows.filter(({ ran, archive }) =>
      ran && archive === "platforms"
    );
    assert.ok(
      ["containerd", "podman", "buildah", "skopeo"].every((engine) =>
        !withRow.includes(engine) ||
        chosen.some((row) => row.engine === `platform-${engine}`)
      ),
      `${chosen.map(({ engine }) => engine)}`,
    );
    const table = await Deno.readTextFile(markdown);
    for (const row of rows) {
      if (!row.ran) {
        assert.notEqual(row.reason, "", `no reason why ${row.engine} failed`);
        continue;
      }
      assert.equal(row.reason, "");
      assert.ok(row.loaded && row.present && row.seconds > 0);
      assert.match(row.version, /^v?\d/);
      const face = FACES[row.engine];
      if (face) assert.deepEqual(row.faces, [face]);
      assert.ok(row.faces.length > 0, `${row.engine} took no face`);
      assert.ok(table.includes(`| ${row.name} | ${row.version} |`));
    }
    assert.equal(code, rows.some((row) => row.present && !row.ran) ? 1 : 0);
  },
});

Deno.test({
  name:
    `every required engine loads an archive with the face containerd${reason}`,
  ignore,
  fn: async () => {
    const viewed = `${directory}/viewed.isoc`;
    const options = ["--faces", "all,containerd", "-o", viewed];
    const made = await run(
      ...CISO as [string, ...string[]],
      ...[`${directory}/busybox.tar`, "-t", "isoc/hello:1.0", ...options],
      ...["--", "/bin/echo", ...TEXT.split(" ")],
    );
    assert.equal(made.code, 0, made.stderr);
    const names = "docker,containerd,podman,rkt".split(",");
    const only = ["--only", names.join()];
    const { rows } = await engines(...only, viewed, TEXT);
    for (const engine of names.filter((name) => required.includes(name))) {
      const row = rows.find((row) => row.engine === engine);
      assert.ok(row?.ran, `${engine}: ${row?.reason}`);
    }
    assert.ok(rows.every(({ ran, present }) => ran || !present));
  },
});

Deno.test({
  name: `engines tells an image that ran wrong from one that ran${reason}`,
  ignore,
  fn: async () => {
    const { code, rows: [row] } = await engines(
      ...["--only", "runc"],
      ...[archive, `${TEXT}!`],
    );
    assert.ok(row);
    if (!row.present && !required.includes("runc")) return;
    assert.equal(code, 1);
    assert.ok(row.loaded && !row.ran);
    assert.match(row.reason, /^wrong: expected /);
  },
});

Deno.test({
  name: `engines fails when an engine is there and does not start${reason}`,
  ignore: ignore || Deno.uid() !== 0,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "isoc-broken-" });
    // A containerd that ends at once, and whose client is there.
    await Deno.writeTextFile(`${folder}/containerd`, "#!/bin/sh\nexit 1\n", {
      mode: 0o755,
    });
    await Deno.writeTextFile(`${folder}/ctr`, "#!/bin/sh\nexit 1\n", {
      mode: 0o755,
    });
    const path = Deno.env.get("PATH")!;
    try {
      Deno.env.set("PATH", `${folder}:${path}`);
      const { code, rows: [row] } = await engines(
        ...["--only", "containerd"],
        ...[archive, TEXT],
      );
      assert.ok(row && row.present && !row.ran);
      assert.match(row.reason, /did not start/);
      assert.equal(code, 1);
    } finally {
      Deno.env.set("PATH", path);
      await Deno.remove(folder, { recursive: true });
    }
  },
});
