import { shown, shownWord } from "../errors/shown.ts";
import { type Face, FACES, ROOTFS_FACES } from "../image/face.ts";
import { InputError } from "../errors/input_error.ts";
import { utf8 } from "../streams/bytes.ts";
import { elfArchitecture } from "./elf.ts";
import { environment } from "../formats/values/environment.ts";
import {
  type UserIds,
  userIds,
  userIdsOrNobody,
} from "../formats/values/user.ts";
import type { Image } from "../image/image.ts";
import { nearestProgram } from "./nearest_program.ts";
import { NODE } from "./path_index.ts";
import type { RootfsTree } from "./rootfs_tree.ts";

/** An {@linkcode Image} whose architecture may come from the rootfs. */
export type ImageDescription = Omit<Image, "architecture"> & {
  /** In Go's spelling; found in the command's program unless given. */
  architecture?: string | undefined;
};

/** What a rootfs without any known program is taken for. */
export const DEFAULT_ARCHITECTURE = "amd64";

/** What a rootfs says about the image's process. */
export interface RootfsFacts {
  /** Numbers of the image's user. */
  ids: UserIds;
  /** Absolute path of the command's program, if it was found by `PATH`. */
  executable?: string;
  /** Whether `/tmp` is empty, so that a tmpfs may be mounted on it. */
  tmp: boolean;
  /** The architecture of the image, in Go's spelling. */
  architecture: string;
  /** What the user should know of, in sentences. */
  notes: string[];
}

/** Account files larger than this are not read whole, in bytes. */
const MAX_ACCOUNTS = 1 << 20;

/**
 * Looks into the rootfs for what the faces' documents need.
 *
 * @param tree The root file system.
 * @param image What the image says.
 * @param faces The archive's faces.
 * @throws {DescriptionError} If the image's user is a name that the rootfs does
 * not have.
 */
export async function rootfsFacts(
  tree: RootfsTree,
  image: ImageDescription,
  faces: ReadonlySet<Face> = new Set(FACES),
): Promise<RootfsFacts> {
  const notes = [...treeNotes(tree, faces)];
  const text = async (path: string) =>
    new TextDecoder().decode(
      (await tree.files.read(utf8(path), MAX_ACCOUNTS))?.bytes,
    );
  const ids = image.user
    ? userOf(image, await text("etc/passwd"), await text("etc/group"), notes)
    : { uid: 0, gid: 0 };
  const { appc: parts, fields } = image.base ?? {};
  if (parts?.supplementaryGIDs && image.user === fields?.user) {
    ids.additionalGids = parts.supplementaryGIDs;
  }
  const program = await findProgram(tree, image, notes);
  if (!image.base && program === undefined) notes.push(...topNote(tree));
  const found = await programArchitecture(tree, program, notes) ??
    await programArchitecture(tree, "/bin/sh");
  if (
    faces.has("appc") && image.workdir &&
    !await isDirectory(tree, image.workdir)
  ) {
    notes.push(
      `The working directory ${
        shownWord(image.workdir)
      } is not in the rootfs: Docker, ` +
        "podman and runc make it, rkt does not start without it",
    );
  }
  if (!image.architecture && !found) {
    notes.push(
      `No program in the rootfs tells its architecture; ${DEFAULT_ARCHITECTURE} ` +
        "is assumed",
    );
  } else if (image.architecture && found && image.architecture !== found) {
    notes.push(
      `The image says ${
        shownWord(image.architecture)
      }, but its programs are for ${found}`,
    );
  }
  return {
    ids,
    ...(program && { executable: program }),
    tmp: !tree.usesTmp,
    architecture: image.architecture ?? found ?? DEFAULT_ARCHITECTURE,
    notes,
  };
}

/** Looks up the image's user; one of the base image may be unknown. */
function userOf(
  { user, base }: ImageDescription,
  passwd: string,
  group: string,
  notes: string[],
): UserIds {
  if (!base || base.fields.user !== user) return userIds(user, passwd, group);
  const { ids, fault } = userIdsOrNobody(user, passwd, group);
  if (fault) notes.push(`${fault}; the face bundle runs it as ${ids.uid}`);
  return ids;
}

/** Notes on what engines do not take as the tree has it. */
function* treeNotes(
  { climbing, oddTime }: RootfsTree,
  faces: ReadonlySet<Face>,
): Generator<string> {
  const hasRootfs = ROOTFS_FACES.some((face) => faces.has(face));
  if (climbing !== undefined && faces.has("oci") && hasRootfs) {
    yield `The symlink ${climbing} climbs out of the archive from where it is: ` +
      "skopeo and podman refuse the archive as oci-archive:, but take what " +
      "export --as oci makes of it";
  }
  if (oddTime !== undefined) {
    yield `${oddTime} has a time before 1970 or after 2262: Docker sets it to ` +
      "1970, other engines keep it";
  }
}

/** Says that a tree may be one directory too deep. */
function* topNote({ top }: RootfsTree): Generator<string> {
  const { name, levels, isUsual } = top;
  if (name === undefined || isUsual) return;
  yield `All is below the directory ${
    shown(name)
  }; if what is in it is meant to ` +
    `be the root, ${
      levels === undefined
        ? "archive that directory alone"
        : `give --strip-components ${levels}`
    }`;
}

async function isDirectory(tree: RootfsTree, path: string): Promise<boolean> {
  if (/^[/.]*$/.test(path)) return true;
  try {
    const slot = await tree.files.lookUp(utf8(path));
    const node = slot < 0 ? undefined : tree.index.node(slot);
    return node === NODE.directory || node === NODE.missing;
  } catch {
    // The engine itself follows one with `..`.
    return true;
  }
}

/** Finds the program that the image starts, as its `PATH` leads to it. */
async function findProgram(
  tree: RootfsTree,
  image: ImageDescription,
  notes: string[],
): Promise<string | undefined> {
  const [word] = [...image.entrypoint ?? [], ...image.command ?? []];
  if (word === undefined) return undefined;
  const workdir = image.workdir ?? "/";
  const directories = word.startsWith("/")
    ? [directoryOf(word)]
    : word.includes("/")
    ? [directoryOf(`${workdir}/${word}`)]
    : searchPath(image);
  const name = word.slice(word.lastIndexOf("/") + 1);
  const places = directories.map((directory) => `${directory}/${name}`);
  let unfit: string | undefined;
  for (const place of places) {
    let slot;
    try {
      slot = await tree.files.lookUp(utf8(place));
    } catch (error) {
      // The engine itself follows a path with `..`.
      if (error instanceof InputError) return undefined;
      throw error;
    }
    if (slot < 0) continue;
    if (tree.index.node(slot) !== NODE.file) {
      unfit ??= `${shownWord(place)} is no regular file`;
      continue;
    }
    const file = await tree.files.read(utf8(place), 0);
    if (file && (file.mode & 0o111) === 0) {
      unfit ??= `${shownWord(place)} is not executable`;
      continue;
    }
    return place;
  }
  if (unfit) notes.push(`The command will not start: ${unfit}`);
  else {
    const meant = await nearestProgram(tree, word, directories);
    notes.push(
      `The command ${shown(word)} is not in the rootfs` +
        (meant ? `: did you mean ${meant}?` : ""),
    );
  }
  return undefined;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function searchPath(image: ImageDescription): string[] {
  const variables = environment(image);
  const path = variables.findLast((variable) => variable.startsWith("PATH="));
  return (path ?? "").slice("PATH=".length).split(":").filter((directory) =>
    directory.startsWith("/")
  );
}

/** The architecture of a program, or of the interpreter that its `#!` names. */
async function programArchitecture(
  tree: RootfsTree,
  path: string | undefined,
  notes?: string[],
): Promise<string | undefined> {
  for (let i = 0; path && i < 4; i++) {
    const head = (await tree.files.read(utf8(path), 256))?.bytes;
    if (!head && i > 0) {
      notes?.push(
        "The command will not start: the interpreter that its #! line names, " +
          `${shownWord(path)}, is not in the rootfs`,
      );
    }
    if (!head) return undefined;
    const [, interpreter] = /^#![ \t]*(\/\S+)/.exec(
      new TextDecoder().decode(head),
    ) ?? [];
    if (!interpreter) return elfArchitecture(head);
    path = interpreter;
  }
  return undefined;
}
