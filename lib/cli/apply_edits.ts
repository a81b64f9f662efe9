import { topLayer } from "../edit/added.ts";
import { editedFile, editedTar } from "../edit/edited_tar.ts";
import type { Addition, EditedTar, Edits, Look } from "../edit/edits.ts";
import { LookAhead } from "../edit/look_ahead.ts";
import { sortedTar } from "../edit/sorted.ts";
import { openDirectory } from "../directory/open_directory.ts";
import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import type { LayerInput } from "../rootfs/layer_stack.ts";
import { NODE } from "../rootfs/path_index.ts";
import type { RootfsTree } from "../rootfs/rootfs_tree.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import { EMPTY_DIGEST } from "../streams/sha256.ts";
import { fromStream, type Source, toStream } from "../streams/source.ts";
import { host } from "../system/host.ts";
import { openSpool } from "../system/spool_file.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import type { WalkOptions } from "../directory/walk.ts";
import type { BuildInputs } from "./build_inputs.ts";
import type { InputStore } from "./input_store.ts";
import type { EditPlan } from "./edit_plan.ts";
import { ofFile } from "./failure.ts";
import { madeTar } from "./made_tar.ts";
import { UsageError } from "./usage_error.ts";

/** How edits are done. */
export interface EditWork {
  /** Whether nothing else is built of the same files. */
  isOnly: boolean;
  /** Gets how many more bytes a sort has read. */
  onRead: ((bytes: number) => void) | undefined;
}

/**
 * Puts edits between the inputs and what is built of them. All that can be
 * edited as it streams by is; only a sort reads its input here.
 *
 * A rootfs gets added files itself, layers get one more layer for them, as they
 * do for what is removed, unless there is one layer alone.
 *
 * @throws {Error} If a file to be added cannot be read.
 */
export async function applyEdits(
  inputs: BuildInputs,
  { plan, directory }: { plan: EditPlan; directory: WalkOptions },
  store: InputStore,
  { isOnly, onRead }: EditWork,
): Promise<void> {
  const { edits } = plan;
  const additions = await openAdditions(plan, directory, store);
  const { remove = [] } = edits;
  const isAlone = inputs.layers.length === 1;
  for (const [i, layer] of inputs.layers.entries()) {
    const origin = inputs.origins[i]!;
    const done = origin.directory
      ? { exclude: undefined, owner: undefined }
      : {};
    const own: Edits = { ...edits, ...done, remove: isAlone ? remove : [] };
    if (inputs.plain) own.add = additions;
    const { diffId } = layer;
    // A pipe that is taken is gone for all others.
    if (!inputs.plain || !isOnly) layer.source = kept(layer.source);
    if (await editLayer(layer, own, inputs, { store, onRead })) {
      origin.edited = true;
      origin.digest = diffId;
    }
  }
  const removals = isAlone ? [] : remove;
  if (inputs.plain || additions.length + removals.length === 0) return;
  let look: Look = () => undefined;
  const name = "the layer of --add and --remove";
  const own: Edits = { ...edits, add: additions };
  const source = openSpool(
    -1,
    name,
    topLayer(own, removals, (path) => look(path)),
  );
  store.add(source);
  inputs.layers.push({
    source,
    name,
    onBelow: (below) => look = lookInto(below),
  });
  inputs.origins.push({ name, made: true });
  // What is removed may not be there, and then the image stays as it is.
  if (additions.length > 0) inputs.complete = false;
}

/** Tells what a tree has at a path. */
function lookInto(tree: RootfsTree): Look {
  return (path) => {
    const node = tree.files.nodeAt(path);
    if (node === undefined) return undefined;
    if (node === NODE.directory || node === NODE.missing) return "directory";
    return node === NODE.symlink ? "symlink" : "other";
  };
}

/** Puts edits between a layer and its reader; false if none concerns it. */
async function editLayer(
  layer: LayerInput,
  edits: Edits,
  inputs: BuildInputs,
  { store, onRead }: Pick<EditWork, "onRead"> & { store: InputStore },
): Promise<boolean> {
  const { diffId, aci, root, fromImage } = layer;
  if (diffId === EMPTY_DIGEST) return false;
  const isLayer = !inputs.plain && !aci;
  const part: EditedTar = {
    isLayer,
    maxUnpacked: store.maxUnpacked,
    ...(root !== undefined && { below: root }),
  };
  const changes = hasChanges(edits);
  if (!changes && !edits.sort) return false;
  const ahead = new LookAhead(layer.source, edits, part);
  let source: SeekableTar = diffId === undefined
    ? layer.source
    : checkedSource(layer);
  // A sort edits what has headers in the input.
  const isSorting = edits.sort !== undefined && !edits.add?.length;
  if (changes && !isSorting) {
    const spool = openSpool(
      -1,
      layer.name,
      editedTar(source, edits, { ...part, ahead }),
    );
    store.add(spool);
    const { place } = source;
    const base = layer.source;
    const making = place &&
      (() => editedFile(base, place, edits, { ...part, ahead }));
    source = madeTar(spool, {
      likelySize: () => ahead.size(),
      ...(making && { making }),
      before: base,
    });
  }
  if (edits.sort) {
    const change = isSorting && changes ? { edits, part, ahead } : undefined;
    source = await inNamed(layer.name, () =>
      sortedTar(source, {
        isLayer: !inputs.plain,
        below: part.below,
        stopsAtEnd: fromImage === true,
        maxUnpacked: store.maxUnpacked,
        change,
        edits,
        tally: edits.sort!.tally,
        onRead,
      }));
    // What is below that directory is at the root now.
    delete layer.root;
  }
  layer.source = source;
  delete layer.diffId;
  return true;
}

function hasChanges(
  { exclude, strip, remove, add, chmod, owner, time }: Edits,
): boolean {
  return Boolean(
    exclude || strip || remove?.length || add?.length || chmod?.length ||
      owner || time,
  );
}

/** A source that nobody can take as it comes. */
function kept(source: SeekableTar): SeekableTar {
  return {
    get size() {
      return source.size;
    },
    isSteady: source.isSteady,
    stream: () => source.stream(),
    ...rest(source),
  };
}

/** Reads a source in any order. */
function rest(source: Source): Pick<Source, "slice" | "fill"> {
  return {
    slice: (start, end) => source.slice(start, end),
    ...(source.fill && {
      fill: (buffer, start) => source.fill!(buffer, start),
    }),
  };
}

/** A layer's bytes; its first stream fails if they are not what its image says. */
function checkedSource({ source, diffId }: LayerInput): Source {
  if (diffId === undefined) return source;
  let isChecked = false;
  return {
    isSteady: source.isSteady,
    stream() {
      if (isChecked) return source.stream();
      isChecked = true;
      return toStream(
        digestChecked(fromStream(source.stream()), diffId, () =>
          new InputError(
            `It is damaged: its digest is not sha256:${diffId}, as the image ` +
              "says; fetch the image again",
          )),
      );
    },
    ...rest(source),
  };
}

async function inNamed<T>(name: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw ofFile(name, error);
  }
}

/** Opens the files that are added. */
async function openAdditions(
  { added, edits }: EditPlan,
  directory: WalkOptions,
  store: InputStore,
): Promise<Addition[]> {
  const additions: Addition[] = [];
  for (const { file, path, mode, owner, tally } of added) {
    const { uid, gid } = owner ?? edits.owner ?? { uid: 0, gid: 0 };
    const common = {
      path,
      owner: { uid, gid },
      hasOwner: owner !== undefined,
      hasMode: mode !== undefined,
      tally,
    };
    if (file !== "-" && host.isDirectory(file)) {
      if (mode) {
        throw new UsageError(
          `--add ${
            shown(file)
          } is a directory, whose files keep their modes: ` +
            "leave out MODE, and use --chmod",
        );
      }
      const source = store.add(
        await openDirectory(file, {
          owner: { uid, gid },
          output: directory.output ?? null,
        }),
      );
      additions.push({ ...common, source, isTree: true, mode: 0, seconds: 0 });
      continue;
    }
    const raw = await store.raw(file);
    additions.push({
      ...common,
      source: raw.input,
      isTree: false,
      mode: mode ? mode(raw.mode, false) : raw.mode,
      seconds: raw.seconds,
    });
  }
  return additions;
}
