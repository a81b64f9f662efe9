import { fs, join, tmpdir } from "./node.ts";

let known: { uid: number; gid: number } | undefined;

/** Numbers of the user and the group that new files belong to. */
export function ownIds(): { uid: number; gid: number } {
  if (known) return known;
  // A question to the process needs another permission under Deno.
  const directory = fs.mkdtempSync(join(tmpdir(), "ciso-"));
  try {
    const { uid, gid } = fs.statSync(directory);
    return known = { uid, gid };
  } finally {
    fs.rmdirSync(directory);
  }
}

/** Whether this process may give files away and make devices. */
export function isRoot(): boolean {
  return ownIds().uid === 0;
}
