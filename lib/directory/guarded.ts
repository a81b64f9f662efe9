import { dirname, fs, tmpdir } from "../system/node.ts";
import { ownIds } from "../system/own_ids.ts";
import type { FileFacts } from "./file_facts.ts";

/** Write permission for a group or for all; access control lists show in it. */
const WRITABLE = 0o022;
/** In such a directory only a file's owner can rename it (inode(7)). */
const STICKY = 0o1000;

type Owned = Pick<FileFacts, "uid" | "mode">;

/** Tells in which directories of a tree only this user and root rename files. */
export class Guard {
  readonly #own: number;

  private constructor(own: number) {
    this.#own = own;
  }

  /**
   * Looks at what leads to a tree.
   *
   * @param root Path of the tree's root directory.
   * @returns `undefined` if others may rename a directory above it, or if that is
   * not known.
   */
  static of(root: string): Guard | undefined {
    try {
      let path = fs.realpathSync(root);
      // To find out the own number takes a new file there.
      const temporary = `${fs.realpathSync(tmpdir())}/`;
      if (temporary.startsWith(path.replace(/\/*$/, "/"))) return undefined;
      const guard = new Guard(ownIds().uid);
      while (dirname(path) !== path) {
        path = dirname(path);
        const { uid, mode } = fs.statSync(path);
        // What is below has an owner that is looked at too.
        const isSticky = (mode & STICKY) !== 0;
        if (!guard.keeps({ uid, mode: isSticky ? 0 : mode })) return undefined;
      }
      return guard;
    } catch {
      // Reading the files says what is wrong.
      return undefined;
    }
  }

  /** Whether only this user and root can rename what is in a directory. */
  keeps({ uid, mode }: Owned): boolean {
    return (uid === 0 || uid === this.#own) && (mode & WRITABLE) === 0;
  }
}
