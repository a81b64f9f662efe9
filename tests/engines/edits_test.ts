// Each edit against the same edit done by hand, with GNU tar: every engine must
// make the same tree of both.

import assert from "node:assert/strict";
import { allowing, ciso, temporary } from "../support/ciso.ts";
import {
  checkEngines,
  dockerForAll,
  ignoreTrees,
} from "../support/every_engine.ts";
import { withContainerdRoot, withPodmanRoot } from "../support/image_roots.ts";
import { isInstalled, run } from "../support/run.ts";
import {
  diffTrees,
  extractGnu,
  listTree,
  type TreeOptions,
} from "../support/tree.ts";
import { paxHeader, type TarEntry, tarOf } from "../support/tar_writer.ts";

const ODD = `${import.meta.dirname}/../support/odd_tree.py`;
const TAR =
  "tar --xattrs --xattrs-include='*' --acls --numeric-owner --force-local";

/** An edit, and the same done by hand. */
interface Case {
  name: string;
  /** What ciso is given besides an image's name and command. */
  args: string[];
  /** Commands for the shell that make the tree, unless it is the usual one. */
  from?: string;
  /** Commands for the shell, in a copy of the tree. */
  hand?: string;
  /** Options for the tar that is made of it. */
  tar?: string;
  /** What cannot be compared. */
  options?: TreeOptions;
}

const CASES: Case[] = [
  {
    name: "--exclude and --remove",
    args: [
      ...[
        "tree.tar",
        "--exclude=z-file",
        "--exclude=bin",
        "--exclude=!bin/link",
      ],
      ...["--exclude=!bin/setuid2", "--exclude=**/x.so", "--remove=/own.d"],
      ...["--remove=sp ace/", "--remove=bin/setuid2"],
    ],
    hand: `find bin -mindepth 1 ! -name link -delete
      rm -rf z-file usr/lib/x.so own.d 'sp ace'`,
    options: { noMtimeOfDirs: true },
  },
  {
    name: "--strip-components, --add and --chmod",
    args: [
      ...["top.tar", "--strip-components=1", "--chmod=**=u+r,go-w"],
      ...["--chmod=bin/*=a+x", "--add=plain:/opt/deep/file:0640:5:6"],
      ...["--add=plain:/etc/numbers", "--add=more:/srv/more"],
    ],
    hand: `find . ! -type l -exec chmod u+r,go-w {} +
      find bin -mindepth 1 ! -type l -exec chmod a+x {} +
      mkdir -m 755 -p opt/deep srv; cp -p ../plain opt/deep/file
      chmod 640 opt/deep/file; chown 5:6 opt/deep/file; rm etc/numbers
      cp -p ../plain etc/numbers; cp -a ../more srv/more
      chown -Rh 0:0 etc/numbers srv/more; chmod -R u+r,go-w srv etc/numbers`,
    // An access control list has a mode of its own.
    options: { noMtimeOfDirs: true, bare: [".", "etc/acl"] },
  },
  {
    name: "--owner and --clamp-mtime",
    args: ["tree.tar", "--owner=70:80", "--clamp-mtime", "--mtime=@1000000000"],
    tar: "--owner=70 --group=80 --mtime=@1000000000 --clamp-mtime",
  },
  {
    name: "--mtime and --sort",
    args: ["reversed.tar", "--mtime=2008-09-10T11:12:13Z", "--sort"],
    tar: "--mtime=@1221045133",
    // A symlink has one path in a sorted tar.
    options: { noLinksOfSymlinks: true },
  },
  {
    name: "--exclude, --remove and --add of an image",
    args: [
      ...[
        "build",
        "--from=image.isoc",
        "--exclude=z-file",
        "--exclude=etc/gone",
      ],
      ...["--remove=/own.d", "--remove=bin/ping", "--add=plain:/bin/ping:0755"],
      ...["--add=plain:/etc/late/file"],
    ],
    hand: `rm -rf z-file own.d empty bin/ping; mkdir -m 755 etc/late
      cp -p ../plain bin/ping; chmod 755 bin/ping; cp -p ../plain etc/late/file
      chown 0:0 bin/ping etc/late/file`,
    options: { noMtimeOfDirs: true },
  },
  {
    name: "--dedupe of a layer that an image has already",
    args: ["build", "--from=image.isoc", "--layer=tree.tar", "--dedupe"],
    hand: "cp -p ../up/etc/gone etc/gone",
    options: { noMtimeOfDirs: true },
  },
  {
    name: "--exclude, --remove, --add, --chmod and --clamp-mtime of an odd tar",
    args: [
      ...["strange.tar", "--exclude=never", "--exclude=absolute/b*"],
      ...["--remove=late/gone", "--chmod=**=u+w,g-w", "--chmod=twice=0711"],
      // The directory is a symlink.
      ...["--clamp-mtime", "--mtime=@1300000000", "--add=plain:/lib/below"],
    ],
    from: "tar -xpf ../strange.tar --xattrs --xattrs-include='*'",
    hand: `rm -r never absolute/b* late/gone
      cp -p ../plain usr/lib/below; chown 0:0 usr/lib/below
      find . ! -type l -exec chmod u+w,g-w {} +; chmod 711 twice`,
    tar: "--mtime=@1300000000 --clamp-mtime",
    options: { noMtimeOfDirs: true },
  },
  {
    name: "--strip-components, --ignore-file, --owner and --sort of an odd tar",
    args: [
      ...["strange.tar", "--ignore-file=patterns", "--strip-components=1"],
      ...["--owner=70:80", "--sort"],
    ],
    // Patterns see paths as the tar has them.
    from: `tar -xpf ../strange.tar --xattrs --xattrs-include='*' \\
      --strip-components=1`,
    hand: "rm long lib/x.so",
    tar: "--owner=70 --group=80",
    options: { noMtimeOfDirs: true, noLinksOfSymlinks: true },
  },
];

const LONG = "long".repeat(40);

/**
 * What comes after a part of the usual tree in GNU's format with a sparse file:
 * directories that come late or never, paths that are absolute, come twice, or
 * have no place in a header, hard links across directories.
 */
const STRANGE: (TarEntry | Uint8Array)[] = [
  paxHeader([["comment", "for all"]], "g"),
  { name: "/absolute/", type: "5", mode: 0o750 },
  { name: "/absolute/a", data: "a" },
  { name: "//absolute/b", data: "b" },
  { name: "./absolute/c", type: "1", link: "/absolute/a" },
  { name: "never/deep/file", data: "never", mode: 0o4755 },
  { name: "other/link", type: "1", link: "never/deep/file", mode: 0o4755 },
  { name: "other/more", type: "1", link: "other/link", mode: 0o4755 },
  { name: "late/file", data: "late" },
  { name: "late/gone", data: "gone" },
  { name: "late/", type: "5", mode: 0o711, uid: 3 },
  { name: "twice", data: "the old one is longer" },
  { name: "twice", data: "new", mode: 0o755 },
  { name: "x", longName: `other/${LONG}/${LONG}`, data: "gnu" },
  {
    ...{ name: "x", type: "1", longName: "links/long" },
    longLink: `other/${LONG}/${LONG}`,
  },
  {
    name: "x",
    data: "pax",
    pax: [["path", "other/\xe9\xff"], ["SCHILY.xattr.user.key", "value"]],
  },
  // As a file of more than 8 GiB tells its size.
  {
    name: "other/size",
    data: "12345",
    raw: [[124, "\x80" + "\0".repeat(10) + "\x05"]],
  },
  { name: "other/device", type: "3", device: [1, 3] },
];

const PREPARE = `
cd "$1"; umask 022
python3 "$2" tree
${TAR} -C tree -cf tree.tar --format=posix .
cp -a tree top; ${TAR} -cf top.tar top
(cd tree; find . -depth -print0 | sort -rz |
  ${TAR} --null --no-recursion -T - -cf ../reversed.tar)
echo plain >plain; chmod 644 plain; touch -d @1400000000.5 plain
touch -d @1400000000 plain
mkdir -p more/sub; echo more >more/sub/file; ln more/sub/file more/link
find more -exec touch -d @1300000000 {} +
mkdir -p up/etc; touch up/.wh.empty; echo gone >up/etc/gone
chmod 755 up/etc; touch -d @1200000000 up/etc; ${TAR} -C up -cf up.tar .wh.empty etc
printf '%s\n' links usr/lib/x.so >patterns
tar --numeric-owner --format=gnu -S -C tree -cf gnu.tar ./bin/setuid ./sparse usr lib`;

/** Does a case by hand. */
async function byHand(
  folder: string,
  { from = "cp -a ../tree/. .", hand = "", tar = "" }: Case,
) {
  const script = `cd "$1"; umask 022; rm -rf hand; mkdir hand; cd hand
    ${from}
    ${hand}
    ${TAR} ${tar} -cf ../hand.tar .`;
  await run("bash", ["-ec", script, "bash", folder]);
  return `${folder}/hand.tar`;
}

Deno.test({
  name: "engines make of an edited tree what GNU tar makes of it by hand",
  ignore: ignoreTrees,
  async fn(t) {
    await using docker = await dockerForAll();
    await using work = await temporary();
    const folder = work.path;
    await run("bash", ["-ec", PREPARE, "bash", folder, ODD]);
    const gnu = await Deno.readFile(`${folder}/gnu.tar`);
    const end = gnu.findLastIndex((byte) => byte !== 0);
    const usual = gnu.subarray(0, Math.ceil(end / 512) * 512);
    await Deno.writeFile(
      `${folder}/strange.tar`,
      tarOf([usual, ...STRANGE]),
    );
    const make = async (args: string[], archive: string) => {
      const image = ["-t", "isoc/edited", "--created=0", "-q", "-o", archive];
      const { code, stderr } = await ciso(
        [...args, ...image, "--", "/bin/true"],
        { cwd: folder, command: allowing("--allow-run=find") },
      );
      assert.equal(code, 0, stderr);
    };
    await make(["--layer=tree.tar", "--layer=up.tar"], `${folder}/image.isoc`);
    for (const one of CASES) {
      await t.step(one.name, async (t) => {
        const archive = `${folder}/edited.isoc`;
        const tar = await byHand(folder, one);
        await make(one.args, archive);
        const verified = await ciso(["verify", "-q", archive]);
        assert.equal(verified.code, 0, verified.stdout);
        const { options = {} } = one;
        await checkEngines(t, { tar, archive, docker, options });
        for (
          const [engine, withRoot] of [
            ["podman", withPodmanRoot],
            ["containerd", withContainerdRoot],
          ] as const
        ) {
          await t.step({
            name: engine,
            ignore: !isInstalled(engine),
            async fn() {
              const all = {
                ignoreMtimeOfMissing: tar,
                noCapabilityOfLinks: true,
                noNegativeMtime: true,
                noLinksOfSymlinks: true,
                noXattr: ["system.*", "trusted.*"],
                ...options,
                bare: [".", ...options.bare ?? []],
              };
              await using reference = await extractGnu(tar);
              const expected = await listTree(reference.root, all);
              const found = await withRoot(
                archive,
                (root) => listTree(root, all),
              );
              assert.equal(diffTrees(expected, found, ["hand", engine]), "");
            },
          });
        }
      });
    }
  },
});
