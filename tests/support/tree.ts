import { createHash } from "node:crypto";
import { run } from "./run.ts";

/** What {@linkcode listTree} leaves out; tests/support/tree.py says why one would. */
export interface TreeOptions {
  /** Paths that are left out, but not what is below them. */
  ignore?: string[];
  /** Paths of which no more than the type is listed. */
  bare?: string[];
  /** A tar; no more than the type is listed of directories it lacks an entry for. */
  bareMissing?: string;
  /** A tar; the mtimes are left out of directories it lacks an entry for. */
  ignoreMtimeOfMissing?: string;
  /** Paths of which the mtime is left out. */
  ignoreMtime?: string[];
  /** Leave out the mtimes of directories. */
  noMtimeOfDirs?: boolean;
  /** Cut mtimes to whole seconds. */
  noNs?: boolean;
  /** List times before 1970 as 1970. */
  noNegativeMtime?: boolean;
  /** Names, with wildcards, of extended attributes that are left out. */
  noXattr?: string[];
  /** Leave out extended attributes of all but regular files. */
  xattrsOfFilesOnly?: boolean;
  /** Leave out the capabilities of files that have several paths. */
  noCapabilityOfLinks?: boolean;
  /** Do not say which symbolic links are one inode. */
  noLinksOfSymlinks?: boolean;
  /** Leave out character devices other than /dev/null's. */
  noCharDevices?: boolean;
}

/** A directory tree that is removed at the end of the scope. */
export interface Tree extends AsyncDisposable {
  /** Path of the tree's root directory. */
  root: string;
}

/**
 * What an engine cannot keep of any image, as it was measured: list both trees
 * with these options to compare the rest.
 */
export const LOSSES = {
  /** rkt 1.30. It loses names that are not UTF-8 as well; appc's library keeps them. */
  appc: {
    ignore: ["json", "VERSION", "layer.tar"],
    // All but user.* and security.capability.
    noXattr: ["system.*", "trusted.*", "security.[!c]*"],
    xattrsOfFilesOnly: true,
    noCapabilityOfLinks: true,
    noLinksOfSymlinks: true,
    noCharDevices: true,
  },
  /** Docker Engine 20.10. */
  docker: { bare: ["."], noNegativeMtime: true, noCapabilityOfLinks: true },
  /**
   * umoci 0.4.7 keeps all, unless a directory has no entry: then the mtime of
   * the directory in which it has to make it is lost (`noMtimeOfDirs`).
   */
  umoci: {},
  /** GNU tar keeps all, but rootfs/ has no hard links to symbolic links, for rkt. */
  bundle: {
    ignore: ["json", "VERSION", "layer.tar"],
    noLinksOfSymlinks: true,
  },
} satisfies Record<string, TreeOptions>;

/**
 * Lists all that is known of every path in a tree, one line a path: type, mode,
 * owner, mtime, content, link target, device number, extended attributes and
 * hard links.
 *
 * @param dir Root of the tree.
 * @returns The output of tests/support/tree.py.
 */
export function listTree(
  dir: string,
  options: TreeOptions = {},
): Promise<string> {
  const args = [`${import.meta.dirname}/tree.py`];
  for (const [name, value] of Object.entries(options)) {
    const flag = `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    if (value === true) args.push(flag);
    for (const text of typeof value === "boolean" ? [] : [value].flat()) {
      args.push(`${flag}=${text}`);
    }
  }
  return run("python3", [...args, "--", dir]);
}

/**
 * Compares two listings of {@linkcode listTree}.
 *
 * @param names What to call the two trees.
 * @returns One line for each path that differs, saying in what; empty when
 *   the trees are equal.
 */
export function diffTrees(
  first: string,
  second: string,
  names: [string, string] = ["first", "second"],
): string {
  const one = byPath(first);
  const two = byPath(second);
  const lines = [];
  for (const path of new Set([...one.keys(), ...two.keys()])) {
    const a = one.get(path);
    const b = two.get(path);
    if (!a || !b) {
      const [name, fields] = a ? [names[0], a] : [names[1], b];
      lines.push(`${path}: only in ${name}: ${fields?.join(" ")}`);
      continue;
    }
    const onlyA = a.filter((field) => !b.includes(field));
    const onlyB = b.filter((field) => !a.includes(field));
    if (onlyA.length > 0 || onlyB.length > 0) {
      lines.push(
        `${path}: ${names[0]}: ${onlyA.join(" ") || "-"}; ` +
          `${names[1]}: ${onlyB.join(" ") || "-"}`,
      );
    }
  }
  return lines.join("\n");
}

function byPath(listing: string): Map<string, string[]> {
  return new Map(
    listing.split("\n").filter(Boolean).map((line) => {
      const [path = "", ...fields] = line.split(" ");
      return [path, fields];
    }),
  );
}

/**
 * Extracts a tar with GNU tar, with all that it can restore.
 *
 * @param options More options for GNU tar.
 */
export function extractGnu(
  tar: string,
  options: string[] = [],
): Promise<Tree> {
  return temporaryTree(async (folder) => {
    const root = `${folder}/root`;
    await Deno.mkdir(root);
    await run("tar", [
      "--extract",
      `--file=${tar}`,
      `--directory=${root}`,
      "--force-local",
      "--numeric-owner",
      "--same-owner",
      "--same-permissions",
      "--delay-directory-restore",
      "--acls",
      "--xattrs",
      "--xattrs-include=*",
      // A time before 1970 is set, and called implausible at that.
      "--warning=no-timestamp",
      ...options,
    ]);
    return root;
  });
}

/** Extracts the root file system of an archive with appc's own code, as rkt would. */
export function extractAppc(archive: string): Promise<Tree> {
  return temporaryTree(async (folder) => {
    await run(await appcRender(), [archive, await emptyDir(folder)]);
    return `${folder}/root/rootfs`;
  });
}

/**
 * Reads the manifest of an archive with appc's own code.
 *
 * @throws {Error} If the manifest is missing or does not meet appc's schema.
 */
export async function appcManifest(
  archive: string,
): Promise<Record<string, unknown>> {
  return JSON.parse(await run(await appcRender(), ["--manifest", archive]));
}

/**
 * Has an archive checked by the code of `actool validate`.
 *
 * @throws {Error} If the archive does not keep to the letter of appc's layout.
 */
export async function appcValidate(archive: string): Promise<void> {
  await run(await appcRender(), ["--validate", archive]);
}

/** Extracts the layers of an archive with skopeo (as `oci-archive:`) and umoci. */
export function extractUmoci(archive: string): Promise<Tree> {
  return temporaryTree(async (folder) => {
    const root = `${folder}/root`;
    await run("skopeo", [
      "--insecure-policy",
      // TMPDIR does not tell skopeo where to unpack an archive.
      `--tmpdir=${folder}`,
      "copy",
      "--quiet",
      // Keeps the layer as it is instead of compressing it.
      "--preserve-digests",
      `oci-archive:${archive}`,
      `oci:${folder}/image:latest`,
    ]);
    await run("umoci", [
      "raw",
      "unpack",
      "--image",
      `${folder}/image:latest`,
      root,
    ]);
    return root;
  });
}

/** Extracts an archive whole with GNU tar, as one does for runc; its rootfs is the tree. */
export async function extractBundle(archive: string): Promise<Tree> {
  const tree = await extractGnu(archive);
  return { ...tree, root: `${tree.root}/rootfs` };
}

/**
 * Loads an archive into Docker and gives the tree of its image. That is taken
 * from the daemon's own store, since `docker export` and `docker cp` cut times
 * to seconds and add the files that containers get.
 *
 * @param host The daemon, as for `DOCKER_HOST`. It must run on this machine
 *   with the storage driver overlay2 or vfs.
 */
export function extractDocker(archive: string, host: string): Promise<Tree> {
  const docker = (...args: string[]) =>
    run("docker", args, { env: { DOCKER_HOST: host } });
  return temporaryTree(async (folder, onDispose) => {
    const loaded = await docker("load", "--quiet", `--input=${archive}`);
    const names = [...loaded.matchAll(/^Loaded image(?: ID)?: (.+)$/gm)]
      .map((match) => match[1] ?? "");
    const [name] = names;
    if (!name) throw new Error(`docker load does not name an image: ${loaded}`);
    onDispose(() => docker("image", "rm", "--force", ...names));

    const [image] = JSON.parse(await docker("image", "inspect", name));
    const driver = (await docker("info", "--format={{.Driver}}")).trim();
    if (driver === "vfs") {
      const data = (await docker("info", "--format={{.DockerRootDir}}")).trim();
      return await vfsTree(data, image.RootFS.Layers);
    }
    if (driver !== "overlay2") {
      throw new Error(
        `Cannot find the trees of storage driver ${driver}: use overlay2 or vfs`,
      );
    }
    const { UpperDir, LowerDir } = image.GraphDriver.Data;
    if (!LowerDir) return UpperDir;
    const root = await emptyDir(folder);
    const options = `ro,lowerdir=${UpperDir}:${LowerDir}`;
    await run("mount", ["-t", "overlay", "-o", options, "overlay", root]);
    onDispose(() => run("umount", [root]));
    return root;
  });
}

/** Finds the directory of a stack of layers in the store of the driver vfs. */
async function vfsTree(dataRoot: string, diffIds: string[]): Promise<string> {
  const chainId = diffIds.reduce((chain, diffId) =>
    `sha256:${createHash("sha256").update(`${chain} ${diffId}`).digest("hex")}`
  );
  const folder = `image/vfs/layerdb/${chainId.replace(":", "/")}`;
  const cacheId = await Deno.readTextFile(`${dataRoot}/${folder}/cache-id`);
  return `${dataRoot}/vfs/dir/${cacheId}`;
}

/** Extracts a tar with GNU tar and lists the tree: what an engine's must equal. */
export function gnuTree(tar: string, options?: TreeOptions): Promise<string> {
  return listed(extractGnu(tar), options);
}

/** Lists what {@linkcode extractAppc} gives. */
export function appcTree(
  archive: string,
  options: TreeOptions = LOSSES.appc,
): Promise<string> {
  return listed(extractAppc(archive), options);
}

/** Lists what {@linkcode extractUmoci} gives. */
export function umociTree(
  archive: string,
  options: TreeOptions = LOSSES.umoci,
): Promise<string> {
  return listed(extractUmoci(archive), options);
}

/** Lists what {@linkcode extractBundle} gives. */
export function bundleTree(
  archive: string,
  options: TreeOptions = LOSSES.bundle,
): Promise<string> {
  return listed(extractBundle(archive), options);
}

/** Lists what {@linkcode extractDocker} gives. */
export function dockerTree(
  archive: string,
  host: string,
  options: TreeOptions = LOSSES.docker,
): Promise<string> {
  return listed(extractDocker(archive, host), options);
}

async function listed(
  extracted: Promise<Tree>,
  options?: TreeOptions,
): Promise<string> {
  await using tree = await extracted;
  return await listTree(tree.root, options);
}

/**
 * Makes a tree in a temporary directory, which is removed if that fails.
 *
 * @param make Makes the tree, given the directory and a function that takes
 *   what else is to be done, last first, before the directory is removed.
 * @returns The tree whose root `make` returns.
 */
async function temporaryTree(
  make: (
    folder: string,
    onDispose: (task: () => Promise<unknown>) => void,
  ) => Promise<string>,
): Promise<Tree> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "isoc-tree-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const root = await make(folder, (task) => {
    stack.defer(async () => {
      await task();
    });
  });
  const owned = stack.move();
  return { root, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function emptyDir(folder: string): Promise<string> {
  await Deno.mkdir(`${folder}/root`);
  return `${folder}/root`;
}

let built: Promise<string> | undefined;

/** Builds tests/support/appc once, into the cache directory of this user. */
export function appcRender(): Promise<string> {
  return built ??= (async () => {
    const here = `${import.meta.dirname}/appc`;
    const cache = Deno.env.get("XDG_CACHE_HOME") ??
      `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
    const source = await Deno.readFile(`${here}/main.go`);
    const digest = createHash("sha256").update(source).digest("hex");
    const program = `${cache}/isoc/appc-render-${digest.slice(0, 16)}`;
    try {
      await Deno.stat(program);
    } catch {
      await Deno.mkdir(`${cache}/isoc`, { recursive: true });
      // Tests that run at the same time must not run half a program.
      const draft = `${program}.${Deno.pid}`;
      await run(`${here}/build`, [draft]);
      await Deno.rename(draft, program);
    }
    return program;
  })();
}
