import { fileHeader } from "../directory/file_header.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { padded } from "../tar/block.ts";
import { ancestorLength, components } from "../tar/path.ts";
import type { Addition, Edits, Look } from "./edits.ts";
import { keyOf } from "./fates.ts";

/** Size in bytes of the entries of added files; none of them is a tree. */
export function addedSize(edits: Edits, look: Look): number {
  const made = new Set<string>();
  let size = 0;
  for (const addition of edits.add ?? []) {
    for (const header of missingAbove(addition, edits, { look, made })) {
      size += header.length;
    }
    size += addedHeader(addition, edits).length +
      padded(addition.source.size);
  }
  return size;
}

/** What an added file and directories above it have, but for modes. */
function commonRecord(
  { owner, hasOwner, seconds, source }: Addition,
  edits: Edits,
) {
  const { uid, gid } = hasOwner ? owner : edits.owner ?? owner;
  return {
    uid,
    gid,
    size: source.size,
    seconds: timeOf(seconds, edits),
    nanoseconds: 0,
    major: 0,
    minor: 0,
  };
}

/** The header blocks of an added file; later edits hold for it, too. */
export function addedHeader(addition: Addition, edits: Edits): Uint8Array {
  const { path, hasMode } = addition;
  let { mode } = addition;
  const text = new TextDecoder().decode(path);
  for (const { glob, change, tally } of hasMode ? [] : edits.chmod ?? []) {
    if (!glob.test(text)) continue;
    tally.met = true;
    const now = change(mode, false);
    if (now !== mode) tally.entries++;
    mode = now;
  }
  return fileHeader({
    ...commonRecord(addition, edits),
    kind: "file",
    path,
    mode,
  });
}

/** The entries of directories above an added file that are not there. */
export function* missingAbove(
  addition: Addition,
  edits: Edits,
  { look, made }: { look: Look; made: Set<string> },
): Generator<Uint8Array> {
  for (const above of directoriesAbove(addition.path)) {
    const found = look(above);
    if (found === "other") throw inTheWay(addition, above);
    if (found || made.has(keyOf(above))) continue;
    made.add(keyOf(above));
    yield fileHeader({
      ...commonRecord(addition, edits),
      kind: "directory",
      path: above,
      mode: 0o755,
      ...(edits.owner ?? { uid: 0, gid: 0 }),
      size: 0,
      seconds: timeOf(0, edits),
    });
  }
}

function* directoriesAbove(path: Uint8Array): Generator<Uint8Array> {
  for (let levels = [...components(path)].length - 1; levels > 0; levels--) {
    yield path.slice(0, ancestorLength(path, levels));
  }
}

/** A time as the edits have it. */
export function timeOf(seconds: number, { time }: Edits): number {
  if (!time || time.clamp && seconds <= time.seconds) return seconds;
  return time.seconds;
}

export function inTheWay({ path }: Addition, above: Uint8Array): InputError {
  return new InputError(
    `${shown(path)} cannot be added: ${shown(above)} is there, which is no ` +
      `directory; --remove takes it away first`,
  );
}
