import type {
  Sink,
  SinkCopy,
  SinkHash,
  SinkUnpack,
  UnpackPlace,
} from "../streams/sink.ts";
import type { Making, PackedFile, Source } from "../streams/source.ts";
import { fileError } from "./errors.ts";
import { readFile, takeTurn, writeFile } from "./fd.ts";
import { FileHash } from "./file_hash.ts";
import { FileCopy, type Target } from "./file_copy.ts";
import { FileUnpack } from "./file_unpack.ts";
import { fileId } from "./file_id.ts";
import { fileStream } from "./file_source.ts";
import { hashFile } from "./hash_file.ts";
import { LateHash } from "./late_hash.ts";
import { leftovers } from "./leftovers.ts";
import { fs } from "./node.ts";
import { paysThread } from "./threads.ts";
import { SecondThread, type Work } from "./second_thread.ts";
import { temporaryName } from "./temporary_name.ts";

/** A new file beside its place, as a sink. */
export class FileSink implements Sink {
  /** The file that is being written. */
  fd: number;
  /** Its path. */
  path: string;
  readonly #place: string;
  readonly #name: string;
  readonly #mode: number;
  /** Files that have no name any more but are still read. */
  readonly #old: number[] = [];
  readonly #remove = () => {
    try {
      // What is on its way to the disk would be waited for.
      fs.ftruncateSync(this.fd);
    } catch {
      // It takes longer then.
    }
    this.#removeName();
  };

  /**
   * Makes the file.
   *
   * @param place The path that it gets in the end.
   * @param name What messages call it.
   * @param mode Permission bits, from which the umask takes some.
   * @throws The system's own error.
   */
  constructor(place: string, name: string, mode: number) {
    this.#place = place;
    this.#name = name;
    this.#mode = mode;
    this.path = temporaryName(place);
    this.fd = fs.openSync(this.path, "wx+", mode);
    leftovers.add(this.#remove);
  }

  write(bytes: Uint8Array, position: number): void {
    try {
      writeFile(this.fd, bytes, position);
    } catch (error) {
      throw this.#error(error);
    }
  }

  pause(): Promise<void> | undefined {
    return takeTurn();
  }

  source(start: number, size: () => number): Source {
    const { fd } = this;
    const slice = (from: number, to: number) => ({
      stream: () =>
        fileStream(
          (buffer, position) => readFile(fd, buffer, position),
          start + from,
          start + Math.max(from, Math.min(to, size())),
        ),
    });
    // Nobody else writes into it.
    return {
      isSteady: true,
      stream: () => slice(0, size()).stream(),
      slice,
      fill(buffer, from) {
        const length = Math.max(Math.min(buffer.length, size() - from), 0);
        return readFile(fd, buffer.subarray(0, length), start + from);
      },
    };
  }

  hash(start: number, size: number, isLate = false): SinkHash | undefined {
    if (!paysThread(size)) return undefined;
    return isLate
      ? new LateHash(start, () => this.#beside(start))
      : this.#beside(start);
  }

  hashShared(start: number, size: number): SinkHash | undefined {
    if (!paysThread(size)) return undefined;
    return new FileHash(this.#target(start));
  }

  copy(
    making: Making,
    start: number,
    onMade?: (end: number) => void,
  ): SinkCopy | undefined {
    if (!paysThread(making.patchwork.size)) return undefined;
    return new FileCopy(making, { ...this.#writable(start), onMade });
  }

  unpack(packed: PackedFile, place: UnpackPlace): SinkUnpack | undefined {
    if (!paysThread(packed.place.size)) return undefined;
    const { fd } = this;
    return new FileUnpack(packed, {
      ...place,
      ...this.#writable(place.start),
      room: Math.min(place.room, packed.limit),
      read: (buffer, position) => void readFile(fd, buffer, position),
    });
  }

  #writable(start: number): Target {
    const write = (bytes: Uint8Array, at: number) => this.write(bytes, at);
    return { ...this.#target(start), write };
  }

  #beside(start: number): SecondThread {
    return new SecondThread(this.#target(start));
  }

  #target(start: number): Work & { path: string } {
    const { fd, path } = this;
    return {
      path,
      id: fileId(fs.fstatSync(fd, { bigint: true })),
      start,
      otherwise: (end) => hashFile(fd, start, end),
    };
  }

  renew(): void {
    try {
      this.#removeName();
      this.#old.push(this.fd);
      this.path = temporaryName(this.#place);
      this.fd = fs.openSync(this.path, "wx+", this.#mode);
    } catch (error) {
      throw this.#error(error);
    }
  }

  end(size: number): void {
    try {
      // What was written by a wrong guess may be longer.
      fs.ftruncateSync(this.fd, size);
    } catch (error) {
      throw this.#error(error);
    }
  }

  /** Closes it; nothing can be read of it any more either. */
  close(): void {
    for (const fd of [...this.#old.splice(0), this.fd]) {
      if (fd >= 0) fs.closeSync(fd);
    }
    this.fd = -1;
  }

  /** Gives it its place. */
  commit(): void {
    fs.renameSync(this.path, this.#place);
    leftovers.delete(this.#remove);
  }

  /** Removes it, and closes it. */
  remove(): void {
    try {
      this.#remove();
    } finally {
      this.close();
    }
    leftovers.delete(this.#remove);
  }

  #removeName(): void {
    fs.rmSync(this.path, { force: true });
  }

  #error(cause: unknown): Error {
    return fileError(`Cannot write ${this.#name}`, cause);
  }
}
