// A tree as GNU find prints it, of real files.

import assert from "node:assert/strict";
import { denoFacts, fileStamp } from "../../lib/directory/file_facts.ts";
import { UNKNOWN_STAMP } from "../../lib/directory/found_facts.ts";
import { FoundTree } from "../../lib/directory/found_tree.ts";
import { findTree } from "../../lib/directory/gnu_find.ts";
import { asciiText, utf8 } from "../../lib/streams/bytes.ts";
import { temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";

const ignore = Deno.build.os !== "linux";

/** All paths of a tree, in its order, each with its node. */
function* paths(
  tree: FoundTree,
  node = 0,
  above = "",
): Generator<[path: string, node: number]> {
  for (const child of tree.children(node)) {
    const path = `${above}${new TextDecoder().decode(tree.name(child))}`;
    yield [path, child];
    yield* paths(tree, child, `${path}/`);
  }
}

Deno.test({
  name: "findTree() says of each file what Deno does",
  ignore,
  async fn() {
    await using folder = await temporary();
    const root = `${folder.path}/tree`;
    await Deno.mkdir(root);
    await run("sh", [
      "-ec",
      `cd "$0"; mkdir -p "a b/c" "a b/é/x" d; echo text >"a b/f"; mkfifo p
      : >d-e; : >d.f; ln "a b/f" link; ln -s "a b/f" symlink; chmod 4711 d.f
      touch -d @1433664550.987654321 "a b/f"; touch -d 1960-01-01T00:00:00.5Z old
      printf '' >'new
line'; chmod 1777 d`,
      root,
    ]);
    using _socket = Deno.listen({ transport: "unix", path: `${root}/s` });
    const tree = await findTree(root);
    assert.equal(tree.hasGaps, false);
    const found = [...paths(tree)];
    assert.deepEqual(found.map(([path]) => path), [
      ...["a b", "a b/c", "a b/f", "a b/é", "a b/é/x", "d", "d-e", "d.f"],
      ...["link", "new\nline", "old", "p", "s", "symlink"],
    ]);
    assert.equal(tree.length, found.length + 1);
    for (const [path, node] of found) {
      const numbers = Deno.lstatSync(`${root}/${path}`);
      const { nanoseconds, ...facts } = tree.facts(node)!;
      const expected: Partial<typeof facts & { nanoseconds: number }> =
        denoFacts(numbers);
      if (path === "old") {
        assert.equal(facts.stamp, UNKNOWN_STAMP);
        assert.equal(facts.seconds, -315619200);
        assert.equal(nanoseconds, 500000000);
        continue;
      }
      assert.equal(Math.floor(nanoseconds / 1e6) * 1e6, expected.nanoseconds);
      delete expected.nanoseconds;
      assert.deepEqual(facts, expected, path);
      const target = path === "symlink" ? "a b/f" : "";
      assert.equal(asciiText(tree.target(node)), target, path);
    }
    const file = found.find(([path]) => path === "a b/f")![1];
    assert.equal(tree.facts(file)!.nanoseconds, 987654321);
  },
});

Deno.test("FoundTree takes numbers that a double cannot hold", () => {
  const tree = new FoundTree();
  const add = (text: string) => tree.add(utf8(text));
  const times = "1.5000000000 2.0000000000";
  assert.ok(add(`0/./d 755 0 0 60 ${times} 39 1 3\0`));
  const [a, b] = ["9223372036854775809", "9223372036854775810"];
  assert.ok(add(`1/a/f 644 4294967294 7 5 ${times} 39 ${a} 2\0`));
  assert.ok(add(`1/b/f 644 0 0 5 ${times} 39 ${b} 2\0`));
  const facts = tree.children(0).map((node) => tree.facts(node)!);
  assert.equal(facts[0]!.uid, 4294967294);
  assert.notEqual(facts[0]!.identity, facts[1]!.identity);
  // As Deno rounds it: a sum of rounded digits is another number.
  assert.equal(
    facts[0]!.stamp,
    fileStamp({
      ...{ dev: 39, ino: Number(a), mode: 0o100644, size: 5 },
      ...{ uid: 4294967294, gid: 7, mtimeNs: 1.5e9, ctimeNs: 2e9 },
    }),
  );
});

Deno.test("FoundTree refuses what GNU find does not print", () => {
  const times = "1.5000000000 2.0000000000";
  for (
    const text of [
      "",
      "x",
      "./a",
      "1/a/f 644",
      `-1/./d 755 0 0 60 ${times} 39 1 3\0`,
    ]
  ) assert.equal(new FoundTree().add(utf8(text)), false, text);
  for (
    const text of [
      "0/./d\0",
      "0/./d 755 0 0 60\0",
      `0/./? 755 0 0 60 ${times} 39 1 3\0`,
      `0/./d 755 0 0 x ${times} 39 1 3\0`,
    ]
  ) {
    const tree = new FoundTree();
    assert.ok(tree.add(utf8(text)));
    assert.equal(tree.facts(0), undefined, text);
  }
  const tree = new FoundTree();
  assert.ok(tree.add(utf8(`0/./d 755 0 0 60 ${times} 39 1 3\0`)));
  // A directory has not come.
  assert.equal(tree.add(utf8(`2/a/f 755 0 0 60 ${times} 39 1 3\0`)), false);
  assert.equal(tree.add(utf8(`0/b/f 755 0 0 60 ${times} 39 1 3\0`)), false);
});
