// Each edit against the same edit done by hand, with GNU tar: every engine must
// make the same tree of both.

import assert from "node:assert/strict";
import { temporary } from "../support/ciso.ts";
import { allowing, ciso } from "../support/ciso.ts";
import {
  checkEngines,
  dockerForAll,
  ignoreTrees,
} from "../support/every_engine.ts";
import { withContainerdRoot, withPodmanRoot } from "../support/image_roots.ts";
import { run } from "../support/run.ts";
import {
  diffTrees,
  extractGnu,
  listTree,
  type TreeOptions,
} from "../support/tree.ts";
import { isInstalled } from "../support/run.ts";

const ODD = `${import.meta.dirname}/../support/odd_tree.py`;
const TAR =
  "tar --xattrs --xattrs-include='*' --acls --numeric-owner --force-local";

/** An edit, and the same done by hand. */
interface Case {
  name: string;
  /** What ciso is given besides an image's name and command. */
  args: string[];
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
chmod 755 up/etc; touch -d @1200000000 up/etc; ${TAR} -C up -cf up.tar .wh.empty etc`;

/** Does a case by hand. */
async function byHand(folder: string, { hand = "", tar = "" }: Case) {
  const script = `cd "$1"; umask 022; rm -rf hand; cp -a tree hand; cd hand
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
