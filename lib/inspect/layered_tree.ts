import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { type Whiteout, whiteoutOf } from "../rootfs/whiteouts.ts";
import { type EntryFacts, entryFacts } from "../tar/entry_facts.ts";
import { normalizePath } from "../tar/path.ts";
import { FileTree } from "./file_tree.ts";
import { nodeAt, walkPath } from "./walk_path.ts";
import type { LayerStats, Tally } from "./layer_stats.ts";
import type { Walked } from "./walk_tar.ts";

/** How a {@linkcode LayeredTree} takes entries. */
export interface LayeredTreeOptions {
  /** One layer is looked at alone: its whiteouts are files of their own. */
  alone?: boolean;
}

/** Hard links into lower layers that are followed one after the other at most. */
const MAX_LINKS = 40;
/** Notes at most; a last one gives the number of the others. */
const MAX_NOTES = 20;

/**
 * The tree that layers make, one on top of the other, as an engine unpacks them
 * (OCI image-spec, layer.md "Applying Changesets"): entries replace what lower
 * layers have at their paths, whiteouts delete it, symlinks of lower layers are
 * followed. Counts what each layer does.
 */
export class LayeredTree {
  readonly tree = new FileTree();
  readonly layers: LayerStats[] = [];
  /** What no engine can do as it is written, in sentences. */
  readonly notes: string[] = [];
  readonly #alone: boolean;
  #layer = -1;
  #left = 0;
  /** Files that this layer removed and hard links lead to. */
  readonly #orphans = new Map<
    number,
    { layer: number; size: number; heir?: number }
  >();

  constructor({ alone = false }: LayeredTreeOptions = {}) {
    this.#alone = alone;
  }

  /** Starts the next layer, or the first one. */
  beginLayer(): LayerStats {
    this.finish();
    this.#layer++;
    const stats: LayerStats = {
      entries: 0,
      types: {},
      added: { files: 0, bytes: 0 },
      changed: { files: 0, bytes: 0 },
      deleted: { files: 0, bytes: 0 },
      wastes: { files: 0, bytes: 0 },
      wasted: { files: 0, bytes: 0 },
    };
    this.layers.push(stats);
    return stats;
  }

  /**
   * Ends a layer: where it has replaced or deleted a file that hard links of a
   * lower layer lead to, one of these is the file now.
   */
  finish(): void {
    if (this.#orphans.size === 0) return;
    const { tree } = this;
    for (let node = 1; node < tree.length; node++) {
      const orphan = this.#orphans.get(tree.target(node) ?? -1);
      // This layer's links lead to its own files.
      if (!orphan || tree.origin(node).layer === this.#layer) continue;
      if (orphan.heir !== undefined) tree.retarget(node, orphan.heir);
      else {
        tree.promote(node, orphan.size);
        orphan.heir = node;
      }
    }
    for (const { layer, size, heir } of this.#orphans.values()) {
      if (heir !== undefined) continue;
      count(this.#stats.wastes, size);
      count(this.layers[layer]!.wasted, size);
    }
    this.#orphans.clear();
  }

  /** How many entries found no place in the tree. */
  get leftOut(): number {
    return this.#left;
  }

  /**
   * Adds an entry of the current layer.
   *
   * @param path Its path, where that is not the entry's own.
   */
  add(walked: Walked, path?: Uint8Array): void {
    const facts = entryFacts(walked);
    if (!facts) return;
    const stats = this.#stats;
    stats.entries++;
    try {
      const normal = normalizePath(path ?? walked.entry.path);
      const whiteout = whiteoutOf(normal);
      const type = whiteout ? "whiteout" : facts.type;
      stats.types[type] = (stats.types[type] ?? 0) + 1;
      if (!whiteout) this.#put(normal, facts, walked.place);
      else if (this.#alone) this.#putWhiteout(normal);
      else this.#delete(whiteout);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#left++;
      if (this.notes.length >= MAX_NOTES) return;
      this.notes.push(
        `Layer ${this.#layer + 1} holds ${
          shown(walked.entry.path)
        }, which is not in the tree: ${error.message}`,
      );
    }
  }

  /**
   * The node that a path leads to as in a running container: symlinks are
   * followed, hard links to lower layers too.
   *
   * @param path A path, with or without a slash at its start.
   * @returns The node, or `undefined` if there is no such file.
   * @throws {InputError} If symlinks go in a circle.
   */
  follow(path: Uint8Array): number | undefined {
    const { tree } = this;
    for (let links = 0; links < MAX_LINKS; links++) {
      let file: number | undefined;
      const directory = walkPath(tree, path, (obstacle, isLast) => {
        if (isLast) file = obstacle;
        return false;
      }, !this.#alone);
      const node = directory ?? file;
      if (node === undefined || tree.type(node) === undefined) return undefined;
      const isLoose = tree.type(node) === "hardlink" &&
        tree.target(node) === undefined;
      if (!isLoose) return node;
      path = tree.link(node)!;
    }
    throw new InputError("Hard links go in a circle");
  }

  get #stats(): LayerStats {
    return this.layers[this.#layer]!;
  }

  #put(path: Uint8Array, facts: EntryFacts, place: number): void {
    const { tree } = this;
    let node = 0;
    if (path.length > 0) {
      const cut = path.lastIndexOf(0x2f);
      const parent = this.#directory(path.subarray(0, Math.max(cut, 0)));
      node = tree.childFor(parent, path, cut + 1);
    } else if (facts.type !== "directory") {
      throw new InputError("The root is no directory");
    }
    this.#count(node, facts);
    let target: number | undefined;
    let from = place;
    if (facts.type === "hardlink") {
      target = this.#linkTarget(facts.link, node);
      if (target !== undefined) from = tree.origin(target).place;
    }
    tree.put(node, facts, { layer: this.#layer, place: from }, target);
  }

  /** Counts what an entry does to the node that it replaces. */
  #count(node: number, facts: EntryFacts): void {
    const { tree } = this;
    const stats = this.#stats;
    const old = tree.type(node);
    const isDirectory = facts.type === "directory";
    if (old === undefined) return count(stats.added, facts.size);
    const isOwn = tree.origin(node).layer === this.#layer;
    if (isDirectory && tree.isDirectory(node)) {
      const { uid, gid } = tree.owner(node);
      const isSame = tree.mode(node) === facts.mode && uid === facts.uid &&
        gid === facts.gid;
      if (old === "missing-directory") count(stats.added, 0);
      else if (!isOwn && !isSame) count(stats.changed, 0);
      return;
    }
    if (tree.isDirectory(node)) this.#removeBelow(node, true);
    if (!isOwn) count(stats.changed, facts.size);
    this.#waste(node);
  }

  /** A hard link's target, if it is in this layer. */
  #linkTarget(link: Uint8Array, own: number): number | undefined {
    const { tree } = this;
    let node = tree.find(normalizePath(link));
    node = node < 0 ? node : tree.target(node) ?? node;
    const isFit = node > 0 && node !== own && !tree.isDirectory(node) &&
      tree.origin(node).layer === this.#layer && tree.type(node) === "file";
    return isFit ? node : undefined;
  }

  #putWhiteout(path: Uint8Array): void {
    const cut = path.lastIndexOf(0x2f);
    const parent = this.#directory(path.subarray(0, Math.max(cut, 0)));
    const node = this.tree.childFor(parent, path, cut + 1);
    this.tree.putPlain(node, "whiteout", this.#layer);
  }

  /** Does what a whiteout says: it holds for lower layers only. */
  #delete({ path, opaque }: Whiteout): void {
    const { tree } = this;
    const node = nodeAt(tree, path, !opaque);
    if (node === undefined) return;
    if (opaque) return void this.#removeBelow(node, false);
    const isOwn = tree.origin(node).layer === this.#layer;
    const isKept = this.#removeBelow(node, false);
    if (isOwn || node === 0) return;
    if (isKept) {
      // This layer's own entries below it need a directory.
      tree.putPlain(node, "missing-directory", this.#layer);
      return;
    }
    this.#remove(node);
  }

  /**
   * Removes what is below a node.
   *
   * @param all Whether also what this layer has put there.
   * @returns Whether something of it stays.
   */
  #removeBelow(node: number, all: boolean): boolean {
    const { tree } = this;
    if (!tree.isDirectory(node)) return false;
    const nodes: number[] = [];
    const visit = [node];
    for (let at; (at = visit.pop()) !== undefined;) {
      for (const child of tree.children(at)) {
        nodes.push(child);
        if (tree.isDirectory(child)) visit.push(child);
      }
    }
    let kept = false;
    // Children come after their parents.
    const needed = new Set<number>();
    for (const child of nodes.reverse()) {
      const isOwn = tree.origin(child).layer === this.#layer;
      if (!all && (isOwn || needed.has(child))) {
        kept = true;
        needed.add(tree.parent(child));
        if (!isOwn) tree.putPlain(child, "missing-directory", this.#layer);
      } else this.#remove(child);
    }
    return kept;
  }

  #remove(node: number): void {
    if (this.tree.origin(node).layer !== this.#layer) {
      count(this.#stats.deleted, this.tree.size(node));
    }
    this.#waste(node);
    this.tree.remove(node);
  }

  /** Counts the bytes of a file that goes. */
  #waste(node: number): void {
    if (this.tree.type(node) !== "file") return;
    const size = this.tree.size(node);
    const { layer } = this.tree.origin(node);
    if (layer !== this.#layer && this.tree.isLinked(node)) {
      this.#orphans.set(node, { layer, size });
      return;
    }
    count(this.#stats.wastes, size);
    count(this.layers[layer]!.wasted, size);
  }

  /** The directory of a path; what of it is missing is made. */
  #directory(path: Uint8Array): number {
    const { tree } = this;
    return walkPath(tree, path, (node) => {
      // Only a directory can have files in it.
      if (tree.type(node) !== undefined) {
        this.#waste(node);
        if (!this.#alone) count(this.#stats.changed, 0);
      }
      tree.putPlain(node, "missing-directory", this.#layer);
      return true;
    }, !this.#alone)!;
  }
}

function count(tally: Tally, bytes: number): void {
  tally.files++;
  tally.bytes += bytes;
}
