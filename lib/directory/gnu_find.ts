import { FileError } from "../errors/file_error.ts";
import { shown } from "../errors/shown.ts";
import { asciiText, isUtf8 } from "../streams/bytes.ts";
import type { FileList } from "./file_list.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { errorCode, fileError } from "../system/errors.ts";
import { outputOf } from "../system/programs.ts";

/**
 * Puts into a list of files what Deno hides of them, as GNU find prints it:
 * times below the millisecond, times before 1970, and symlinks' targets that
 * are not UTF-8.
 *
 * @param list What a walk through the tree has found.
 * @param root The tree's root directory.
 * @param isExcluded Whether the rules leave a path out.
 * @throws {Error} If there is no GNU find, or it must not be run, or the tree is
 * not as the walk has seen it, or holds names that are not UTF-8: Deno cannot
 * read their files.
 */
export async function addHiddenFacts(
  list: FileList,
  root: string,
  isExcluded: (path: Uint8Array) => boolean,
): Promise<void> {
  const index = new PathIndex();
  for (let slot = 0; slot < list.length; slot++) {
    const path = list.path(slot);
    index.add(path, { node: NODE.file, offset: 0, link: 0 });
  }
  const seen = new Uint8Array(list.length);
  for await (const { path, time, target } of findFiles(root)) {
    const slot = index.find(path);
    if (slot < 0) {
      if (isExcluded(path)) continue;
      if (!isUtf8(path)) {
        throw new FileError(
          `Deno cannot read ${shown(path)} in ${root}: its name is not ` +
            "UTF-8; run ciso under Bun or Node, or give a tar instead",
        );
      }
      throw changed(path, root, "appeared");
    }
    seen[slot] = 1;
    const [, seconds, fraction] = /^(-?\d+)\.?(\d*)/.exec(time) ?? [];
    if (seconds === undefined) throw noFind();
    list.setTime(
      slot,
      Number(seconds),
      Number((fraction ?? "").padEnd(9, "0").slice(0, 9)),
    );
    if (list.kind(slot) === "symlink") list.setTarget(slot, target);
  }
  // Another kind of find knows no -printf and says nothing at all.
  if (seen[0] !== 1) throw noFind();
  const gone = seen.indexOf(0);
  if (gone >= 0) throw changed(list.path(gone), root, "vanished");
}

function changed(path: Uint8Array, root: string, what: string): FileError {
  return new FileError(
    `${shown(path)} in ${root} ${what} while the tree was read; try again`,
  );
}

function noFind(cause?: unknown): FileError {
  return new FileError(
    "Deno shows times only to the millisecond and hides names that are not " +
      "UTF-8, so a directory needs GNU find: install it and allow it with " +
      "--allow-run=find, run ciso under Bun or Node, or give a tar instead",
    { cause },
  );
}

interface Found {
  path: Uint8Array;
  /** Seconds since 1970 with a fraction that always counts upwards. */
  time: string;
  /** A symlink's target; empty for all else. */
  target: Uint8Array;
}

/** All files below a directory but sockets, and the directory itself. */
async function* findFiles(root: string): AsyncGenerator<Found> {
  const form = "%P\\0%T@\\0%l\\0";
  const fields: Uint8Array[] = [];
  for await (
    const field of untilNul(
      outputFind([".", "!", "-type", "s", "-printf", form], root),
    )
  ) {
    if (fields.push(field) < 3) continue;
    const [path, time, target] = fields.splice(0) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    yield { path, time: asciiText(time), target };
  }
}

async function* outputFind(
  args: string[],
  root: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* outputOf("find", args, root);
  } catch (error) {
    // find may be there; the system lacks something else.
    const code = errorCode(error);
    if (["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"].includes(code ?? "")) {
      throw fileError("Cannot run find", error);
    }
    throw noFind(error);
  }
}

/** Splits bytes at their NULs. */
async function* untilNul(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let from = 0;
    for (let at; (at = bytes.indexOf(0, from)) >= 0; from = at + 1) {
      yield bytes.subarray(from, at);
    }
    rest = bytes.subarray(from);
  }
}
