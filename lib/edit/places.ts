import { NODE, type Node, PathIndex } from "../rootfs/path_index.ts";
import type { Entry } from "../tar/entry.ts";
import type { Look } from "./edits.ts";

/** What the entries so far have put where. */
export class Places {
  readonly #index = new PathIndex();

  add(path: Uint8Array, { kind }: Entry): void {
    const node: Node = kind === "directory"
      ? NODE.directory
      : kind === "symlink"
      ? NODE.symlink
      : NODE.other;
    this.#index.add(path, { node, offset: 0, link: 0 });
  }

  readonly look: Look = (path) => {
    const slot = this.#index.find(path);
    if (slot < 0) return undefined;
    const node = this.#index.node(slot);
    if (node === NODE.directory) return "directory";
    return node === NODE.symlink ? "symlink" : "other";
  };
}
