import { fs, isatty, join, process } from "./node.ts";
import { errorCode, fileError } from "./errors.ts";

/** What a program sees of its process. */
export const host = {
  /** The words behind the program's name. */
  get args(): string[] {
    return process.argv.slice(2);
  },
  env: (name: string): string | undefined => process.env[name] || undefined,
  isTerminal: (fd: 0 | 1 | 2): boolean => isatty(fd),
  /** Columns of the terminal on standard error. */
  columns: (): number => process.stderr.columns || 80,
  /** Writes text to standard error, or to standard output. */
  print(text: string, fd: 1 | 2 = 2): void {
    try {
      fs.writeSync(fd, text);
    } catch (error) {
      // What cannot be told on standard error cannot be told at all, and a
      // reader of standard output that has gone away wants to hear no more.
      if (fd === 2 || errorCode(error) === "EPIPE") return;
      throw fileError("Cannot write standard output", error);
    }
  },
  /** Tells whether a program of that name is on PATH. */
  hasProgram(name: string): boolean {
    const windows = process.platform === "win32";
    return (process.env.PATH ?? "").split(windows ? ";" : ":").some((path) => {
      try {
        const stat = fs.statSync(join(path, windows ? `${name}.exe` : name));
        return stat.isFile() && (windows || (stat.mode & 0o111) !== 0);
      } catch {
        return false;
      }
    });
  },
  /** Tells whether there is anything of that path. */
  exists: (path: string): boolean =>
    fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
  isDirectory: (path: string): boolean =>
    fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  /** A small text file, whole. */
  readText(path: string): string {
    try {
      return fs.readFileSync(path, "utf8");
    } catch (error) {
      throw fileError(`Cannot read ${path}`, error);
    }
  },
  /** Calls `handle` with the exit code when the user or the system says stop. */
  onSignal(handle: (exitCode: number) => void): void {
    process.on("SIGINT", () => handle(130));
    process.on("SIGTERM", () => handle(143));
    if (process.platform !== "win32") process.on("SIGHUP", () => handle(129));
  },
  exit: (code: number): never => process.exit(code),
};
