import { InputError } from "../errors/input_error.ts";
import { unlessRefused } from "../errors/refusal.ts";
import type { PackageCollector } from "../packages/package_collector.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { resolve, slice } from "../read/image_files.ts";
import { TopNames } from "../read/top_names.ts";
import { ascii, binary, equalBytes } from "../streams/bytes.ts";
import { padded } from "../tar/block.ts";
import { NotTarError } from "../tar/not_tar_error.ts";
import { skippedTo } from "../tar/skip_header.ts";
import { normalizePath } from "../tar/path.ts";
import type { OpenFiles } from "./found_image.ts";
import { SizedPaths } from "./sized_paths.ts";
import { LayeredTree } from "./layered_tree.ts";
import { packageSink } from "./package_sink.ts";
import { type Walkable, type Walked, walkTar } from "./walk_tar.ts";

/** An entry of an image file outside its root file system. */
export interface Member {
  /** Its path, a character for each byte. */
  path: string;
  kind: "file" | "directory" | "link" | "other";
  /** Bytes that it takes in the archive: headers, data and padding. */
  bytes: number;
  /** Where its data start, in bytes, and how many they are. */
  start: number;
  size: number;
  /** Of a link, the path that it leads to. */
  link?: string;
}

/** An image file that is a tar, looked through once. */
export interface Archive extends OpenFiles {
  /** Entries outside `rootfs/`, and Docker v1's files in it, by path. */
  members: ReadonlyMap<string, Member>;
  /** The files below `rootfs/`. */
  rootfs: SizedPaths;
  /** Bytes of the entries below `rootfs/`, and how many they are. */
  rootfsBytes: number;
  rootfsEntries: number;
  /** Size of the archive in bytes. */
  size: number;
  /** Bytes after the last entry: zeros, or anything else. */
  rest: number;
  /** Bytes after the archive's end that are no zeros. */
  junk: number;
  /** Whether these are the face containerd: decoders of zstd skip the tar. */
  hasView: boolean;
  /** The bytes themselves; the places of the tree are offsets in it. */
  source: Walkable;
}

/** An image has no more entries than this outside rootfs/. */
const MAX_MEMBERS = 100_000;
/** Links that are followed from one member at most. */
const MAX_LINKS = 8;

const PREFIX = ascii(ROOTFS);

/** Docker v1's files in `rootfs/`. */
export const V1_FILES: readonly string[] = ["VERSION", "json", "layer.tar"];

/**
 * Looks through an image file that is a tar. What is below `rootfs/` goes into
 * a tree; all other entries go into a map by path.
 *
 * @param source The archive, uncompressed.
 * @throws {InputError} If it is no tar, or cut short.
 */
export async function readArchive(source: Walkable): Promise<Archive> {
  const members = new Map<string, Member>();
  const rootfs = new SizedPaths();
  const names = new TopNames();
  let rootfsBytes = 0;
  let rootfsEntries = 0;
  const end = await walkArchive(source, (walked) => {
    const { entry } = walked;
    const bytes = entry.end - entry.start + padded(entry.stored);
    const path = normal(entry.path);
    const below = pathBelowRootfs(path);
    if (below) {
      if (entry.kind === "file") rootfs.add(below, entry.size);
      rootfsBytes += bytes;
      if (rootfsEntries++ === 0) names.add("rootfs");
      if (!V1_FILES.includes(binary(below))) return;
    }
    const member = memberOf(walked, binary(path), bytes);
    names.add(member.path);
    members.set(member.path, member);
    if (members.size > MAX_MEMBERS) {
      throw new InputError("It holds too many files to be an image");
    }
  });
  return {
    members,
    rootfs,
    rootfsBytes,
    rootfsEntries,
    size: end.size,
    rest: end.size - end.end,
    junk: end.shape.junk,
    hasView: end.shape.junk > 0 &&
      await skippedTo(source, end.size) === end.size - end.shape.junk,
    source,
    top: names.top,
    rootfsIn: names.rootfsIn,
    pathOf: (path) => followed(members, path)?.path ?? path,
    open(path) {
      const member = followed(members, path);
      return Promise.resolve(
        member && slice(source, member.start, member.size),
      );
    },
  };
}

/**
 * Reads the tree below `rootfs/`, as one layer. It takes another walk, but is
 * rarely needed: in most archives the layers have the same files.
 */
export async function readRootfs(
  { source, rootfs }: Archive,
  collector?: PackageCollector,
): Promise<LayeredTree> {
  rootfs.clear();
  collector?.beginLayer();
  const layered = new LayeredTree();
  layered.beginLayer();
  await walkTar(source, (walked) => {
    const below = pathBelowRootfs(normal(walked.entry.path));
    if (!below) return undefined;
    layered.add(relinked(walked), below);
    return collector && packageSink(collector, walked, below);
  });
  return layered;
}

/** The member that a path leads to, links followed, if it is a file. */
function followed(
  members: ReadonlyMap<string, Member>,
  path: string,
): Member | undefined {
  let member = members.get(path);
  for (let i = 0; i < MAX_LINKS && member?.link !== undefined; i++) {
    member = members.get(member.link);
  }
  return member?.kind === "file" ? member : undefined;
}

/** Walks a tar; if it is none, the error says what it is. */
async function walkArchive(
  source: Walkable,
  visit: (walked: Walked) => void,
) {
  try {
    return await walkTar(source, visit);
  } catch (error) {
    if (error instanceof NotTarError) {
      throw new InputError(error.imageMessage, { cause: error });
    }
    throw error;
  }
}

function memberOf(
  { entry, place }: Walked,
  path: string,
  bytes: number,
): Member {
  const start = place + entry.end - entry.start;
  const member: Member = { path, kind: "other", bytes, start, size: 0 };
  if (entry.kind === "directory") member.kind = "directory";
  else if (entry.kind === "file" && !entry.sparse) {
    member.kind = "file";
    member.size = entry.size;
  } else if (entry.kind === "symlink" || entry.kind === "hardlink") {
    member.kind = "link";
    member.link = entry.kind === "symlink"
      ? resolve(path, binary(entry.link))
      : binary(normal(entry.link));
  }
  return member;
}

/** A path's one form, or the path itself where it has none. */
function normal(path: Uint8Array): Uint8Array {
  return unlessRefused(() => normalizePath(path)) ?? path;
}

/** The path below `rootfs/`, empty for that directory; `undefined` elsewhere. */
function pathBelowRootfs(path: Uint8Array): Uint8Array | undefined {
  const { length } = PREFIX;
  if (path.length < length - 1) return undefined;
  const head = PREFIX.subarray(0, Math.min(path.length, length));
  return equalBytes(path.subarray(0, head.length), head)
    ? path.subarray(Math.min(path.length, length))
    : undefined;
}

/** The entry with its hard link's target as it is below `rootfs/`. */
function relinked(walked: Walked): Walked {
  if (walked.entry.kind !== "hardlink") return walked;
  const link = pathBelowRootfs(normal(walked.entry.link));
  return link ? { ...walked, entry: { ...walked.entry, link } } : walked;
}
