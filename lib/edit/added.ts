import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { fileHeader } from "../directory/file_header.ts";
import { whiteoutMarker } from "../rootfs/whiteouts.ts";
import { fromStream } from "../streams/source.ts";
import { closing, newHeader, padding } from "../tar/header.ts";
import { ancestorLength, components } from "../tar/path.ts";
import type { Addition, Edits, Look, Removal } from "./edits.ts";
import { covers, keyOf } from "./fates.ts";
import { editedEntries } from "./edited_entries.ts";

/**
 * The entries of added files, and of the directories above them that are not
 * there.
 *
 * @param look Tells what is there.
 * @throws {InputError} If something else is in the way.
 */
export async function* addedEntries(
  edits: Edits,
  look: Look,
): AsyncGenerator<Uint8Array> {
  const made = new Set<string>();
  for (const addition of edits.add ?? []) {
    const { path, isTree, tally } = addition;
    for (const above of directoriesAbove(path)) {
      const found = look(above);
      if (found === "other") throw inTheWay(addition, above);
      if (found || made.has(keyOf(above))) continue;
      made.add(keyOf(above));
      yield fileHeader({
        ...recordOf(addition, edits),
        kind: "directory",
        path: above,
        mode: 0o755,
        ...(edits.owner ?? { uid: 0, gid: 0 }),
        size: 0,
        seconds: timeOf(0, edits),
      });
    }
    const found = path.length === 0 ? "directory" : look(path);
    if (isTree && found === "other") throw inTheWay(addition, path);
    if (!isTree && found === "directory") throw directoryThere(addition);
    if (isTree) yield* addedTree(addition, edits, look);
    else {
      tally.entries++;
      yield* addedFile(addition, edits);
    }
  }
}

/**
 * The layer that adds files to an image, and deletes what its layers have.
 *
 * @param look Tells what its layers have.
 */
export async function* topLayer(
  edits: Edits,
  removals: readonly Removal[],
  look: Look,
): AsyncGenerator<Uint8Array> {
  for (const { path, tally } of removals) {
    if (!look(path)) continue;
    tally.entries++;
    yield newHeader({
      path: whiteoutMarker(path),
      type: "file",
      mtime: timeOf(0, edits),
    });
  }
  const left: Look = (path) =>
    removals.some((removal) => covers(removal.path, path))
      ? undefined
      : look(path);
  yield* addedEntries(edits, left);
  yield closing();
}

function* directoriesAbove(path: Uint8Array): Generator<Uint8Array> {
  for (let levels = [...components(path)].length - 1; levels > 0; levels--) {
    yield path.slice(0, ancestorLength(path, levels));
  }
}

async function* addedFile(
  addition: Addition,
  edits: Edits,
): AsyncGenerator<Uint8Array> {
  const { source, path } = addition;
  yield fileHeader(recordOf(addition, edits));
  let size = 0;
  for await (const chunk of fromStream(source.stream())) {
    size += chunk.length;
    yield chunk;
  }
  if (size !== source.size) {
    throw new InputError(
      `The file for ${shown(path)} has changed while it was read: try again`,
    );
  }
  yield padding(size);
}

/** The record of an added file; later edits hold for it, too. */
function recordOf(addition: Addition, edits: Edits) {
  const { path, owner, hasOwner, hasMode, seconds, source } = addition;
  let { mode } = addition;
  const text = new TextDecoder().decode(path);
  for (const { glob, change, tally } of hasMode ? [] : edits.chmod ?? []) {
    if (!glob.test(text)) continue;
    tally.met = true;
    const now = change(mode, false);
    if (now !== mode) tally.entries++;
    mode = now;
  }
  const { uid, gid } = hasOwner ? owner : edits.owner ?? owner;
  return {
    kind: "file" as const,
    path,
    mode,
    uid,
    gid,
    size: source.size,
    seconds: timeOf(seconds, edits),
    nanoseconds: 0,
    major: 0,
    minor: 0,
  };
}

/** A time as the edits have it. */
function timeOf(seconds: number, { time }: Edits): number {
  if (!time || time.clamp && seconds <= time.seconds) return seconds;
  return time.seconds;
}

async function* addedTree(
  { path, source, tally, hasMode }: Addition,
  { chmod, time }: Edits,
  look: Look,
): AsyncGenerator<Uint8Array> {
  const edits: Edits = { chmod: hasMode ? [] : chmod, time };
  const tree = editedEntries(source, edits, {
    above: path,
    look: (path) => path.length === 0 ? "directory" : look(path),
    onKept: () => {
      tally.entries++;
    },
  });
  yield* tree;
}

function inTheWay({ path }: Addition, above: Uint8Array): InputError {
  return new InputError(
    `${shown(path)} cannot be added: ${shown(above)} is there, which is no ` +
      `directory; --remove takes it away first`,
  );
}

function directoryThere({ path }: Addition): InputError {
  return new InputError(
    `${shown(path)} cannot be added: it is a directory there; give a path in ` +
      `it, or take it away with --remove`,
  );
}
