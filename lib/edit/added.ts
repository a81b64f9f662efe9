import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { whiteoutMarker } from "../rootfs/whiteouts.ts";
import { fromStream } from "../streams/source.ts";
import { closing, newHeader, padding } from "../tar/header.ts";
import type { Addition, Edits, Look, Removal } from "./edits.ts";
import {
  addedHeader,
  inTheWay,
  missingAbove,
  timeOf,
} from "./added_headers.ts";
import { covers } from "./fates.ts";
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
    yield* missingAbove(addition, edits, { look, made });
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

async function* addedFile(
  addition: Addition,
  edits: Edits,
): AsyncGenerator<Uint8Array> {
  const { source, path } = addition;
  yield addedHeader(addition, edits);
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

function directoryThere({ path }: Addition): InputError {
  return new InputError(
    `${shown(path)} cannot be added: it is a directory there; give a path in ` +
      `it, or take it away with --remove`,
  );
}
