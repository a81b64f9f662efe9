import type { SinkHash } from "../streams/sink.ts";
import { CHUNK } from "../streams/source.ts";
import { OPEN_MEANT } from "./meant_file.ts";
import type { Work } from "./second_thread.ts";
import { keepThread, startThread, type Thread } from "./threads.ts";

/**
 * What the thread runs: it hashes stretches of files as far as messages say that
 * they have been written. It takes no file that is not the one that was meant.
 */
const CODE = `
${OPEN_MEANT}
const modules = Promise.all([import("node:crypto"), import("node:fs")]);
const works = new Map();
const buffer = new Uint8Array(${CHUNK});
const open = ({ createHash }, fs, file) => ({
  fd: openMeant(fs, file, "r"),
  at: file.start,
  hash: createHash("sha256"),
});
const pass = (fs, work, end) => {
  while (work.at < end) {
    const most = Math.min(buffer.length, end - work.at);
    const count = fs.readSync(work.fd, buffer, 0, most, work.at);
    if (count === 0) throw "it is not what it was";
    work.hash.update(buffer.subarray(0, count));
    work.at += count;
  }
};
const take = ([crypto, fs], { id, work, end, isLast, isOver }) => {
  if (isOver) return void port.off("message", listen);
  let hex;
  try {
    if (work) works.set(id, open(crypto, fs, work));
    pass(fs, works.get(id), end);
    if (isLast) hex = works.get(id).hash.digest("hex");
  } catch {
    // Whoever wants the hash makes it then.
    isLast ||= "failed";
  }
  if (!isLast) return;
  if (works.has(id)) fs.closeSync(works.get(id).fd);
  works.delete(id);
  if (isLast === true) port.postMessage([id, hex]);
};
const listen = (message) => void modules.then((them) => take(them, message));
port.on("message", listen);`;

/** Bytes after which the thread gets a message. */
const STEP = 1 << 20;

/** A thread that makes several hashes at a time: under Deno each takes 20 MiB. */
class HashThread {
  /** Hashes that it makes now. */
  users = 0;
  hasEnded = false;
  #ids = 0;
  readonly #thread: Thread | undefined;
  readonly #waiting = new Map<number, (hex: string | undefined) => void>();

  constructor() {
    const thread = startThread(CODE, undefined);
    this.#thread = thread;
    const end = () => {
      this.hasEnded = true;
      for (const resolve of this.#waiting.values()) resolve(undefined);
      this.#waiting.clear();
    };
    thread?.on("message", ([id, hex]: [number, string | undefined]) => {
      this.#waiting.get(id)?.(hex);
      this.#waiting.delete(id);
    });
    thread?.on("error", end);
    thread?.on("exit", end);
    if (!thread) end();
    // The process need not wait for it.
    thread?.unref();
  }

  /** Begins a hash. */
  begin(work: Omit<Work, "otherwise">): number {
    this.users++;
    const id = this.#ids++;
    this.#thread?.postMessage({ id, work, end: work.start });
    return id;
  }

  /** Says up to where the file is written. */
  advance(id: number, end: number): void {
    this.#thread?.postMessage({ id, end });
  }

  /** Gives the digest, or `undefined` if the thread cannot make it. */
  async hex(id: number, end: number): Promise<string | undefined> {
    const result = new Promise<string | undefined>((resolve) =>
      this.hasEnded ? resolve(undefined) : this.#waiting.set(id, resolve)
    );
    this.#thread?.ref();
    this.#thread?.postMessage({ id, end, isLast: true });
    const hex = await result;
    if (this.#waiting.size === 0) this.#thread?.unref();
    this.#leave();
    return hex;
  }

  /** Gives a hash up. */
  cancel(id: number): void {
    this.#thread?.postMessage({ id, end: 0, isLast: "given up" });
    this.#leave();
  }

  #leave(): void {
    if (--this.users > 0) return;
    this.#thread?.postMessage({ isOver: true });
    if (this.#thread && !this.hasEnded) keepThread(this.#thread);
  }
}

let shared: HashThread | undefined;

/**
 * A SHA-256 of a stretch of a file that is being written, by a thread that all
 * such hashes share.
 */
export class FileHash implements SinkHash {
  readonly #file: Work;
  readonly #thread: HashThread;
  readonly #id: number;
  #end: number;
  #told: number;
  #isOver = false;

  /** @param file What is hashed. */
  constructor(file: Work) {
    if (!shared?.users || shared.hasEnded) shared = new HashThread();
    this.#thread = shared;
    this.#file = file;
    const { otherwise: _, ...work } = file;
    this.#id = shared.begin(work);
    this.#end = file.start;
    this.#told = file.start;
  }

  advance(end: number): void {
    this.#end = end;
    if (end < this.#told + STEP) return;
    this.#told = end;
    this.#thread.advance(this.#id, end);
  }

  async hex(): Promise<string> {
    this.#isOver = true;
    const hex = await this.#thread.hex(this.#id, this.#end);
    return hex ?? this.#file.otherwise(this.#end);
  }

  cancel(): void {
    if (!this.#isOver) this.#thread.cancel(this.#id);
    this.#isOver = true;
  }
}
