import type { Sink } from "../streams/sink.ts";
import type { Source } from "../streams/source.ts";
import { TarReader } from "../tar/reader.ts";
import { headerReader, seeking } from "../tar/seeking.ts";
import { EarlyRootfs } from "./early_rootfs.ts";
import { type Follower, Sizer } from "./follower.ts";
import type { Intake } from "./intake.ts";
import { JoinedLayer } from "./joined_layer.ts";
import type { LayerTree } from "./layer_tree.ts";
import { PathIndex } from "./path_index.ts";
import { RootfsTree } from "./rootfs_tree.ts";
import type { ScanOptions } from "./scan.ts";
import type { LayerOutput, Stack } from "./stack.ts";
import { StackedSource } from "./stacked_source.ts";
import { TreeFeed } from "./tree_feed.ts";

/** A layer that has been read, and where its last entry ends, in bytes. */
export type ReadLayer = LayerOutput & { source: Source; end: number };

/** Where the entries below rootfs/ are written. */
interface RootfsPlace {
  sink: Sink;
  /** Gives their offset in the sink, as far as layers are known by now. */
  start(): number | undefined;
}

/**
 * The tree that layers make, one on top of the other, and what is written or
 * counted of it meanwhile.
 */
export class StackTree {
  /** The layers, one after another. */
  readonly source = new StackedSource();
  /** Paths that upper layers have. */
  readonly upper = new PathIndex();
  tree = this.#newTree();
  /** Sees all entries. */
  follower: Follower | undefined;
  readonly #options: ScanOptions;
  readonly #place: RootfsPlace | undefined;

  /** @param place Where the entries below rootfs/ are written, if anywhere. */
  constructor(options: ScanOptions, place: RootfsPlace | undefined) {
    this.#options = options;
    this.#place = place;
    if (!place) this.follower = this.#sizer();
  }

  /** Has entries written to their places below rootfs/ while they are read. */
  writeEarly(): void {
    const start = this.#place?.start();
    if (start === undefined) return;
    this.follower = new EarlyRootfs(
      this.#place!.sink,
      start,
      this.tree,
    );
  }

  /** Puts the lowest layer's entries into the tree while they are read. */
  join(intake: Intake): JoinedLayer {
    // There may be one before it that had no entries.
    this.source.clear();
    this.source.grow(intake.source);
    const { start = Infinity } = this.follower instanceof EarlyRootfs
      ? this.follower
      : {};
    // A layer may come out larger than it seemed.
    intake.watch(start, () => this.stop());
    return new JoinedLayer(
      this.tree,
      this.follower,
      (path) => this.upper.find(path) >= 0 && this.stop(),
    );
  }

  /** Takes a layer as the lowest one, whose entries are in the tree. */
  takeLowest({ source, end }: ReadLayer): void {
    this.source.clear();
    this.source.push(source, end);
  }

  /** Writes nothing below rootfs/ before all layers are read. */
  stop(): void {
    if (this.follower instanceof EarlyRootfs) this.follower.stop();
  }

  /** Forgets what the lowest layer's entries seemed to be. */
  restart(): void {
    this.source.clear();
    this.tree = this.#newTree();
    this.follower = this.#place ? undefined : this.#sizer();
  }

  /** Adds a layer's entries to those of the lower ones. */
  async add(
    output: ReadLayer,
    layer: LayerTree,
  ): Promise<void> {
    const tree = this.tree;
    const start = this.source.size;
    this.source.push(output.source, output.end);
    await tree.beginLayer(start, layer);
    const { follower } = this;
    if (
      follower instanceof EarlyRootfs &&
      this.#place!.start() !== follower.start
    ) this.stop();
    const part = {
      size: output.end,
      stream: () => output.source.slice(0, output.end).stream(),
      slice: (from: number, to: number) => output.source.slice(from, to),
      fill: output.source.fill?.bind(output.source),
    };
    const isFollowed = () =>
      follower instanceof EarlyRootfs && follower.isRight;
    const tar: TarReader = this.#options.treeOnly
      ? headerReader(part)
      : new TarReader(seeking(part, () => tar, () => !isFollowed()));
    await new TreeFeed(tree, tar, { start, follower }).run();
  }

  /** What is known of the entries below rootfs/ in the end. */
  get rootfs(): Pick<Stack, "rootfsSize" | "writtenRootfs"> {
    const { follower } = this;
    if (!follower?.isRight) return { rootfsSize: undefined };
    const { size } = follower;
    if (!(follower instanceof EarlyRootfs)) return { rootfsSize: size };
    const start = this.#place!.start();
    if (start !== follower.start) return { rootfsSize: undefined };
    return { rootfsSize: size, writtenRootfs: start };
  }

  #newTree(): RootfsTree {
    return new RootfsTree(this.source, { whiteouts: "dropped" });
  }

  /** Counts what goes below rootfs/, or what is in the tree. */
  #sizer(): Sizer {
    return new Sizer(this.tree, this.#options.treeOnly ? "" : undefined);
  }
}
