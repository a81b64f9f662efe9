import { textDigest } from "../streams/sha256.ts";
import { fs, join } from "./node.ts";

/** Remembers unfinished uploads in files of a directory, one each. */
export interface FileMemory {
  get(key: string): string | undefined;
  set(key: string, place: string | undefined): void;
}

/**
 * Remembers the places of unfinished uploads in a directory of this user, so
 * that a push that was killed can go on. An upload whose place cannot be
 * written begins anew.
 *
 * @param directory The directory; made when it is needed.
 */
export function uploadMemory(directory: string): FileMemory {
  const pathOf = (key: string) => join(directory, textDigest(key));
  return {
    get(key) {
      try {
        return fs.readFileSync(pathOf(key), "utf8");
      } catch {
        return undefined;
      }
    },
    set(key, place) {
      const path = pathOf(key);
      try {
        if (place === undefined) fs.rmSync(path, { force: true });
        else {
          fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
          // A place may hold what lets others write to the upload.
          fs.writeFileSync(path, place, { mode: 0o600 });
        }
      } catch {
        // See above.
      }
    },
  };
}
