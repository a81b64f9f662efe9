import { errorCode, fileError } from "./errors.ts";
import { FileError } from "../errors/file_error.ts";
import { concat } from "../streams/bytes.ts";
import { process, spawn, spawnSync } from "./node.ts";
import { feed } from "./feed.ts";
import { leftovers } from "./leftovers.ts";
import { isForbidden, lacksEnvironment } from "./permissions.ts";

/** Milliseconds until a runtime has said why a program does not start. */
export const SOON = 1000;

/** Waits; the process can end meanwhile. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    (timer as unknown as { unref?(): void }).unref?.();
  });
}

/**
 * Runs a program in a directory.
 *
 * @returns What it writes to standard output, and then its exit code. What it says
 * of errors is passed over.
 * @throws {Error} If it cannot be started.
 */
export async function* outputOf(
  program: string,
  args: string[],
  cwd: string,
): AsyncGenerator<Uint8Array, number> {
  const child = spawn(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = endOf(child);
  // Without permission, or without file descriptors, Deno gives a child that has
  // no streams, and says later why.
  if (!child.stdout) {
    const end = await Promise.race([ended, pause(SOON)]);
    throw programError(program, end?.failure);
  }
  const chunks = child.stdout[Symbol.asyncIterator]();
  let result = await chunks.next();
  try {
    for (; !result.done; result = await chunks.next()) yield result.value;
  } finally {
    // Read to the end even so: Deno takes an end before it for a failure.
    if (!result.done) child.kill();
    while (!result.done) result = await chunks.next();
    await ended;
  }
  const { code, failure } = await ended;
  if (failure) throw programError(program, failure);
  return code;
}

/**
 * Runs a program, for its exit code alone.
 *
 * @param milliseconds How long it may take.
 * @returns Whether it ended well; `undefined` if it could not be started: it is
 * not there, or this runtime forbids it.
 */
export function runQuietly(
  program: string,
  args: string[],
  milliseconds = 30_000,
): boolean | undefined {
  try {
    const { status, signal } = spawnSync(program, args, {
      stdio: "ignore",
      timeout: milliseconds,
    });
    if (signal) return false;
    return typeof status === "number" ? status === 0 : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs a program to its end, with this one's standard output and standard error.
 *
 * @param input What it gets on its standard input; nothing unless given. When
 * that fails, the program is ended.
 * @returns Its exit code.
 * @throws {Error} If it cannot be started, or what the input throws.
 */
export async function runProgram(
  program: string,
  args: string[],
  input?: AsyncIterable<Uint8Array>,
): Promise<number> {
  const child = spawn(program, args, {
    stdio: [input ? "pipe" : "ignore", "inherit", "inherit"],
  });
  const ended = endOf(child);
  const kill = () => void child.kill();
  leftovers.add(kill);
  try {
    const { stdin } = child;
    // Without permission Deno gives a child that has no streams.
    if (input && stdin) {
      // It need not read to the end; its exit code says whether that was right.
      await feed(input, stdin);
    }
    const { code, failure } = await ended;
    if (failure) throw programError(program, failure);
    return code;
  } catch (error) {
    kill();
    await ended;
    throw error;
  } finally {
    leftovers.delete(kill);
  }
}

/** What a program has printed, and its exit code. */
export interface Collected {
  code: number;
  stdout: Uint8Array;
  stderr: string;
}

/** How {@linkcode collect} runs a program. */
export interface CollectOptions {
  /** Variables that it gets beside those of this process. */
  environment?: Record<string, string>;
  /** How long it may take; without end unless given. */
  milliseconds?: number;
}

/** Bytes that a program may print where all of them are collected. */
const MOST = 1 << 24;

/**
 * Runs a program to its end and collects what it prints, which must be little.
 *
 * @param input What it gets on its standard input; it need not read it.
 * @throws {FileError} If it cannot be started, takes too long or prints too much,
 * or what the input throws.
 */
export async function collect(
  program: string,
  args: string[],
  input: AsyncIterable<Uint8Array>,
  { environment = {}, milliseconds }: CollectOptions = {},
): Promise<Collected> {
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    // Deno asks for a permission for each variable that is read by itself.
    ...(Object.keys(environment).length > 0 &&
      { env: { ...process().env, ...environment } }),
  });
  const ended = endOf(child);
  const kill = () => void child.kill();
  leftovers.add(kill);
  const limits = limitsOf(program, milliseconds);
  try {
    // Without permission Deno gives a child that has no streams.
    if (!child.stdin) {
      const end = await Promise.race([ended, pause(SOON)]);
      throw programError(program, end?.failure);
    }
    const stdout: Uint8Array[] = [];
    const stderr: Uint8Array[] = [];
    child.stdout.on("data", (bytes: Uint8Array) => limits.add(stdout, bytes));
    child.stderr.on("data", (bytes: Uint8Array) => limits.add(stderr, bytes));
    await Promise.race([feed(input, child.stdin), limits.passed]);
    const { code, failure } = await Promise.race([ended, limits.passed]);
    if (failure) throw programError(program, failure);
    return {
      code,
      stdout: concat(stdout),
      stderr: new TextDecoder().decode(concat(stderr)),
    };
  } catch (error) {
    kill();
    // Programs that it has started hold these open.
    child.stdout?.destroy();
    child.stderr?.destroy();
    await Promise.race([ended, pause(SOON)]);
    child.kill("SIGKILL");
    throw error;
  } finally {
    limits.end();
    leftovers.delete(kill);
  }
}

/** Sees to it that a program ends, and prints little. */
function limitsOf(program: string, milliseconds: number | undefined) {
  let size = 0;
  let fail = (_message: string) => {};
  const passed = new Promise<never>((_, reject) => {
    fail = (message) => reject(new FileError(`${program} ${message}`));
  });
  // It may come when nobody waits for it any more.
  passed.catch(() => {});
  const timer = milliseconds === undefined ? undefined : setTimeout(
    () => fail(`does not end: it had ${milliseconds / 1000} seconds`),
    milliseconds,
  );
  return {
    passed,
    add(chunks: Uint8Array[], bytes: Uint8Array): void {
      size += bytes.length;
      if (size > MOST) fail(`prints more than ${MOST} bytes`);
      else chunks.push(bytes.slice());
    },
    end: () => clearTimeout(timer),
  };
}

/** How a program ends: with an exit code, or because it could not be started. */
function endOf(
  child: ReturnType<typeof spawn>,
): Promise<{ code: number; failure: Error | undefined }> {
  let failure: Error | undefined;
  return new Promise<number>((resolve) => {
    child.on("error", (error) => {
      failure = error;
      resolve(-1);
    });
    // As a shell says it when a signal ended it.
    child.on("close", (code) => resolve(code ?? 128));
  }).then((code) => ({ code, failure }));
}

/** Codes of a program that is there and cannot be started. */
const LACKS = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"];

/**
 * Whether a program that cannot be started may be there: the system lacks
 * something else, or Deno's permissions do.
 */
export function mayBeThere(cause: unknown): boolean {
  return LACKS.includes(errorCode(cause) ?? "") || lacksEnvironment(cause);
}

/** Why a program cannot be started; without a cause the runtime forbids it. */
function programError(program: string, cause: unknown): FileError {
  const what = `Cannot run ${program}`;
  // Deno says no more than that its permissions lack something.
  const isUnnamed = cause === undefined ||
    isForbidden(cause) && !lacksEnvironment(cause);
  return isUnnamed
    ? new FileError(
      `${what}: Deno does not allow it; run it with --allow-run=${program}`,
      { cause },
    )
    : fileError(what, cause);
}
