import { InputError } from "../errors/input_error.ts";
import { fs, join, tmpdir } from "./node.ts";
import { fileError } from "./errors.ts";
import { leftovers } from "./leftovers.ts";
import { temporaryName } from "./temporary_name.ts";

/** A directory to be filled. */
export interface NewDirectory {
  /** Where the files are to be written. */
  readonly path: string;
  /** Puts it in its place, complete. */
  commit(): void;
  /** Leaves nothing of it behind. */
  abort(): void;
}

/**
 * Opens a directory to be filled: a new one, which is filled under a temporary
 * name beside its place and gets its own name on `commit()`, or an empty one.
 *
 * @throws {Error} If it cannot be made or is not empty.
 */
export function openNewDirectory(path: string): NewDirectory {
  try {
    const there = fs.statSync(path, { throwIfNoEntry: false });
    if (there && fs.readdirSync(path).length > 0) {
      throw new InputError(
        "it is not empty; give a new directory, or an empty one",
      );
    }
    const clean = path.replace(/(?<=.)\/+$/, "");
    const place = there ? path : temporaryName(clean);
    if (!there) fs.mkdirSync(place);
    const remove = () => {
      const names = there ? fs.readdirSync(place) : [""];
      for (const name of names) {
        fs.rmSync(join(place, name), { recursive: true, force: true });
      }
    };
    leftovers.add(remove);
    return {
      path: place,
      commit() {
        try {
          if (!there) fs.renameSync(place, clean);
        } catch (error) {
          throw fileError(`Cannot write ${path}`, error);
        }
        leftovers.delete(remove);
      },
      abort() {
        remove();
        leftovers.delete(remove);
      },
    };
  } catch (error) {
    throw fileError(`Cannot write ${path}`, error);
  }
}

/** A temporary directory, for a file that must have a certain name. */
export function openTemporary(): { path: string; remove(): void } {
  const path = fs.mkdtempSync(join(tmpdir(), "ciso-"));
  const remove = () => fs.rmSync(path, { recursive: true, force: true });
  leftovers.add(remove);
  return {
    path,
    remove() {
      remove();
      leftovers.delete(remove);
    },
  };
}
