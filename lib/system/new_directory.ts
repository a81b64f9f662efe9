import { InputError } from "../errors/input_error.ts";
import { basename, dirname, fs, join, process, tmpdir } from "./node.ts";
import { checkDots } from "./dotted_path.ts";
import { writeError } from "./errors.ts";
import { leftovers } from "./leftovers.ts";
import { ownIds } from "./own_ids.ts";
import { temporaryName } from "./temporary_name.ts";

/** A directory to be filled. */
export interface NewDirectory {
  /** Where the files are to be written. */
  readonly path: string;
  /** Puts it in its place, complete. */
  commit(): void;
  /** Removes all of it. */
  abort(): void;
}

/**
 * Opens a directory to be filled: a new one, which is filled under a temporary
 * name beside its place and gets its own name on `commit()`, or an empty one.
 * Only its owner may look into it, then and later: it may hold programs that run
 * as root.
 *
 * @throws {FileError} If it cannot be made, is not empty, or somebody else could
 * put something in its place.
 */
export function openNewDirectory(path: string): NewDirectory {
  const failed = (error: unknown) => writeError(path, error);
  try {
    checkDots(path);
    const there = fs.statSync(path, { throwIfNoEntry: false }) !== undefined;
    const clean = path.replace(/(?<=.)\/+$/, "");
    let place: string;
    if (there) {
      place = fs.realpathSync(path);
      checkEmpty(place);
      checkOwned(place);
      fs.chmodSync(place, 0o700);
      checkEmpty(place);
    } else {
      const parent = fs.realpathSync(dirname(clean));
      checkOwned(join(parent, basename(clean)));
      place = temporaryName(join(parent, basename(clean)));
      fs.mkdirSync(place, 0o700);
    }
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
          if (!there) {
            fs.renameSync(place, join(dirname(place), basename(clean)));
          }
        } catch (error) {
          throw failed(error);
        }
        leftovers.delete(remove);
      },
      abort() {
        remove();
        leftovers.delete(remove);
      },
    };
  } catch (error) {
    throw failed(error);
  }
}

function checkEmpty(path: string): void {
  if (fs.readdirSync(path).length > 0) {
    throw new InputError(
      "it is not empty; give a new directory, or an empty one",
    );
  }
}

/**
 * Refuses a directory if another user could put something in its place: one who
 * owns it or a directory on the way to it, or may write there. What is unpacked
 * then lands wherever a symlink of theirs leads.
 *
 * @param path The directory, without symlinks on the way; it need not be there.
 */
function checkOwned(path: string): void {
  if (process().platform === "win32") return;
  const own = ownIds().uid;
  // In a user namespace the owner of / has no number of its own.
  const trusted = new Set([0, own, fs.statSync("/").uid]);
  for (let at = path, below = ""; at !== below; below = at, at = dirname(at)) {
    const stat = fs.lstatSync(at, { throwIfNoEntry: false });
    if (!stat) continue;
    if (!trusted.has(stat.uid)) {
      throw new InputError(
        `another user (${stat.uid}) owns ${at} and could lead it astray; ` +
          "choose a directory of your own",
      );
    }
    // Among root's files, a group's members count as other users.
    const writers = own === 0 ? 0o022 : 0o002;
    // Of a sticky directory others cannot move what is not theirs.
    const isSafe = at !== path && (stat.mode & 0o1000) !== 0;
    if ((stat.mode & writers) !== 0 && !isSafe) {
      throw new InputError(
        `other users may write to ${at} and could lead it astray; choose a ` +
          `directory that only you may write to, or chmod go-w ${at}`,
      );
    }
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
