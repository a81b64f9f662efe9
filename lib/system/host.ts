import { shown } from "../errors/shown.ts";
import { utf8 } from "../streams/bytes.ts";
import { fileId } from "./file_id.ts";
import { deno, fs, isatty, isDeno, join, process } from "./node.ts";
import { isNullDevice } from "./null_device.ts";
import { readBytes, readText } from "./plain_open.ts";
import { errorCode, fileError } from "./errors.ts";
import { isForbidden } from "./permissions.ts";
import { wakeReads } from "./waiting_read.ts";
import { endBySignal } from "./waiting_write.ts";

/** What the next signal does instead of ending the program. */
let stopGently: ((exitCode: number) => void) | undefined;

/**
 * What a program sees of its process. What `--version` and help need comes from
 * Deno itself where that is there: Node's process takes longer than all the rest.
 */
export const host = {
  /** The words after the program's name. */
  get args(): string[] {
    return deno?.args ?? process().argv.slice(2);
  },
  /** The machine's architecture, as Node calls it: `x64`, `arm64`, … */
  get architecture(): string {
    return process().arch;
  },
  env: (name: string): string | undefined => host.envIfSet(name) || undefined,
  /** The same, but a variable may be there and empty. */
  envIfSet: (name: string): string | undefined =>
    deno ? deno.env.get(name) : process().env[name],
  /** The path of the terminal on standard input, where there is one. */
  terminalPath(): string | undefined {
    try {
      return isatty(0) ? fs.readlinkSync("/proc/self/fd/0") : undefined;
    } catch {
      return undefined;
    }
  },
  isTerminal(fd: 0 | 1 | 2): boolean {
    if (!deno) return isatty(fd);
    return [deno.stdin, deno.stdout, deno.stderr][fd]!.isTerminal();
  },
  /** Whether this is Node itself, not a runtime that has its modules too. */
  isNode: !isDeno && !("Bun" in globalThis),
  isDeno,
  /** The runtime and its version: each compresses with gzip in its own way. */
  runtime(): string {
    const { bun, deno, node } = process().versions;
    return deno ?? bun ?? node ?? "";
  },
  /** Columns of the terminal on standard error. */
  columns: (): number => process().stderr.columns || 80,
  /** Writes text to standard error, or to standard output, all of it. */
  print(text: string, fd: 1 | 2 = 2): void {
    const bytes = utf8(text);
    const stream = fd === 1 ? deno?.stdout : deno?.stderr;
    for (let at = 0; at < bytes.length;) {
      try {
        at += stream?.writeSync(bytes.subarray(at)) ??
          fs.writeSync(fd, bytes, at);
      } catch (error) {
        // A full pipe that does not block: its reader is slow.
        if (errorCode(error) === "EAGAIN") {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
          continue;
        }
        // What cannot be said on standard error cannot be said at all, and a
        // reader of standard output that has gone away wants no more.
        if (fd === 2 || errorCode(error) === "EPIPE") return;
        throw fileError("Cannot write standard output", error);
      }
    }
  },
  /** Whether a program of that name is on PATH. */
  hasProgram(name: string): boolean {
    const windows = process().platform === "win32";
    return (process().env.PATH ?? "").split(windows ? ";" : ":").some(
      (path) => {
        try {
          const stat = fs.statSync(join(path, windows ? `${name}.exe` : name));
          return stat.isFile() && (windows || (stat.mode & 0o111) !== 0);
        } catch (error) {
          // Where Deno may not look, it may still run it.
          return isForbidden(error);
        }
      },
    );
  },
  /** Whether there is anything of that path. */
  exists(path: string): boolean {
    try {
      return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      if (isForbidden(error)) throw error;
      // Not each runtime names the file.
      throw fileError(`Cannot look at ${shown(path)}`, error);
    }
  },
  /** Removes a file, if it is there. */
  remove: (path: string): void => fs.rmSync(path, { force: true }),
  isDirectory(path: string): boolean {
    try {
      return fs.statSync(path).isDirectory();
    } catch {
      // Opening it says what is wrong.
      return false;
    }
  },
  /**
   * The identity of a plain file, the same by each path that leads to it.
   *
   * @param file A path, or an open file's number.
   * @returns `undefined` if there is no such file, or it is not a plain one.
   */
  fileIdentity(file: string | number): string | undefined {
    try {
      const stat = typeof file === "number"
        ? fs.fstatSync(file, { bigint: true })
        : fs.statSync(file, { bigint: true, throwIfNoEntry: false });
      return stat?.isFile() ? fileId(stat) : undefined;
    } catch {
      return undefined;
    }
  },
  /** Whether a path leads to a plain file below a directory. */
  isBelow(path: string, directory: string): boolean {
    try {
      const top = join(fs.realpathSync(directory), "/");
      return fs.statSync(path).isFile() &&
        fs.realpathSync(path).startsWith(top);
    } catch {
      // Opening them says what is wrong.
      return false;
    }
  },
  /** A small text file or pipe, whole. */
  readText,
  /** The same, as bytes. */
  readBytes,
  /** A small text file, whole; `undefined` if there is none. */
  readTextIfThere(path: string): string | undefined {
    try {
      return fs.readFileSync(path, "utf8");
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw fileError(`Cannot read ${path}`, error);
    }
  },
  /** All that standard input holds, as text. */
  readInput(): string {
    try {
      return fs.readFileSync(0, "utf8");
    } catch (error) {
      throw fileError("Cannot read standard input", error);
    }
  },
  /** Calls `handle` with the exit code when a signal ends the program. */
  onSignal(handle: (exitCode: number) => void): void {
    const arrive = (exitCode: number) => {
      const stop = stopGently;
      stopGently = undefined;
      if (stop) stop(exitCode);
      else handle(exitCode);
    };
    const here = process();
    here.on("SIGINT", () => arrive(130));
    here.on("SIGTERM", () => arrive(143));
    if (here.platform === "win32") return;
    // Node ends by a signal that nobody listens to, even if nohup ignores it.
    here.on("SIGHUP", isUnderNohup() ? () => {} : () => arrive(129));
    // A file that grows too large is an error of its write, not the end.
    here.on("SIGXFSZ", () => {});
  },
  /** The first signal calls `stop`; the second one ends the program. */
  onFirstSignal(stop: (exitCode: number) => void): void {
    stopGently = stop;
  },
  /**
   * Runs a program, and ends the process then even if somebody still holds a pipe
   * open.
   *
   * @param program Gets the words after the program's name; returns the exit code.
   * @param stuck Returns the exit code if the program waits for what never comes:
   * without it the process would end with code 0. It gets an error that a module
   * of the runtime throws where no caller can get it.
   */
  run(
    program: (args: string[]) => Promise<number>,
    stuck: (error?: unknown) => number,
  ): void {
    // Not from here: an error whose stack has the code that loads the program makes
    // V8 read all of that once more.
    Promise.resolve().then(() => program(host.args)).then(host.exit);
    const end = () => host.exit(stuck());
    if (deno) {
      globalThis.addEventListener("beforeunload", end);
      globalThis.addEventListener("error", (event) => {
        event.preventDefault();
        host.exit(stuck((event as ErrorEvent).error));
      });
      globalThis.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        host.exit(stuck((event as PromiseRejectionEvent).reason));
      });
      return;
    }
    process().on("beforeExit", end);
    process().on("uncaughtException", (error) => host.exit(stuck(error)));
  },
  /**
   * Lets the program's start come to its end before long work begins: Deno gives
   * memory back then.
   */
  afterStart: (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve)),
  exit(code: number): never {
    if (host.isNode) {
      wakeReads();
      endBySignal(code);
    }
    return deno?.exit(code) ?? process().exit(code);
  },
};

/**
 * Whether nohup has started this program. Runtimes forget which signals were
 * ignored when they started; but shells name the program that they start in `_`,
 * and nohup gives a standard input that cannot be read.
 */
function isUnderNohup(): boolean {
  try {
    if (/(^|\/)nohup$/.test(process().env._ ?? "")) return true;
  } catch {
    // Deno without --allow-env; standard input may say it.
  }
  try {
    const input = fs.fstatSync(0);
    if (!isNullDevice(input)) return false;
    fs.readSync(0, new Uint8Array(1), 0, 1, null);
    return false;
  } catch (error) {
    return errorCode(error) === "EBADF";
  }
}
