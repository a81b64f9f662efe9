import type { Entry } from "../tar/entry.ts";
import type { Globals } from "../tar/pax.ts";

/** A reason why the layer cannot be the input byte for byte. */
export type LayerChange =
  | "aci"
  | "aufs-leftovers"
  | "closing-blocks"
  | "duplicates"
  | "entry-types"
  | "global-headers"
  | "hard-links"
  | "hidden-files"
  | "missing-directories"
  | "moved-entries"
  | "odd-headers"
  | "overlay-attributes"
  | "overlay-whiteouts"
  | "repeated-paths"
  | "several-archives"
  | "sparse-files"
  | "volume-label"
  | "whiteouts";

const EMPTY = new Uint8Array(0);
const TYPE = { nul: 0, file: 0x30, sparse: 0x53, dumped: 0x44 };

/** The reasons to write a layer anew, each with the first path it is for. */
export class LayerChanges {
  readonly #reasons = new Map<LayerChange, Uint8Array>();

  /** Each reason with the first path it is for. */
  get reasons(): ReadonlyMap<LayerChange, Uint8Array> {
    return this.#reasons;
  }

  /**
   * Notes a reason.
   *
   * @param path The entry it is for; none if it is for the whole archive.
   */
  note(reason: LayerChange, path: Uint8Array = EMPTY): void {
    if (!this.#reasons.has(reason)) this.#reasons.set(reason, path.slice());
  }

  /** Notes the reasons that an entry's own headers give. */
  noteEntry(entry: Entry, globals: Globals): void {
    const { kind, flag, path } = entry;
    if (entry.sparse) this.note("sparse-files", path);
    if (entry.odd) this.note("odd-headers", path);
    if (globals.size > 0) this.note("global-headers", path);
    if (kind === "label") this.note("volume-label", path);
    // "7" means a plain file to GNU tar; Docker refuses it.
    const isPlain = flag === TYPE.file || flag === TYPE.nul;
    if (kind === "file" && !isPlain && flag !== TYPE.sparse) {
      this.note("entry-types", path);
    }
    // GNU's type for a directory of an incremental dump.
    if (kind === "directory" && flag === TYPE.dumped) {
      this.note("entry-types", path);
    }
    // "0" with a slash at the end is a directory to GNU tar, a file to others.
    if (kind === "directory" && flag === TYPE.file) {
      this.note("entry-types", path);
    }
  }
}
