/**
 * The one file that takes modules from the runtime: `node:` built-ins that Deno,
 * Bun and Node all have. What ciso makes of them is in `system/`.
 *
 * @module
 */
import type * as ChildProcess from "node:child_process";
export type { ChildProcessWithoutNullStreams } from "node:child_process";
export * as fs from "node:fs";
export { constants, tmpdir } from "node:os";
export { basename, dirname, join, resolve } from "node:path";
export type { Writable } from "node:stream";
import type { Worker } from "node:worker_threads";
export { isatty } from "node:tty";
import type * as Zlib from "node:zlib";
export type { Gunzip, ZlibOptions } from "node:zlib";

// A look at Node's whole module object makes standard output non-blocking, and
// then large writes to a pipe wait for nothing but a timer.
export const { process } = globalThis;

/** Whether this is Deno, whose file names are text and whose times are short. */
export const isDeno = "Deno" in globalThis;

/** What Deno says of a file, in a fifth of the time that `node:fs` takes there. */
export interface DenoNumbers {
  dev: number;
  ino: number | null;
  mode: number | null;
  nlink: number | null;
  uid: number | null;
  gid: number | null;
  rdev: number | null;
  size: number;
  mtime: Date | null;
  ctime: Date | null;
}

/** Deno's own calls where they are several times as quick as its `node:fs`. */
interface DenoFiles {
  lstatSync(path: string): DenoNumbers;
  readDirSync(path: string): Iterable<{ name: string }>;
}

/** See {@linkcode DenoFiles}; `undefined` in other runtimes. */
export const { Deno: deno } = globalThis as { Deno?: DenoFiles };

/** What only some runs need, loaded when they do. */
export const worker = {
  /** The class of threads. */
  get Worker(): typeof Worker {
    return process.getBuiltinModule("node:worker_threads").Worker;
  },
  /** How many threads this machine runs at once. */
  cores: (): number =>
    process.getBuiltinModule("node:os").availableParallelism(),
};

/** Node's zlib: of all modules, Bun takes longest to load this one. */
export function zlib(): typeof Zlib {
  return process.getBuiltinModule("node:zlib");
}

function childProcess(): typeof ChildProcess {
  return process.getBuiltinModule("node:child_process");
}

/** Starts a program. */
export const spawn =
  ((...args: Parameters<typeof ChildProcess.spawn>) =>
    childProcess().spawn(...args)) as typeof ChildProcess.spawn;

/** Runs a program to its end. */
export const spawnSync =
  ((...args: Parameters<typeof ChildProcess.spawnSync>) =>
    childProcess().spawnSync(...args)) as typeof ChildProcess.spawnSync;
