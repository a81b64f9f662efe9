import { fileError } from "./errors.ts";
import { fs, join, tmpdir } from "./node.ts";

let known: { uid: number; gid: number } | undefined;

/** Numbers of the user and the group that new files belong to. */
export function ownIds(): { uid: number; gid: number } {
  if (known) return known;
  // A question to the process needs another permission under Deno.
  const directory = newTemporary();
  try {
    const { uid, gid } = fs.statSync(directory);
    return known = { uid, gid };
  } finally {
    fs.rmdirSync(directory);
  }
}

function newTemporary(): string {
  try {
    return fs.mkdtempSync(join(tmpdir(), "ciso-"));
  } catch (error) {
    const where = `${tmpdir()} (choose another directory with TMPDIR)`;
    throw fileError(`Cannot write ${where}`, error);
  }
}

/** Whether this process may give files away and make devices. */
export function isRoot(): boolean {
  return ownIds().uid === 0;
}
