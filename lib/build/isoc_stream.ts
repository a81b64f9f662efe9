import { build, checkDescription } from "./build.ts";
import { type IsocDescription, withTime } from "./created.ts";
import type { ArchiveOptions, Isoc } from "./isoc.ts";
import { fromStream } from "../streams/source.ts";
import { spoolToMemory, type StreamSpool } from "../streams/spool.ts";

/** How an {@linkcode IsocStream} makes an archive. */
export interface IsocStreamOptions extends ArchiveOptions {
  /**
   * Holds a copy of the rootfs, which is read three times: once to check it,
   * twice while the archive is written. {@linkcode spoolToMemory} unless given,
   * which costs as much memory as the rootfs has bytes; `spoolToFile` costs a
   * temporary file of that size. A file or a `Blob` needs neither: see
   * {@linkcode build}.
   */
  spool?: StreamSpool;
}

/**
 * A stream that takes a rootfs tar and gives an isoc archive: one tar that
 * Docker, podman, containerd, skopeo, rkt, runc, LXD and Incus each take as
 * their own image.
 *
 * Nothing comes out before the whole rootfs has gone in: the archive starts
 * with documents that need it. A rootfs that cannot be one makes the readable
 * side fail, with the errors of {@linkcode build}; so does an input that breaks
 * off. Cancelling the readable side makes the writable side fail.
 *
 * @example
 * ```ts
 * import { IsocStream } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const tar = new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "."],
 *   stdout: "piped",
 * }).spawn();
 * const archive = new IsocStream({
 *   names: ["isoc/tests:1.0"],
 *   command: ["/bin/sh"],
 *   created: 0,
 * });
 *
 * const path = await Deno.makeTempFile({ suffix: ".isoc" });
 * await Deno.writeFile(path, tar.stdout.pipeThrough(archive));
 *
 * const { size, imageId } = await archive.result;
 * assert.equal((await Deno.stat(path)).size, size);
 * assert.match(imageId, /^[0-9a-f]{64}$/);
 * await Deno.remove(path);
 * ```
 */
export class IsocStream
  implements TransformStream<Uint8Array<ArrayBufferLike>, Uint8Array> {
  readonly #readable: ReadableStream<Uint8Array>;
  readonly #writable: WritableStream<Uint8Array<ArrayBufferLike>>;
  readonly #result: Promise<Isoc>;

  /**
   * Makes the stream.
   *
   * @param description What the image says about itself and its command.
   * @param options How the archive is made, and what holds the rootfs.
   * @throws {DescriptionError} If the image description breaks a rule of a format.
   */
  constructor(description: IsocDescription, options: IsocStreamOptions = {}) {
    const image = withTime(description);
    checkDescription(image);
    const { spool = spoolToMemory, ...buildOptions } = options;
    let resolve: (isoc: Isoc) => void;
    let reject: (error: unknown) => void;
    this.#result = new Promise((...settle) => [resolve, reject] = settle);
    // A caller of `result` sees the failure there; the others see the stream's.
    this.#result.catch(() => {});

    let input!: TransformStreamDefaultController<Uint8Array>;
    const { writable, readable } = new TransformStream<
      Uint8Array<ArrayBufferLike>,
      Uint8Array
    >({
      start(controller) {
        input = controller;
      },
    });
    async function* archive() {
      const source = await spool(readable);
      try {
        const isoc = await build(source, image, buildOptions);
        resolve(isoc);
        yield* fromStream(isoc.stream());
      } finally {
        source.close?.();
      }
    }
    const chunks = archive();
    this.#writable = writable;
    this.#readable = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { value, done } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          reject(error);
          // The writer need not go on either.
          input.error(error);
          throw error;
        }
      },
      async cancel(reason) {
        const error = reason ?? new Error("The isoc is not wanted any more");
        reject(error);
        input.error(error);
        await chunks.return(undefined).catch(() => {});
      },
    });
  }

  /** The side that gives the archive. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#readable;
  }

  /** The side that takes the rootfs, as an uncompressed tar. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable;
  }

  /**
   * What is made: its size, digests, layer and notes. It is there once the
   * rootfs is read, before the archive comes out.
   */
  get result(): Promise<Isoc> {
    return this.#result;
  }
}
