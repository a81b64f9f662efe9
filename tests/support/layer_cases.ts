// Stacks of layers, and what they make together.

import {
  device,
  directory,
  file,
  hardLink,
  symlink,
  whiteout,
} from "./stack_entries.ts";
import type { TarEntry } from "./tar_writer.ts";

/** A merged /usr, as all distributions have it now. */
const MERGED = [
  directory("usr/"),
  directory("usr/bin/"),
  file("usr/bin/a", "a", 0o755),
  symlink("bin", "usr/bin"),
];

/** Stacks of layers, what paths they come to, and why a layer is changed. */
export const CASES: Record<string, {
  layers: TarEntry[][];
  paths: string;
  /** The reasons, with blanks between them. */
  changed?: string;
  /** umoci refuses the input, or goes by the order of its entries. */
  notLikeUmoci?: boolean;
}> = {
  "a replaced file": {
    layers: [[file("f", "old, and longer"), file("g")], [file("f", "new")]],
    paths: "f g",
  },
  "a deleted file": {
    layers: [[file("f"), file("g")], [whiteout(".wh.f")]],
    paths: "g",
  },
  "a deleted directory with all that is in it": {
    layers: [
      [
        directory("d/"),
        directory("d/s/"),
        file("d/s/x"),
        file("d/y"),
        file("z"),
      ],
      [whiteout(".wh.d")],
    ],
    paths: "z",
  },
  "an opaque directory": {
    layers: [
      [directory("d/"), directory("d/s/"), file("d/s/x"), file("d/y")],
      [directory("d/", 0o711), whiteout("d/.wh..wh..opq"), file("d/new")],
    ],
    paths: "d d/new",
  },
  "an opaque marker after new files": {
    layers: [
      [directory("d/"), file("d/y")],
      [directory("d/"), file("d/new"), whiteout("d/.wh..wh..opq")],
    ],
    paths: "d d/new",
  },
  "one of two hard links deleted": {
    layers: [
      [file("a", "shared"), hardLink("b", "a"), hardLink("c", "a")],
      [whiteout(".wh.a")],
    ],
    paths: "b c",
  },
  "one of two hard links replaced": {
    layers: [
      [file("a", "shared"), hardLink("b", "a"), hardLink("c", "b")],
      [file("b", "alone")],
      [file("a", "too")],
    ],
    paths: "a b c",
  },
  "a directory replaced by a file and back": {
    layers: [
      [directory("d/"), file("d/x")],
      [file("d", "file")],
      [directory("d/"), file("d/y")],
    ],
    paths: "d d/y",
  },
  "a directory replaced by a symlink": {
    layers: [
      [directory("d/"), file("d/x"), directory("e/"), file("e/y")],
      [symlink("d", "e")],
    ],
    paths: "d e e/y",
  },
  "another mode and owner of a directory": {
    layers: [
      [directory("d/"), file("d/x"), directory("d/e/"), file("d/e/y")],
      [directory("d/", 0o2770, 5)],
    ],
    paths: "d d/e d/e/y d/x",
  },
  "another mode and owner of a directory, in a layer with no more": {
    layers: [[directory("d/", 0o700, 1)], [directory("d/", 0o1777, 2)], [
      file("z"),
    ]],
    paths: "d z",
  },
  "files below a symlink to a directory": {
    layers: [MERGED, [
      file("bin/b"),
      file("bin/c"),
      hardLink("bin/d", "bin/b"),
    ]],
    paths: "bin usr usr/bin usr/bin/a usr/bin/b usr/bin/c usr/bin/d",
    changed: "moved-entries",
  },
  "files below a symlink, in a directory without an entry": {
    layers: [
      [directory("a/"), directory("c/"), symlink("a/b", "../c")],
      [file("a/b/new")],
    ],
    paths: "a a/b c c/new",
    changed: "moved-entries",
  },
  "files below a chain of symlinks": {
    layers: [
      [directory("a/"), directory("a/b/"), symlink("l", "m"), file("a/b/c")],
      [symlink("m", "a/../a")],
      [file("l/b/d"), directory("l/b/e/"), whiteout("l/b/.wh.c")],
    ],
    paths: "a a/b a/b/d a/b/e l m",
    changed: "moved-entries",
  },
  "a deletion below a symlink": {
    layers: [MERGED, [whiteout("bin/.wh.a"), file("bin/b")]],
    paths: "bin usr usr/bin usr/bin/b",
    changed: "moved-entries",
  },
  "a directory in place of a symlink": {
    layers: [MERGED, [directory("bin/", 0o711), file("bin/b")]],
    paths: "bin bin/b usr usr/bin usr/bin/a",
  },
  "a symlink deleted, and files where it was": {
    layers: [MERGED, [whiteout(".wh.bin"), file("bin/b")]],
    paths: "bin bin/b usr usr/bin usr/bin/a",
    changed: "whiteouts missing-directories",
  },
  "a layer's own symlink to a lower directory": {
    layers: [
      MERGED,
      [symlink("sbin", "usr/bin"), file("sbin/b"), hardLink("c", "sbin/b")],
    ],
    paths: "bin c sbin usr usr/bin usr/bin/a usr/bin/b",
    changed: "moved-entries",
  },
  "an empty layer between two, twice": {
    layers: [[file("a")], [], [file("b")], []],
    paths: "a b",
  },
  "the same layer twice": {
    layers: [[file("a"), directory("d/")], [whiteout(".wh.a")], [
      file("a"),
      directory("d/"),
    ]],
    paths: "a d",
  },
  "a directory deleted and made anew": {
    layers: [
      [directory("d/", 0o700), file("d/old"), directory("d/s/"), file("d/s/x")],
      [whiteout(".wh.d"), directory("d/"), file("d/new")],
    ],
    paths: "d d/new",
    changed: "whiteouts",
  },
  "a directory deleted and made anew without an entry": {
    layers: [
      [directory("d/", 0o700), file("d/old")],
      [whiteout(".wh.d"), file("d/new")],
    ],
    paths: "d d/new",
    changed: "whiteouts missing-directories",
  },
  "deletions after what takes their place": {
    layers: [
      [directory("d/", 0o700), file("d/old"), file("f", "old")],
      [file("d/new"), file("f", "new"), whiteout(".wh.f"), whiteout(".wh.d")],
    ],
    paths: "d d/new f",
    changed: "whiteouts",
    notLikeUmoci: true,
  },
  "deletions of overlayfs": {
    layers: [
      [directory("d/"), file("d/x"), directory("e/"), file("e/y"), file("f")],
      [device("f", 0, 0), device("d", 0, 0), {
        ...directory("e/"),
        pax: [["SCHILY.xattr.trusted.overlay.opaque", "y"]],
      }],
    ],
    paths: "e",
    changed: "overlay-whiteouts overlay-attributes",
    notLikeUmoci: true,
  },
  "a deletion below a new file, before and after it": {
    layers: [
      [directory("d/"), file("d/x"), directory("e/"), file("e/y")],
      [
        file("d", "file"),
        whiteout("d/.wh.x"),
        whiteout("e/.wh.y"),
        file("e", "file"),
      ],
    ],
    paths: "d e",
    changed: "whiteouts",
    notLikeUmoci: true,
  },
  "deletions of what is not there": {
    layers: [
      [directory("d/"), file("d/f")],
      [whiteout(".wh.x"), whiteout("q/.wh.y"), whiteout("d/.wh.z")],
    ],
    paths: "d d/f q",
    changed: "whiteouts missing-directories",
    // umoci leaves out the directory q.
    notLikeUmoci: true,
  },
  "deletions in the lowest layer": {
    layers: [[file("a"), whiteout(".wh.b"), whiteout("q/.wh.c")], [file("d")]],
    paths: "a d q",
    changed: "whiteouts missing-directories",
    notLikeUmoci: true,
  },
  "a directory over a deleted file, its entry last": {
    layers: [
      [file("d", "file")],
      [whiteout(".wh.d"), file("d/new"), directory("d/", 0o711)],
    ],
    paths: "d d/new",
    changed: "whiteouts",
  },
  "a hard link to a symlink, its first path deleted": {
    layers: [
      [symlink("s", "x"), { ...hardLink("t", "s"), mode: 0o777 }, file("x")],
      [whiteout(".wh.s")],
    ],
    paths: "t x",
  },
  "directories without entries": {
    layers: [
      [
        directory("tmp/", 0o1777, 7),
        directory("own/", 0o2750, 8),
        file("own/f"),
      ],
      [file("tmp/x"), file("own/g"), file("new/er/h")],
    ],
    paths: "new new/er new/er/h own own/f own/g tmp tmp/x",
    changed: "missing-directories",
  },
  "an opaque marker in a directory without an entry": {
    layers: [
      [directory("own/", 0o2750, 8), file("own/f")],
      [whiteout("own/.wh..wh..opq"), file("own/g")],
    ],
    paths: "own own/g",
    changed: "missing-directories",
  },
  "names that are no UTF-8, and long ones": {
    layers: [
      [
        directory("caf\xe9/"),
        file("caf\xe9/\xff"),
        file("caf\xe9/gone"),
        {
          ...file("long"),
          longName: `caf\xe9/${"l".repeat(200)}`,
          dialect: "gnu",
        },
      ],
      [
        file("caf\xe9/\xff", "new"),
        whiteout("caf\xe9/.wh.gone"),
        {
          ...whiteout("x"),
          pax: [["path", `caf\xe9/.wh.${"l".repeat(200)}`]],
        },
      ],
    ],
    paths: "caf\xe9 caf\xe9/\xff",
  },
  "types that Docker refuses": {
    layers: [
      [file("a"), { ...file("b"), type: "7" }],
      [{ ...file("a", "new"), type: "7" }],
    ],
    paths: "a b",
    changed: "entry-types",
    notLikeUmoci: true,
  },
};
