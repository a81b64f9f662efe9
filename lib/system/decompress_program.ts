import { FileError } from "../errors/file_error.ts";
import type { Compression } from "../streams/compression.ts";
import { errorCode, fileError } from "./errors.ts";
import { feed } from "./feed.ts";
import { damaged, ownBytes } from "./inflate.ts";
import { type ChildProcessWithoutNullStreams, isDeno, spawn } from "./node.ts";
import { pause, SOON } from "./programs.ts";
import { windowError } from "./unpack_limits.ts";

/** How many bytes of a program's messages are read. */
const MESSAGES = 4096;

/** Codes of a program that is there and cannot be started. */
const LACKS = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"];

/** Bytes that xz needs besides its window. */
const XZ_MEMORY = 2 ** 22;

/**
 * Takes a compression off by the program of the same name.
 *
 * @param chunks The compressed bytes. Released.
 * @param name What messages call them.
 * @param maxWindow Bytes that the window may have at most.
 * @throws {FileError} If the program is not there, or refuses the bytes.
 */
export async function* decompressBy(
  compression: Compression,
  chunks: AsyncGenerator<Uint8Array>,
  name: string,
  maxWindow: number,
): AsyncGenerator<Uint8Array> {
  const program = await startProgram(
    compression,
    argsOf(compression, maxWindow),
    name,
  );
  const { child, ended, missing } = program;
  let messages = "";
  child.stderr.on("data", (chunk: Uint8Array) => {
    if (messages.length < MESSAGES) messages += new TextDecoder().decode(chunk);
  });
  feed(chunks, child.stdin).catch((error) => child.stdout.destroy(error));
  try {
    try {
      for await (const chunk of child.stdout) yield ownBytes(chunk);
    } catch (error) {
      // Bun closes the stream of a program that it does not find.
      child.kill();
      await ended;
      throw program.isMissing() ? missing(error) : error;
    }
    const code = await ended;
    if (program.isMissing()) throw missing(undefined);
    if (code !== 0) {
      // xz names the limit, in whatever language.
      throw compression === "xz" && messages.includes("MiB")
        ? windowError(name, compression, maxWindow)
        : damaged(name, compression);
    }
    // bzip2 passes over it, and says so in English only.
    if (messages.includes("trailing garbage")) {
      throw new FileError(
        `${name}: something else follows the ${compression} data`,
      );
    }
  } finally {
    child.kill();
  }
}

function argsOf(compression: Compression, maxWindow: number): string[] {
  switch (compression) {
    case "zstd":
      // It refuses windows above 128 MiB unless asked for more; ZstdFrames has
      // the limit.
      return ["-dc", "--long=31"];
    case "xz":
      return ["-dc", `--memlimit-decompress=${maxWindow + XZ_MEMORY}`];
    default:
      return ["-dc"];
  }
}

/** Starts a program; returns whether it is there at all. */
async function startProgram(
  program: string,
  args: string[],
  name: string,
): Promise<{
  child: ChildProcessWithoutNullStreams;
  ended: Promise<number | null>;
  isMissing(): boolean;
  missing(cause: unknown): FileError;
}> {
  const missing = (cause: unknown) => {
    // It may be there; the system lacks something else.
    if (LACKS.includes(errorCode(cause) ?? "")) {
      return fileError(`${name}: cannot start ${program}`, cause);
    }
    return new FileError(
      `${name} is compressed with ${program}, which needs the program ` +
        `${program}: install it${
          isDeno
            ? `, and under deno run allow it with --allow-run=${program}`
            : ""
        }, or decompress the file first`,
      { cause },
    );
  };
  let started = true;
  let failure: unknown;
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(program, args, { stdio: "pipe" });
    child.on("error", (error) => {
      started = false;
      failure = error;
    });
  } catch (error) {
    throw missing(error);
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => resolve(code));
    child.on("error", () => resolve(null));
  });
  // As in outputOf().
  if (!child.stdin) {
    await Promise.race([ended, pause(SOON)]);
    throw missing(failure);
  }
  return {
    child,
    ended,
    isMissing: () => !started,
    missing: (cause) => missing(failure ?? cause),
  };
}
