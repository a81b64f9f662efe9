import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { equalBytes, utf8 } from "../streams/bytes.ts";
import type { Source } from "../streams/source.ts";
import type { Entry, Kind } from "../tar/entry.ts";
import type { Globals } from "../tar/pax.ts";
import { nodeOf } from "./entry_node.ts";
import { EntryPaths } from "./entry_paths.ts";
import { Holes } from "./holes.ts";
import { linkMetadata } from "./link_metadata.ts";
import { findLinkTarget } from "./link_target.ts";
import { overlayMarks } from "./overlay.ts";
import { Parents } from "./parents.ts";
import { FLAG, NODE } from "./path_index.ts";
import { StoredEntries } from "./stored_entries.ts";
import { isStripped } from "./stripped_name.ts";
import type {
  AddedEntry,
  MissingDirectory,
  TakenEntry,
} from "./taken_entry.ts";
import { TopDirectory } from "./top_directory.ts";
import { TreeFiles } from "./tree_files.ts";
import { indexed, TreeSlots } from "./tree_slots.ts";

/** The path that an entry goes to; `undefined` if it is left out. */
export type Placed = Uint8Array | undefined;

/** How a tree takes its entries. */
export interface TreeOptions {
  /** The holes of sparse files so far, and what they may take. */
  holes?: Holes;
  /** Take only entries below this directory, and as if it were the root. */
  strip?: string;
}

/**
 * The tree that a tar's entries make, checked as they come: which entries stay,
 * and where each one goes.
 *
 * The second pass over the input takes entries in the same order and asks for
 * them by slot.
 */
export abstract class Tree extends TreeSlots {
  /** The entries' header blocks. */
  readonly stored: StoredEntries;
  readonly paths: EntryPaths;
  /** Look-ups of files by path. */
  readonly files: TreeFiles;
  /** Header blocks of the newest entry for the root directory itself. */
  root: { bytes: Uint8Array; globals: Globals } | undefined;
  /** The one directory that all entries are below, if there is one. */
  readonly top = new TopDirectory();
  /** How many entries the input has. */
  entries = 0;
  protected readonly parents: Parents;
  readonly #options: TreeOptions;
  readonly #holes: Holes;

  constructor(source: Source, options: TreeOptions) {
    super();
    const { index, links } = this;
    const { strip } = options;
    const linkBelow = (path: Uint8Array, from: number) =>
      this.linkBelow(path, from);
    this.#options = options;
    this.#holes = options.holes ?? new Holes();
    this.stored = new StoredEntries(source, index);
    this.paths = new EntryPaths(index, links, strip ? utf8(strip) : undefined);
    this.files = new TreeFiles(this, linkBelow);
    this.parents = new Parents({
      index,
      files: this.files,
      linkBelow,
      onMissing: (slot, path) =>
        this.isLeftover(path)
          ? this.hide(slot, "aufs-leftovers", path)
          : this.onMissing(slot, path),
      onMoved: ({ path }) => this.changes.note("moved-entries", path),
    });
  }

  /**
   * Takes the next entry. Few entries need a promise, which costs more than all
   * the rest.
   *
   * @returns The path that it goes to so far, or `undefined` if it is left out.
   * @throws {InputError} If it cannot be part of a rootfs; the message names
   * the entry and what to do.
   */
  add(added: AddedEntry): Placed | Promise<Placed> {
    this.entries++;
    try {
      const path = this.#add(added);
      return path instanceof Promise
        ? path.catch((error) => refuse(added, error))
        : path;
    } catch (error) {
      return refuse(added, error);
    }
  }

  #add(added: AddedEntry): Placed | Promise<Placed> {
    const { entry } = added;
    this.changes.noteEntry(entry, added.globals);
    this.#holes.count(entry);
    this.stored.noteGlobals(added.globals);
    const near = isUsual(entry.kind) && this.parents.near(entry.path);
    if (near) return this.#place(added, near, near, true);
    const given = this.#pathInTree(entry);
    if (given === undefined) {
      this.leaveOut();
      return undefined;
    }
    if (given.length === 0) {
      this.#setRoot(added);
      return undefined;
    }
    this.top.note(entry.path, given, entry.kind === "directory");
    const isLeftover = this.isLeftover(given);
    if (!isLeftover) {
      const taken = this.takeWhiteout(added, given);
      if (taken) return taken instanceof Promise ? taken : undefined;
    }
    const path = this.parents.settle(given, entry);
    if (path instanceof Promise) {
      return path.then((path) => this.#place(added, given, path));
    }
    if (path === given && !isLeftover) this.parents.note(entry.path, given);
    return this.#place(added, given, path);
  }

  /**
   * Puts an entry at the path that it goes to.
   *
   * @param isNear Whether {@linkcode Parents.near} gave the path.
   */
  #place(
    added: AddedEntry,
    given: Uint8Array,
    path: Uint8Array,
    isNear = false,
  ): Placed | Promise<Placed> {
    const { entry } = added;
    if (entry.kind === "hardlink") return this.#addLink(added, given, path);
    if (entry.kind === "symlink" && entry.link.length === 0) {
      throw new InputError(
        "The symlink has no target; remove it, or archive the tree anew",
      );
    }
    const taken = { added, given, path, node: nodeOf(added) };
    const link = linkMetadata(added);
    const slot = this.index.addNew(path, indexed(taken, link), isNear);
    if (slot < 0) return this.#replace(taken, link);
    this.noteTaken(taken, slot);
    // What is beside a path that is no leftover is none.
    if (!isNear) this.hideLeftover(given, path);
    return path;
  }

  /** Puts an entry where another one is. */
  #replace(taken: TakenEntry, link: number): Placed | Promise<Placed> {
    const { given, path, node } = taken;
    const put = () => {
      this.put(taken, link);
      this.hideLeftover(given, path);
      return path;
    };
    const waiting = this.makeWay(path, node);
    return waiting ? waiting.then(put) : put();
  }

  /** The path of an entry; `undefined` if the entry is left out. */
  #pathInTree(entry: Entry): Uint8Array | undefined {
    if (entry.kind === "label") return undefined;
    if (entry.path.length === 0) {
      throw new InputError("It has no name; archive the tree anew");
    }
    const given = this.paths.inTree(entry.path);
    if (given === undefined) this.changes.note("aci");
    if (isStripped(entry.path)) this.changes.note("odd-headers", entry.path);
    if (entry.kind === "hardlink" && isStripped(entry.link)) {
      this.changes.note("odd-headers", entry.path);
    }
    return given;
  }

  #setRoot(added: AddedEntry): void {
    const { bytes, entry, globals } = added;
    if (entry.kind !== "directory") {
      throw new InputError(
        "The root of the tree is no directory; archive what is in it",
      );
    }
    if (overlayMarks(added)) {
      this.changes.note("overlay-attributes", entry.path);
    }
    this.root = { bytes: bytes.slice(entry.start, entry.end), globals };
    this.index.addHidden();
  }

  async #addLink(
    added: AddedEntry,
    given: Uint8Array,
    path: Uint8Array,
  ): Promise<Placed> {
    const { index, links } = this;
    const { target, wanted, targetPath } = await findLinkTarget(
      this,
      added.entry.link,
      (path) => this.isBelowOnly(path),
    );
    if (equalBytes(targetPath, path)) {
      // tar writes this for a file named twice on its command line.
      this.leaveOut();
      this.changes.note("hard-links", path);
      this.hideLeftover(given, path);
      return undefined;
    }
    const node = index.node(target);
    await this.makeWay(path, node);
    const leads = links.shortened(target);
    const slot = this.put({ added, given, path, node }, leads);
    index.mark(slot, FLAG.link);
    index.mark(target, FLAG.linked);
    // A hard link to a symlink becomes a symlink of its own below rootfs/.
    if (node === NODE.symlink) this.rearranged = true;
    // Engines give a link's own metadata to the file that it shares.
    if (index.linkMetadata(links.rootOf(target)) !== linkMetadata(added)) {
      index.mark(slot, FLAG.differs);
      this.changes.note("hard-links", path);
      this.rearranged = true;
    }
    if (leads !== target) {
      links.setTarget(slot, await this.paths.find(leads, this.stored));
    } else if (targetPath !== wanted) {
      links.setTarget(slot, targetPath.slice());
    }
    this.hideLeftover(given, path);
    return path;
  }

  /** Settles what needs to know all entries. Call it once, after the last. */
  async finish(): Promise<void> {
    this.dropHidden();
    this.settle();
    await this.links.settle((slot) => this.paths.find(slot, this.stored));
  }

  /** Whether an entry that makes a directory opaque comes before it. */
  isOpaque(_slot: number): boolean {
    return false;
  }

  /** What an entry becomes that is written as something else. */
  becomes(_slot: number): "file" | undefined {
    return undefined;
  }

  /**
   * What is written where a directory has no entry.
   *
   * @param slot A slot of {@linkcode NODE.missing}.
   * @param path The directory's path.
   */
  missing(
    slot: number,
    _path: Uint8Array,
  ): MissingDirectory | Promise<MissingDirectory> {
    return this.index.has(slot, FLAG.dropped) ? "nothing" : "new";
  }

  /**
   * Takes a name that means a deletion in layers, or refuses it.
   *
   * @returns Whether the entry needs nothing more, or will not once it waited.
   */
  protected abstract takeWhiteout(
    added: AddedEntry,
    given: Uint8Array,
  ): boolean | Promise<undefined>;

  /**
   * The path that another one leads to by the first symlink above it that the
   * tree below has, or `undefined` if there is none.
   *
   * @param _from Length of the first part that this tree itself does not have.
   */
  protected linkBelow(
    _path: Uint8Array,
    _from: number,
  ): Promise<Uint8Array | undefined> {
    return Promise.resolve(undefined);
  }

  /** Whether the tree below has what a hard link wants. */
  protected isBelowOnly(_wanted: Uint8Array): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Notes a missing directory. */
  protected abstract onMissing(
    slot: number,
    path: Uint8Array,
  ): void | Promise<void>;

  /** Decides, after the last entry, what depends on all of them. */
  protected abstract settle(): void;
}

/** Whether nothing but the path of an entry needs a look. */
function isUsual(kind: Kind): boolean {
  return kind === "file" || kind === "directory" || kind === "symlink";
}

/** Names the entry in an error. */
function refuse({ entry }: AddedEntry, error: unknown): never {
  if (!(error instanceof InputError)) throw error;
  const name = shown(entry.path);
  throw new InputError(`Entry ${name}: ${error.message}`, { entry: name });
}
