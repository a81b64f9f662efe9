import { NODE, type Node, PathIndex } from "../rootfs/path_index.ts";
import type { Entry } from "../tar/entry.ts";
import { equalBytes } from "../streams/bytes.ts";
import type { Addition, Look } from "./edits.ts";

const SLASH = 0x2f;

/** What the entries so far have put where. */
export class Places {
  readonly #index = new PathIndex();
  /** The paths that count, by their lengths; all unless given. */
  readonly #counting: Map<number, Uint8Array[]> | undefined;

  /** @param additions What is added: others than their paths need not count. */
  constructor(additions: readonly Addition[]) {
    // What a tree puts where is not known before.
    if (additions.some(({ isTree }) => isTree)) return;
    this.#counting = new Map();
    for (const { path } of additions) {
      for (let end = path.length; end > 0;) {
        const list = this.#counting.get(end) ?? [];
        list.push(path.subarray(0, end));
        this.#counting.set(end, list);
        end = path.lastIndexOf(SLASH, end - 1);
      }
    }
  }

  add(path: Uint8Array, { kind }: Entry): void {
    const counting = this.#counting;
    if (
      counting &&
      !counting.get(path.length)?.some((one) => equalBytes(one, path))
    ) return;
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
