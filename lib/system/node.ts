/**
 * The one file that takes modules from the runtime: `node:` built-ins that Deno,
 * Bun and Node all have. What ciso makes of them is in `system/`.
 *
 * @module
 */
import type * as ChildProcess from "node:child_process";
export type { ChildProcessWithoutNullStreams } from "node:child_process";
import type * as Crypto from "node:crypto";
import type * as Fs from "node:fs";
export type { Stats } from "node:fs";
import type * as Net from "node:net";
import type * as Os from "node:os";
import type * as Path from "node:path";
export type { Writable } from "node:stream";
import type * as Tty from "node:tty";
import type * as Threads from "node:worker_threads";
import type * as Zlib from "node:zlib";
export type { Gunzip, ZlibOptions } from "node:zlib";

/**
 * Node's process. A look at Node's whole module object makes standard output
 * non-blocking, and then large writes to a pipe wait for nothing but a timer.
 * Deno makes all of it at the first look, which takes as long as Deno's own start.
 */
export const process = (): NodeJS.Process => globalThis.process;

interface BuiltIn {
  child_process: typeof ChildProcess;
  crypto: typeof Crypto;
  fs: typeof Fs;
  net: typeof Net;
  os: typeof Os;
  path: typeof Path;
  tty: typeof Tty;
  worker_threads: typeof Threads;
  zlib: typeof Zlib;
}

/** A built-in module, loaded now if it is not yet. */
export function builtIn<T extends keyof BuiltIn>(name: T): BuiltIn[T] {
  return process().getBuiltinModule(`node:${name}`) as BuiltIn[T];
}

/** A built-in module, loaded when the first thing of it is used. */
function lazily<T extends keyof BuiltIn>(name: T): BuiltIn[T] {
  const source = new Proxy({}, {
    get(_, key, receiver) {
      const value = Reflect.get(builtIn(name), key);
      // Next time it is there.
      Object.defineProperty(receiver, key, { value });
      return value;
    },
  });
  return Object.create(source);
}

/** Node's file system. */
export const fs: typeof Fs = lazily("fs");

/** The numbers of the system's errors, by name. */
export const errorNumbers = (): Record<string, number> =>
  builtIn("os").constants.errno;
/** The directory for temporary files. */
export const tmpdir = (): string => builtIn("os").tmpdir();
/** Whether an open file is a terminal. */
export const isatty = (fd: number): boolean => builtIn("tty").isatty(fd);

const path = lazily("path");
/** The last word of a path. */
export const basename = (name: string): string => path.basename(name);
/** A path without its last word. */
export const dirname = (name: string): string => path.dirname(name);
/** Paths one below the other. */
export const join = (...names: string[]): string => path.join(...names);
/** The whole path of a file, from the working directory or a path before it. */
export const resolve = (...names: string[]): string => path.resolve(...names);

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

/** Deno's own calls where they are several times as quick as Node's. */
interface DenoCalls {
  args: string[];
  env: { get(name: string): string | undefined };
  stdin: { isTerminal(): boolean };
  stdout: {
    isTerminal(): boolean;
    write(bytes: Uint8Array): Promise<number>;
    writeSync(bytes: Uint8Array): number;
  };
  stderr: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number };
  exit(code: number): never;
  lstatSync(path: string): DenoNumbers;
  readDirSync(path: string): Iterable<{ name: string }>;
}

/** See {@linkcode DenoCalls}; `undefined` in other runtimes. */
export const { Deno: deno } = globalThis as { Deno?: DenoCalls };

/** What only some runs need, loaded when they do. */
export const worker = {
  /** The class of threads. */
  get Worker(): typeof Threads.Worker {
    return builtIn("worker_threads").Worker;
  },
  /** How many threads this machine runs at once. */
  cores: (): number => builtIn("os").availableParallelism(),
};

/** Node's zlib: of all modules, Bun takes longest to load this one. */
export const zlib = (): typeof Zlib => builtIn("zlib");

/** Starts a program. */
export const spawn =
  ((...args: Parameters<typeof ChildProcess.spawn>) =>
    builtIn("child_process").spawn(...args)) as typeof ChildProcess.spawn;

/** Runs a program to its end. */
export const spawnSync =
  ((...args: Parameters<typeof ChildProcess.spawnSync>) =>
    builtIn("child_process").spawnSync(
      ...args,
    )) as typeof ChildProcess.spawnSync;
