import assert from "node:assert/strict";
import { lstatSync } from "node:fs";
import {
  denoFacts,
  denoStamp,
  fileFacts,
  type FileNumbers,
  fileStamp,
} from "../../lib/directory/file_facts.ts";

/** A plain file's numbers, and others where given. */
function numbers(some: Partial<FileNumbers> = {}): FileNumbers {
  return {
    dev: 65024n,
    ino: 2163967n,
    mode: 0o100644n,
    nlink: 1n,
    uid: 1n,
    gid: 2n,
    rdev: 0n,
    size: 5n,
    mtimeNs: 1433664550_123456789n,
    ctimeNs: 1795520541_407063326n,
    ...some,
  };
}

Deno.test("fileFacts() tells kind and permission bits", () => {
  for (
    const [mode, kind, bits] of [
      [0o100644n, "file", 0o644],
      [0o104755n, "file", 0o4755],
      [0o41777n, "directory", 0o1777],
      [0o120777n, "symlink", 0o777],
      [0o20666n, "character", 0o666],
      [0o60600n, "block", 0o600],
      [0o10640n, "fifo", 0o640],
      [0o140755n, "socket", 0o755],
    ] as const
  ) {
    const facts = fileFacts(numbers({ mode }));
    assert.equal(facts.kind, kind);
    assert.equal(facts.mode, bits);
    assert.equal(facts.size, kind === "file" ? 5 : 0);
  }
  assert.throws(() => fileFacts(numbers({ mode: 0o644n })), {
    name: "InputError",
  });
});

Deno.test("fileFacts() rounds seconds down", () => {
  for (
    const [mtimeNs, seconds, nanoseconds] of [
      [0n, 0, 0],
      [1n, 0, 1],
      [-1n, -1, 999999999],
      [-1000000000n, -1, 0],
      [-315521754_750000000n, -315521755, 250000000],
      [1433664550_123456789n, 1433664550, 123456789],
      [2n ** 62n, 4611686018, 427387904],
    ] as const
  ) {
    const facts = fileFacts(numbers({ mtimeNs }));
    assert.deepEqual([facts.seconds, facts.nanoseconds], [
      seconds,
      nanoseconds,
    ]);
  }
});

Deno.test("fileFacts() takes device numbers apart", () => {
  for (
    const [rdev, major, minor] of [
      [0x103n, 1, 3],
      [16779265n, 8, 4097],
      [4294049791n, 511, 1048575],
    ] as const
  ) {
    const facts = fileFacts(numbers({ mode: 0o20600n, rdev }));
    assert.deepEqual([facts.major, facts.minor], [major, minor]);
  }
  // Some file systems fill it in for plain files too.
  assert.equal(fileFacts(numbers({ rdev: 0x103n })).major, 0);
});

Deno.test("fileFacts() knows a file by device and inode", () => {
  const { identity } = fileFacts(numbers());
  assert.equal(
    fileFacts(numbers({ size: 6n, mode: 0o41755n })).identity,
    identity,
  );
  // Beyond what a double can tell apart.
  const large = fileFacts(numbers({ ino: 2n ** 63n })).identity;
  assert.notEqual(fileFacts(numbers({ ino: 2n ** 63n + 1n })).identity, large);
  assert.notEqual(fileFacts(numbers({ dev: 1n })).identity, identity);
});

Deno.test("fileStamp() is another number for a changed file", () => {
  const stamps = new Set([fileStamp(numbers())]);
  assert.equal(stamps.has(fileFacts(numbers({ nlink: 2n })).stamp), true);
  const changes: Partial<FileNumbers>[] = [
    { dev: 65025n },
    { ino: 2163968n },
    { mode: 0o100645n },
    { uid: 2n },
    { gid: 1n },
    { size: 6n },
    { size: 5n + 2n ** 32n },
    { mtimeNs: 1433664550_123457789n },
    { mtimeNs: 0n },
    { mtimeNs: -1433664550_123456789n },
    { ctimeNs: 1795520541_407064326n },
    // What Deno sees of another time.
    { ctimeNs: 1795520542_000000000n },
  ];
  for (const change of changes) stamps.add(fileStamp(numbers(change)));
  assert.equal(stamps.size, changes.length + 1);
});

Deno.test("denoFacts() gives what fileFacts() does of node:fs", async () => {
  const folder = await Deno.makeTempDir();
  const paths = ["/dev/null", "/", folder, `${folder}/old`, `${folder}/link`];
  await Deno.writeTextFile(paths[3]!, "x");
  await new Deno.Command("touch", { args: ["-d", "1960-01-01", paths[3]!] })
    .output();
  await Deno.symlink("old", paths[4]!);
  for (const path of paths) {
    const numbers = lstatSync(path, { bigint: true });
    const found = Deno.lstatSync(path);
    assert.deepEqual(denoFacts(found), fileFacts(numbers), path);
    assert.equal(denoStamp(found), fileStamp(numbers), path);
  }
  await Deno.remove(folder, { recursive: true });
});
