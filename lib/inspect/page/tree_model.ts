import type { PageTree } from "./page_data.ts";

/** The tree with its sums, and the ways up and down. */
export class TreeModel {
  readonly #tree: PageTree;
  /** Bytes and files at and below each node. */
  readonly bytes: Float64Array;
  readonly files: Uint32Array;
  readonly #firsts: Int32Array;
  readonly #nexts: Int32Array;
  #search: { text: string; starts: Float64Array } | undefined;

  constructor(tree: PageTree) {
    this.#tree = tree;
    const { length } = tree.names;
    this.bytes = Float64Array.from(tree.sizes);
    this.files = new Uint32Array(length);
    this.#firsts = new Int32Array(length).fill(-1);
    this.#nexts = new Int32Array(length).fill(-1);
    for (let node = length - 1; node > 0; node--) {
      const parent = tree.parents[node]!;
      if (!this.isDirectory(node)) this.files[node] = 1;
      this.bytes[parent]! += this.bytes[node]!;
      this.files[parent]! += this.files[node]!;
      this.#nexts[node] = this.#firsts[parent]!;
      this.#firsts[parent] = node;
    }
  }

  get length(): number {
    return this.#tree.names.length;
  }

  name(node: number): string {
    return this.#tree.names[node]!;
  }

  parent(node: number): number {
    return this.#tree.parents[node]!;
  }

  layer(node: number): number {
    return this.#tree.layers[node]!;
  }

  type(node: number): string {
    return this.#tree.types[node]!;
  }

  isDirectory(node: number): boolean {
    return this.#tree.types[node] === "d";
  }

  /** What is in a directory, the largest first. */
  children(node: number): number[] {
    const all: number[] = [];
    for (let at = this.#firsts[node]!; at >= 0; at = this.#nexts[at]!) {
      all.push(at);
    }
    return all.sort((a, b) => this.bytes[b]! - this.bytes[a]! || a - b);
  }

  /** The nodes from the root to a node. */
  ancestry(node: number): number[] {
    const all = [node];
    while (node > 0) all.unshift(node = this.parent(node));
    return all;
  }

  /** A node's path, which starts with a slash. */
  path(node: number): string {
    const names = this.ancestry(node).slice(1).map((at) => this.name(at));
    return `/${names.join("/")}`;
  }

  /**
   * Finds nodes whose paths have all words of a query in them, upper case or
   * lower; `*` and `?` match any text and any character of a name.
   */
  search(query: string): number[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const { text, starts } = this.prepareSearch();
    const plain = words.filter((word) => !/[*?]/.test(word));
    const patterns = words.filter((word) => /[*?]/.test(word)).map(patternOf);
    // The longest word is the rarest one, as a rule.
    plain.sort((a, b) => b.length - a.length);
    const first = plain.shift();
    const found: number[] = [];
    const take = (node: number) => {
      if (plain.length + patterns.length > 0) {
        const path = text.slice(starts[node]!, starts[node + 1]! - 1);
        if (!plain.every((word) => path.includes(word))) return;
        if (!patterns.every((pattern) => pattern.test(path))) return;
      }
      found.push(node);
    };
    if (first === undefined) {
      for (let node = 1; node < this.length; node++) take(node);
      return found;
    }
    let node = 1;
    for (
      let at = text.indexOf(first, starts[1]);
      at >= 0;
      at = text.indexOf(first, starts[node])
    ) {
      while (starts[node + 1]! <= at) node++;
      take(node++);
    }
    return found;
  }

  /**
   * Makes what a search needs, once: all paths in lower case, a line each, which
   * is searched much faster than a list of strings.
   */
  prepareSearch(): { text: string; starts: Float64Array } {
    if (this.#search) return this.#search;
    const paths = [""];
    const starts = new Float64Array(this.length + 1);
    for (let node = 1; node < this.length; node++) {
      const name = this.name(node).replaceAll("\n", " ");
      paths.push(`${paths[this.parent(node)]}/${name}`);
    }
    // Lower case of some letters is longer.
    const lines = paths.map((path) => `${path.toLowerCase()}\n`);
    for (const [node, line] of lines.entries()) {
      starts[node + 1] = starts[node]! + line.length;
    }
    this.#search = { text: lines.join(""), starts };
    return this.#search;
  }
}

function patternOf(word: string): RegExp {
  const pattern = word.replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
  return new RegExp(`(^|/)${pattern}($|/)`);
}
