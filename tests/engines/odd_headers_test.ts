// Headers that tar programs take for different things: of what ciso makes of
// them, all have the same list of names, in the layer and below rootfs/.

import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { changedLayer } from "../../lib/rootfs/changed_layer.ts";
import { scanRootfs } from "../../lib/rootfs/scan.ts";
import { concat } from "../../lib/streams/bytes.ts";
import { temporary } from "../support/ciso.ts";
import { ignoreTrees } from "../support/every_engine.ts";
import { isInstalled, run } from "../support/run.ts";
import {
  entryOf,
  paxRecord,
  type TarEntry,
  tarOf,
} from "../support/tar_writer.ts";
import { extractAppc } from "../support/tree.ts";

const PYTHON = "import sys, tarfile\n" +
  "for m in tarfile.open(sys.argv[1]): print(m.name, m.size)";

/** Programs that list a tar: the names, and sizes where they tell them. */
const READERS: Record<string, (tar: string) => Promise<string>> = {
  tar: (tar) => run("tar", ["-tf", tar, "--quoting-style=literal"]),
  bsdtar: (tar) => run("bsdtar", ["-tf", tar]),
  busybox: (tar) => run("busybox", ["tar", "-tf", tar]),
  python3: (tar) => run("python3", ["-c", PYTHON, tar]),
};

const LAST: TarEntry = { name: "last", data: "last" };
const gnu = (type: string, data: string) =>
  entryOf({ name: "././@LongLink", type, data, dialect: "gnu" });

/** Odd entries, and the names that all see in the end, apart from `last`. */
const ODD: Record<string, [entries: (TarEntry | Uint8Array)[], names: string]> =
  {
    "a prefix that old Go wrote": [
      [{ name: "x", dialect: "gnu", prefix: "p" }],
      "p p/x",
    ],
    "GNU's times of access": [
      [{ name: "x", dialect: "gnu", raw: [[345, "12534776046\0"]] }],
      "x",
    ],
    "a prefix after a magic of its own": [
      [{ name: "x", raw: [[257, "ustar 00"]], prefix: "p" }],
      "x",
    ],
    "a prefix without a magic": [
      [{ name: "x", dialect: "v7", prefix: "p" }],
      "x",
    ],
    "star's times next to its prefix": [
      [{
        name: "x",
        prefix: "p".repeat(131),
        raw: [[476, "12534776046 12534776046 "], [508, "tar\0"]],
      }],
      `${"p".repeat(131)} ${"p".repeat(131)}/x`,
    ],
    "a long name without a NUL": [
      [gnu("L", "n".repeat(200)), { name: "x", dialect: "gnu" }],
      "n".repeat(200),
    ],
    "an empty long name": [[gnu("L", "\0"), { name: "x" }], "x"],
    "an empty path": [[{ name: "x", pax: [["path", ""]] }], "x"],
    "star's size of a file": [
      [{ name: "x", data: "x", pax: [["SCHILY.realsize", "1000"]] }],
      "x",
    ],
    "Solaris's PAX header": [
      [
        entryOf({ name: "X", type: "X", data: paxRecord("path", "real") }),
        { name: "x" },
      ],
      "real",
    ],
    "sizes without data": [
      [
        { name: "s", type: "2", link: "last", size: 4 },
        { name: "p", type: "6", size: 600 },
        { name: "c", type: "3", size: 1, device: [1, 3] },
        { name: "d/", type: "5", size: 4096, mode: 0o755 },
      ],
      "c d p s",
    ],
    "a directory of a GNU dump": [
      [{ name: "d/", type: "D", data: "Yx\0\0", mode: 0o755, dialect: "gnu" }],
      "d",
    ],
    "names that libarchive cuts": [
      [{ name: "c:\\x" }, { name: "C:y", type: "1", link: "c:\\x" }],
      "C:y c:\\x",
    ],
    "old bytes after a number": [
      [{ name: "x", raw: [[124, "00\x007777777\0 "]] }],
      "x",
    ],
  };

/** Names without what programs write in different ways, sorted. */
function tidied(listing: string): string {
  return listing.split("\n").filter(Boolean)
    // Only Python tells sizes.
    .map((line) => line.replace(/ \d+$/, ""))
    .map((line) => line.replace(/^\.\//, "").replace(/\/$/, ""))
    .map((line) => line.replaceAll("\\\\", "\\"))
    .sort().join(" ");
}

for (const [what, [entries, names]] of Object.entries(ODD)) {
  Deno.test(`All programs take a layer with ${what} for the same`, async () => {
    await using work = await temporary();
    const source = new Blob([concat([tarOf([...entries, LAST])]).slice()]);
    const { tree, changes } = await scanRootfs(source);
    assert.ok(changes.size > 0, "The input is as all take it");
    const layer = `${work.path}/layer.tar`;
    const chunks = await Array.fromAsync(changedLayer(source, tree));
    await Deno.writeFile(layer, concat(chunks));
    const wanted = [...names.split(" "), "last"].sort().join(" ");
    let asked = 0;
    for (const [program, list] of Object.entries(READERS)) {
      if (!isInstalled(program)) continue;
      assert.equal(tidied(await list(layer)), wanted, program);
      asked++;
    }
    assert.ok(asked > 0, "No program is installed that reads tars");
  });

  Deno.test({
    name: `appc's code takes a rootfs/ with ${what} as all others do`,
    ignore: ignoreTrees,
    async fn() {
      await using work = await temporary();
      const source = new Blob([concat([tarOf([...entries, LAST])]).slice()]);
      const archive = `${work.path}/x.isoc`;
      const isoc = await build(source, {
        names: ["isoc/odd"],
        command: ["/last"],
        created: 0,
      }, { faces: ["appc"] });
      await Deno.writeFile(archive, isoc.stream());
      await using tree = await extractAppc(archive);
      const listing = await run("find", [tree.root, "-mindepth", "1"]);
      assert.equal(
        tidied(listing.replaceAll(`${tree.root}/`, "")),
        [...names.split(" "), "last"].sort().join(" "),
      );
    },
  });
}
