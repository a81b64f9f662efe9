import { FileError } from "../errors/file_error.ts";
import { concat, utf8 } from "../streams/bytes.ts";
import { release } from "../streams/source.ts";
import { fileError } from "../system/errors.ts";
import { mayBeThere, outputOf } from "../system/programs.ts";
import { files } from "./files.ts";
import { FOUND_FORM } from "./found_facts.ts";
import { FoundTree } from "./found_tree.ts";

/**
 * Finds all files of a tree by GNU find, which shows what Deno hides: times
 * below the millisecond, times before 1970, and symlinks' targets that are not
 * UTF-8. It is also several times as quick.
 *
 * @param root The tree's root directory.
 * @throws {FileError} If there is no GNU find, or it must not be run.
 */
export async function findTree(root: string): Promise<FoundTree> {
  const tree = new FoundTree((path) => {
    try {
      return files.countIn(concat([utf8(`${root}/`), path]));
    } catch {
      // Whoever needs the directory sees why.
      return undefined;
    }
  });
  const chunks = outputFind([".", "-printf", FOUND_FORM], root);
  const text = new Unread();
  let result = await chunks.next();
  for (; !result.done; result = await chunks.next()) {
    text.add(result.value);
    text.drop(addAll(tree, text.bytes));
  }
  // Another kind of find knows no -printf and says nothing at all.
  const code = result.value;
  // Where find cannot read something, the code is 1.
  if (code > 1 && tree.length > 0) {
    throw new FileError(
      `find ended with exit code ${code} before it had listed all of ` +
        `${root}; try again, or give a tar instead`,
    );
  }
  if (tree.length === 0 || text.bytes.length > 0) throw noFind();
  tree.hasGaps = code !== 0;
  return tree;
}

/**
 * Bytes that have come and are not used yet, in one memory: it is no Node buffer,
 * which is slower to search, and collectors let many copies pile up.
 */
class Unread {
  #room: Uint8Array = new Uint8Array(1 << 17);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  /** Adds a copy of a chunk, whose memory is given back. */
  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#room.length) {
      this.#room = concat([this.bytes, new Uint8Array(length)]);
    }
    this.#room.set(chunk, this.#length);
    this.#length = length;
    release(chunk);
  }

  /** Drops the first bytes. */
  drop(count: number): void {
    this.#room.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}

/** Adds what is whole in some bytes; gives where the rest starts. */
function addAll(tree: FoundTree, bytes: Uint8Array): number {
  for (let from = 0;;) {
    const middle = bytes.indexOf(0, from);
    const end = middle < 0 ? -1 : bytes.indexOf(0, middle + 1);
    if (end < 0) return from;
    if (!tree.add(bytes.subarray(from, end))) throw noFind();
    from = end + 1;
  }
}

/** The error for a find that is not GNU's, or cannot be run. */
export function noFind(cause?: unknown): FileError {
  return new FileError(
    "Deno shows times only to the millisecond and hides names that are not " +
      "UTF-8, so a directory needs GNU find: install it and allow it with " +
      "--allow-run=find, run ciso under Bun or Node, or give a tar instead",
    { cause },
  );
}

async function* outputFind(
  args: string[],
  root: string,
): AsyncGenerator<Uint8Array, number> {
  try {
    return yield* outputOf("find", args, root);
  } catch (error) {
    if (mayBeThere(error)) throw fileError("Cannot run find", error);
    throw noFind(error);
  }
}
