import { InputError } from "../errors/input_error.ts";
import type { FileKind } from "./file_list.ts";
import type { DenoNumbers } from "../system/node.ts";

/** What the file system says of a file, which may be a symlink. */
export interface FileFacts {
  kind: Exclude<FileKind, "hardlink"> | "socket";
  /** Permission bits, with set-uid, set-gid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Size of the contents in bytes; 0 for all but plain files. */
  size: number;
  /** Modification time in seconds since 1970, rounded down, and the rest. */
  seconds: number;
  nanoseconds: number;
  /** Numbers of a device. */
  major: number;
  minor: number;
  /** How many paths it has. */
  links: number;
  /** The same for all paths of a file, and different for different files. */
  identity: string;
  /**
   * A hash: most likely another number once the file is another one or has
   * changed.
   */
  stamp: number;
}

/** The numbers of `lstat(2)`; `node:fs` gives them when asked for `bigint`. */
export interface FileNumbers {
  dev: bigint;
  ino: bigint;
  /** Type and permission bits. */
  mode: bigint;
  nlink: bigint;
  uid: bigint;
  gid: bigint;
  rdev: bigint;
  size: bigint;
  /** Times in nanoseconds since 1970. */
  mtimeNs: bigint;
  ctimeNs: bigint;
}

/** The kinds by the type bits of the mode (inode(7)). */
const KINDS: Record<number, FileFacts["kind"]> = {
  0o01: "fifo",
  0o02: "character",
  0o04: "directory",
  0o06: "block",
  0o10: "file",
  0o12: "symlink",
  0o14: "socket",
};

const BILLION = 1_000_000_000n;

/**
 * Reads what the system's numbers say of a file.
 *
 * @throws {InputError} If it is of a type that no archive knows.
 */
export function fileFacts(numbers: FileNumbers): FileFacts {
  const mode = Number(numbers.mode);
  const kind = KINDS[mode >>> 12];
  if (!kind) throw new InputError("it is of a type that no archive can hold");
  const isDevice = kind === "character" || kind === "block";
  const device = isDevice ? numbers.rdev : 0n;
  // Division rounds towards zero, and there were files before 1970.
  const rest = ((numbers.mtimeNs % BILLION) + BILLION) % BILLION;
  return {
    kind,
    mode: mode & 0o7777,
    uid: Number(numbers.uid),
    gid: Number(numbers.gid),
    size: kind === "file" ? Number(numbers.size) : 0,
    seconds: Number((numbers.mtimeNs - rest) / BILLION),
    nanoseconds: Number(rest),
    ...deviceNumbers(device),
    links: Number(numbers.nlink),
    identity: `${numbers.dev}:${numbers.ino}`,
    stamp: fileStamp(numbers),
  };
}

/** As {@linkcode fileFacts}: the same as of the numbers of Deno's `node:fs`. */
export function denoFacts(numbers: DenoNumbers): FileFacts {
  const { dev, ino, size, mtime } = numbers;
  const bits = numbers.mode ?? 0;
  const kind = KINDS[bits >>> 12];
  if (!kind) throw new InputError("it is of a type that no archive can hold");
  const time = mtime?.getTime() ?? 0;
  const seconds = Math.floor(time / 1000);
  const isDevice = kind === "character" || kind === "block";
  return {
    kind,
    mode: bits & 0o7777,
    uid: numbers.uid ?? 0,
    gid: numbers.gid ?? 0,
    size: kind === "file" ? size : 0,
    seconds,
    nanoseconds: (time - seconds * 1000) * 1e6,
    ...deviceNumbers(BigInt(isDevice ? numbers.rdev ?? 0 : 0)),
    links: numbers.nlink ?? 0,
    identity: `${dev}:${ino ?? 0}`,
    stamp: denoStamp(numbers),
  };
}

/** As {@linkcode fileStamp}: the same as of the numbers of Deno's `node:fs`. */
export function denoStamp(numbers: DenoNumbers): number {
  return fileStamp(denoNumbers(numbers));
}

/**
 * The numbers of a stamp, of what Deno says. Another thread gets the text of this
 * function.
 */
export function denoNumbers(
  { dev, ino, mode, uid, gid, size, mtime, ctime }: DenoNumbers,
): StampNumbers {
  return {
    dev,
    ino: ino ?? 0,
    mode: mode ?? 0,
    uid: uid ?? 0,
    gid: gid ?? 0,
    size,
    mtimeNs: (mtime?.getTime() ?? 0) * 1e6,
    ctimeNs: (ctime?.getTime() ?? 0) * 1e6,
  };
}

/** Major and minor number as Linux packs them (makedev(3)). */
function deviceNumbers(device: bigint): { major: number; minor: number } {
  if (device === 0n) return { major: 0, minor: 0 };
  return {
    major: Number((device >> 8n & 0xfffn) | (device >> 32n & 0xfffff000n)),
    minor: Number((device & 0xffn) | (device >> 12n & 0xffffff00n)),
  };
}

/** The numbers that change when a file does. */
export type StampNumbers = Record<
  "dev" | "ino" | "mode" | "uid" | "gid" | "size" | "mtimeNs" | "ctimeNs",
  bigint | number
>;

/**
 * {@linkcode FileFacts.stamp} alone: a hash of what changes when a file does.
 * Another thread gets the text of this function.
 */
export function fileStamp(
  { dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs }: StampNumbers,
): number {
  let stamp = 0;
  for (const field of [dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs]) {
    // Times lose a few nanoseconds, which no two changes are apart.
    const value = Number(field);
    stamp = Math.imul(stamp ^ (value >>> 0), 0x9e3779b1);
    stamp = Math.imul(stamp ^ (stamp >>> 15) ^ (value / 2 ** 32), 0x85ebca6b);
    stamp ^= stamp >>> 13;
  }
  return stamp >>> 0;
}
