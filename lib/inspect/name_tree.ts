import { Column, TextPool } from "./columns.ts";

/**
 * A tree of names. A node is a number that never changes; 0 is the root. A node's
 * parent has a smaller number.
 */
export class NameTree {
  /** Names, and what else a node has of text. */
  protected readonly pool = new TextPool();
  readonly #parents = new Column();
  readonly #names = new Column();
  readonly #firsts = new Column();
  readonly #nexts = new Column();
  /** Nodes plus 1, by the hash of parent and name. */
  #table = new Uint32Array(1 << 10);
  #count = 1;
  /** A random key, against trees whose names collide on purpose. */
  readonly #key = crypto.getRandomValues(new Uint32Array(1))[0]!;

  constructor() {
    this.#names.set(0, this.pool.add(new Uint8Array(0)));
  }

  /** One more than the largest node. */
  get length(): number {
    return this.#count;
  }

  /** The node of a name in a directory, or -1. It may be of no file any more. */
  child(
    parent: number,
    path: Uint8Array,
    from = 0,
    to = path.length,
  ): number {
    const mask = this.#table.length - 1;
    let i = this.#hash(parent, path, from, to) & mask;
    for (;; i = (i + 1) & mask) {
      const node = this.#table[i]! - 1;
      if (node < 0) return -1;
      if (
        this.#parents.get(node) === parent &&
        this.pool.equals(this.#names.get(node), path, from, to)
      ) return node;
    }
  }

  /** As {@linkcode child}; makes the node where there is none. */
  childFor(
    parent: number,
    path: Uint8Array,
    from = 0,
    to = path.length,
  ): number {
    const known = this.child(parent, path, from, to);
    if (known >= 0) return known;
    const node = this.#count++;
    this.#parents.set(node, parent);
    this.#names.set(node, this.pool.add(path.subarray(from, to)));
    this.#nexts.set(node, this.#firsts.get(parent));
    this.#firsts.set(parent, node);
    if (this.#count * 8 > this.#table.length * 7) this.#grow();
    else this.#enter(this.#table, node);
    return node;
  }

  parent(node: number): number {
    return this.#parents.get(node);
  }

  /** The last component of its path: a view. */
  name(node: number): Uint8Array {
    return this.pool.get(this.#names.get(node));
  }

  /** Its path, without a slash at its start; empty for the root. */
  path(node: number): Uint8Array {
    let length = -1;
    for (let at = node; at > 0; at = this.parent(at)) {
      length += this.name(at).length + 1;
    }
    const path = new Uint8Array(Math.max(length, 0)).fill(0x2f);
    let end = length;
    for (let at = node; at > 0; at = this.parent(at)) {
      const name = this.name(at);
      path.set(name, end - name.length);
      end -= name.length + 1;
    }
    return path;
  }

  /** The nodes in a directory, the newest first. */
  protected *nodesIn(node: number): Generator<number> {
    for (let at = this.#firsts.get(node); at > 0; at = this.#nexts.get(at)) {
      yield at;
    }
  }

  #hash(parent: number, path: Uint8Array, from: number, to: number): number {
    let a = Math.imul(parent ^ this.#key, 0x9e3779b1);
    for (let i = from; i < to; i++) {
      a = Math.imul(a ^ path[i]!, 0x85ebca6b);
      a ^= a >>> 15;
    }
    a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    return (a ^ (a >>> 16)) >>> 0;
  }

  #enter(table: Uint32Array, node: number): void {
    const mask = table.length - 1;
    const name = this.name(node);
    let i = this.#hash(this.#parents.get(node), name, 0, name.length) & mask;
    while (table[i] !== 0) i = (i + 1) & mask;
    table[i] = node + 1;
  }

  #grow(): void {
    const table = new Uint32Array(this.#table.length * 2);
    const { buffer } = this.#table;
    // Its memory goes at once, where the runtime can do that.
    if ("transfer" in buffer) buffer.transfer(0);
    for (let node = 1; node < this.#count; node++) this.#enter(table, node);
    this.#table = table;
  }
}
