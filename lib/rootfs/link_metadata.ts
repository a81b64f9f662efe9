import type { StoredEntry } from "./stored_entries.ts";

/** A checksum of what a hard link's header must share with its target's. */
export function linkMetadata(
  { entry, globals }: StoredEntry,
): number {
  let hash = entry.mode & 0o7777;
  hash = mix(hash, entry.uid);
  hash = mix(hash, entry.gid);
  hash = mix(hash, entry.mtime);
  if (globals.size === 0 && entry.records.length === 0) return hash >>> 0;
  const records = globals.size === 0
    ? entry.records
    : new Map([...globals, ...entry.records]);
  for (const [key, value] of records) {
    if (
      key !== "uid" && key !== "gid" && key !== "mtime" &&
      !key.startsWith("SCHILY.xattr.")
    ) continue;
    for (let i = 0; i < key.length; i++) hash = mix(hash, key.charCodeAt(i));
    for (let i = 0; i < value.length; i++) hash = mix(hash, value[i]!);
  }
  return hash >>> 0;
}

function mix(hash: number, value: number): number {
  hash = Math.imul(hash ^ (value | 0), 0x01000193);
  return hash ^ (hash >>> 15) ^ (value / 0x100000000);
}
