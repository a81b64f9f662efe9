import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { ascii, binary, startsWith } from "../streams/bytes.ts";
import type { Documents } from "./documents.ts";
import type { Decider, Fate, Passing } from "./pass.ts";

const PREFIX = ascii(ROOTFS);

/** Chooses an archive's entries for one face, which becomes an archive itself. */
export interface FaceEntries {
  /**
   * Says what becomes of an entry.
   *
   * @param path Its path, one character a byte.
   */
  take(path: string, passing: Passing): Fate | undefined;
  /** Whether it has all that it wants of the archive. */
  readonly isComplete?: boolean;
  /** Entries that the archive lacks, and the end. */
  end(): Uint8Array[];
}

/** Decides by a face, and reads the documents that pass by. */
export class FaceDecider implements Decider {
  readonly #face: FaceEntries;
  readonly #documents: Documents;
  readonly #read = new Set<string>();

  constructor(face: FaceEntries, documents: Documents) {
    this.#face = face;
    this.#documents = documents;
  }

  entry(passing: Passing): Fate | undefined {
    const path = binary(passing.path);
    const text = this.#documents.look(path, passing.entry);
    if (text) {
      if (this.#read.has(path)) {
        throw new InputError(
          `${shownWord(path)} is in the archive twice; ciso convert mends that`,
        );
      }
      this.#read.add(path);
    }
    const fate = this.#face.take(path, passing);
    if (!text) return fate;
    if (!fate) return { header: new Uint8Array(0), data: "none", ...text };
    return {
      ...fate,
      onData(bytes) {
        text.onData(bytes);
        fate.onData?.(bytes);
      },
      onEnd() {
        text.onEnd();
        return fate.onEnd?.();
      },
    };
  }

  /**
   * In an archive that ciso wrote, rootfs/ comes last. In others, anything may
   * follow that changes what has been passed on.
   */
  isDone(path: Uint8Array): boolean {
    return this.#face.isComplete === true && startsWith(path, PREFIX);
  }

  end(): Uint8Array[] {
    return this.#face.end();
  }
}
