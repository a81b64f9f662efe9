import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { Layer } from "../image/layer.ts";
import { changedLayer } from "./changed_layer.ts";
import type { LayerChange } from "./layer_change.ts";
import { Holes } from "./holes.ts";
import { type Follower, Sizer } from "./follower.ts";
import { rootfsEntries, sizeOf, visibleFiles } from "./rootfs_entries.ts";
import { RootfsTree } from "./rootfs_tree.ts";
import { sha256 } from "../streams/sha256.ts";
import type { Sink } from "../streams/sink.ts";
import { release, type Source } from "../streams/source.ts";
import type { TarHeader } from "../tar/items.ts";
import { TarReader, type TarShape } from "../tar/reader.ts";
import { isSkipped } from "../tar/skip_header.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { EarlyRootfs } from "./early_rootfs.ts";
import { type Destination, Intake } from "./intake.ts";
import type { Tree } from "./tree.ts";
import { TreeFeed } from "./tree_feed.ts";

/** Options of {@linkcode scanRootfs}. */
export interface ScanOptions {
  /** Take `.wh.*` names as ordinary files. */
  allowWhiteouts?: boolean | undefined;
  /** Bytes that the holes of sparse files may take when they are filled. */
  maxUnpacked?: number | undefined;
  /**
   * Finds the tree alone: data are not read where that can be, and the size of what
   * goes below rootfs/ is that of the tree's entries, if it is known by then.
   */
  treeOnly?: boolean | undefined;
  /** Nobody asks for a digest, with `treeOnly`. */
  noDigest?: boolean | undefined;
  /** Gets how many more bytes have been read. */
  onRead?: ((bytes: number) => void) | undefined;
  /** Leaves out what comes after the archive's end, as engines do. */
  stopsAtEnd?: boolean | undefined;
  /** Takes an input without any bytes for a tar without entries. */
  mayBeEmpty?: boolean | undefined;
}

/** What a first pass over the input has found. */
export interface Scan<T extends Tree> {
  tree: T;
  /** The input; its digest is any text where nobody asks for it. */
  input: Layer;
  /** Where in the input the last entry ends, in bytes. */
  end: number;
  /** Why the layer is not the input byte for byte: reason and first path. */
  changes: ReadonlyMap<LayerChange, Uint8Array>;
  /** What the user should know of, in sentences. */
  notes: string[];
}

/** What a first pass over a root file system has found. */
export interface RootfsScan extends Scan<RootfsTree> {
  /** The rootfs, to be read again. */
  source: Source;
  /** The layer that the archive gets. */
  layer: Layer;
  /**
   * Size in bytes of what {@linkcode relocate} makes of it below rootfs/; not
   * known if it was to be written early and has to be written again.
   */
  rootfsSize: number | undefined;
  /** Whether the entries below rootfs/ are in their place already. */
  isEarly: boolean;
  /**
   * Where the tree has devices that rkt cannot get past: all other files, or
   * `null` if they are too many to list.
   */
  visible?: string[] | null;
}

/**
 * Reads a rootfs tar once: checks every entry, finds what becomes of each path,
 * and hashes the layer. All refusals come from here, before any output.
 *
 * @param given The tar. Each pass that a rearranged tree needs reads it once
 * more.
 * @param places Where layer and rootfs/ are written meanwhile, if anywhere.
 * @throws {InputError} If the input is no tar or cannot be a rootfs.
 */
export async function scanRootfs(
  given: Source,
  options: ScanOptions = {},
  places?: Places,
): Promise<RootfsScan> {
  const { maxUnpacked, allowWhiteouts, onRead } = options;
  const intake = new Intake(given, places && layerPlace(places), onRead);
  const { source } = intake;
  const tree = new RootfsTree(source, {
    holes: new Holes(maxUnpacked),
    ...(allowWhiteouts && { whiteouts: "kept" }),
  });
  const follower = places ? earlyRootfs(places, tree) : new Sizer(tree);
  if (follower instanceof EarlyRootfs) {
    // The layer may come out larger than it seemed.
    intake.watch(follower.start, () => follower.stop());
  }
  const read = await readEntries(tree, intake, options, follower);
  if (tree.entries === 0) {
    throw new InputError(
      `The tar has no entries, only ${read.input.size} bytes of zeros; archive ` +
        "a tree, such as with tar -c -C DIR .",
    );
  }
  let isEarly = follower instanceof EarlyRootfs && follower.isRight;
  let rootfsSize;
  if (follower && (isEarly || !places)) {
    rootfsSize = follower.size;
  }
  const late = places?.lateRootfs?.(intake.size);
  if (late !== undefined && tree.changes.reasons.size === 0) {
    const entries = rootfsEntries(source, tree);
    try {
      rootfsSize = await writeAt(places!.sink, late, entries);
    } catch (error) {
      intake.cancel();
      throw error;
    }
    isEarly = true;
  }
  if ((tree.rearranged || tree.hasLateDirectories) && !places) {
    rootfsSize = await sizeOf(rootfsEntries(source, tree));
  }
  const scan = await scanned(tree, read);
  return {
    ...scan,
    layer: await layerOf(scan, source),
    source,
    rootfsSize,
    isEarly,
    ...(tree.stopsRkt && {
      visible: await visibleFiles(source, tree) ?? null,
    }),
  };
}

/** Where {@linkcode scanRootfs} writes what it reads. */
export interface Places {
  sink: Sink;
  /** Offsets in the sink of the layer and of the entries below rootfs/. */
  layer: number;
  /** Not there if it is not known, or if there is no rootfs/. */
  rootfs?: number | undefined;
  /**
   * Where only the layer's size in bytes shows where rootfs/ is: gives the offset
   * of its entries. They are written by a second pass, while the layer is hashed.
   */
  lateRootfs?: (size: number) => number | undefined;
}

function layerPlace({ sink, layer, lateRootfs }: Places): Destination {
  return { sink, start: layer, isLate: lateRootfs !== undefined };
}

/** Writes chunks into a sink, and gives how many bytes they have. */
async function writeAt(
  sink: Sink,
  start: number,
  chunks: AsyncGenerator<Uint8Array>,
): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    sink.write(chunk, start + size);
    size += chunk.length;
    release(chunk);
    await sink.pause();
  }
  return size;
}

function earlyRootfs(
  { sink, rootfs }: Places,
  tree: RootfsTree,
): EarlyRootfs | undefined {
  return rootfs === undefined ? undefined : new EarlyRootfs(sink, rootfs, tree);
}

/**
 * Reads the tar of a layer once, as {@linkcode scanRootfs} does.
 *
 * @param tree The layer's tree, without entries yet.
 * @param intake The tar; its source is the one that the tree reads.
 * @param follower Sees all items.
 * @throws {InputError} If the input is no tar or cannot be a layer.
 */
export async function scanLayer<T extends Tree>(
  tree: T,
  intake: Intake,
  options: ScanOptions,
  follower?: Follower,
): Promise<Scan<T>> {
  try {
    const read = await readEntries(tree, intake, options, follower);
    return await scanned(tree, read);
  } catch (error) {
    if (options.treeOnly) intake.cancel();
    throw error;
  }
}

/** What {@linkcode readEntries} has found besides entries. */
interface Read extends Pick<Scan<Tree>, "end" | "notes"> {
  /** Size of the input in bytes, and its SHA-256 as soon as it is known. */
  input: { size: number; digest: Promise<string> };
}

async function scanned<T extends Tree>(
  tree: T,
  { input: { size, digest }, ...read }: Read,
): Promise<Scan<T>> {
  const input = { size, digest: await digest };
  return { tree, input, changes: tree.changes.reasons, ...read };
}

/** Adds all entries of a tar to a tree, and notes what is wrong with its form. */
async function readEntries(
  tree: Tree,
  intake: Intake,
  options: ScanOptions,
  follower?: Follower,
): Promise<Read> {
  const { stopsAtEnd = false, mayBeEmpty = false, noDigest } = options;
  /** The first path after the archive's end. */
  let late: string | undefined;
  const tar = options.treeOnly && intake.headers(!noDigest) ||
    new TarReader(wholeBlocks(intake.chunks()));
  const takes = ({ entry, start }: TarHeader) => {
    if (tar.offset === 0 && start === 0) refuseSkipped(tar.bytes);
    if (!tar.shape.concatenated) return true;
    late ??= shown(entry.path);
    if (stopsAtEnd) tree.leaveOut();
    return !stopsAtEnd;
  };
  const feed = new TreeFeed(tree, tar, { follower, takes });
  await feed.run();
  const { size } = intake;
  if (size === 0 && !mayBeEmpty) {
    throw new InputError("The input is empty; make or fetch it again");
  }
  await tree.finish();
  noteShape(tree, tar.shape);
  const notes = [...lateNotes(late, tar.shape.junk, stopsAtEnd)];
  return { input: { digest: intake.digest(), size }, end: feed.end, notes };
}

/** Refuses a tar that decoders of zstd skip, as several engines would. */
function refuseSkipped(bytes: Uint8Array): void {
  if (!isSkipped(bytes)) return;
  throw new InputError(
    "It starts as a zstd frame that decoders skip, so engines would see what is " +
      "after it; archive the tree anew with tar",
  );
}

/** Says what comes after the end of a tar, where readers stop. */
function* lateNotes(
  late: string | undefined,
  junk: number,
  isLeftOut: boolean,
): Generator<string> {
  if (late) {
    yield `Entries come after the archive's end, where readers stop; they are ` +
      `${isLeftOut ? "left out" : "taken in"}, the first one is ${late}`;
  }
  if (junk > 0) {
    yield `${junk} bytes after the archive's end are no tar: readers do not look ` +
      "at them";
  }
}

/** Notes what is wrong with a tar as a whole. */
function noteShape({ changes }: Tree, shape: TarShape): void {
  // umoci fails on each layer with one.
  if (shape.globals) changes.note("global-headers");
  if (shape.concatenated) changes.note("several-archives");
  // Go's reader rejects what comes after less than two blocks of zeros.
  if (shape.ragged) changes.note("closing-blocks");
}

/** The layer: the input, or what is made of it. */
async function layerOf(
  { tree, input, changes }: Scan<RootfsTree>,
  source: Source,
): Promise<Layer> {
  if (changes.size === 0) return input;
  const hash = sha256();
  const size = await sizeOf(changedLayer(source, tree), hash);
  return { digest: hash.hex(), size };
}
