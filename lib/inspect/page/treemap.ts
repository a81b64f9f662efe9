/// <reference lib="dom" />
// @ts-types="@types/d3-hierarchy"
import { hierarchy, treemap, treemapSquarify } from "d3-hierarchy";
import { byId, counted, element, humanSize } from "./dom.ts";
import type { TreeModel } from "./tree_model.ts";

/** Tiles of one directory at most; the rest is one tile. */
const MAX_TILES = 150;
/** Levels of boxes inside of a tile, and their least share of all bytes. */
const MAX_DEPTH = 4;
const LEAST_SHARE = 0.0004;
/** Rows of the table at most. */
const MAX_ROWS = 200;
/** Hues of the tiles, which the style sheet knows. */
const HUES = 8;

/** A tile in the making: a node, or the rest of a directory. */
interface Tile {
  node: number;
  bytes: number;
  /** How many files the tile of the rest shows. */
  rest?: number;
  children?: Tile[];
}

/** The treemap of one directory, its breadcrumb and its table. */
export class TreemapView {
  readonly #model: TreeModel;
  readonly #map = byId("treemap");
  readonly #crumbs = byId("crumbs");
  readonly #rows = byId("contents");
  readonly #detail = byId("detail");
  #directory = 0;

  constructor(model: TreeModel) {
    this.#model = model;
    this.#map.addEventListener("keydown", (event) => this.#key(event));
    let width = 0;
    new ResizeObserver(() => {
      const now = this.#map.clientWidth;
      if (now !== width && width > 0) this.#draw();
      width = now;
    }).observe(this.#map);
  }

  /**
   * Shows a directory.
   *
   * @param chosen The node in it to point out.
   * @param focus Whether the keyboard goes to the treemap.
   */
  show(directory: number, chosen?: number, focus = false): void {
    this.#directory = directory;
    this.#drawCrumbs();
    this.#draw(chosen);
    this.#drawRows(chosen);
    this.#tell(chosen ?? directory);
    if (!focus) return;
    const tile = this.#map.querySelector<HTMLElement>('[tabindex="0"]');
    tile?.focus();
  }

  /** Shows a node: a directory itself, a file in its directory. */
  reveal(node: number): void {
    const model = this.#model;
    if (model.isDirectory(node)) this.show(node);
    else this.show(model.parent(node), node);
  }

  #open(node: number): void {
    if (this.#model.isDirectory(node)) this.show(node, undefined, true);
    else this.#choose(node);
  }

  #choose(node: number): void {
    for (const tile of this.#map.querySelectorAll("[data-node]")) {
      const isChosen = tile.getAttribute("data-node") === String(node);
      tile.setAttribute("aria-pressed", String(isChosen));
    }
    this.#tell(node);
  }

  /** Says what a node is, below the treemap. */
  #tell(node: number): void {
    const model = this.#model;
    const what: Record<string, string> = {
      d: "directory",
      l: "symlink",
      h: "hard link",
      c: "character device",
      b: "block device",
      p: "FIFO",
    };
    const parts = [
      what[model.type(node)] ?? "file",
      humanSize(model.bytes[node]!),
      model.isDirectory(node)
        ? counted(model.files[node]!, "file", "files")
        : `layer ${model.layer(node)}`,
    ];
    this.#detail.replaceChildren(
      element("code", { text: model.path(node) }),
      ` ${parts.join(" · ")}`,
    );
  }

  #drawCrumbs(): void {
    const nodes = this.#model.ancestry(this.#directory);
    this.#crumbs.replaceChildren(...nodes.map((node, i) => {
      const name = node === 0 ? "/" : this.#model.name(node);
      const isLast = i === nodes.length - 1;
      return element(
        "li",
        {},
        isLast
          ? element("span", { "aria-current": "location", text: name })
          : element("button", {
            type: "button",
            text: name,
            click: () => this.show(node, undefined, true),
          }),
      );
    }));
  }

  #draw(chosen?: number): void {
    const width = this.#map.clientWidth || 640;
    const height = this.#map.clientHeight || 420;
    const root = hierarchy<Tile>(this.#tiles()).sum((tile) =>
      tile.children ? 0 : tile.bytes
    );
    treemap<Tile>().tile(treemapSquarify.ratio(1.4)).size([width, height])
      .paddingInner((tile) => tile.depth === 0 ? 3 : 1)
      .paddingOuter((tile) => tile.depth > 1 && isTitled(tile) ? 2 : 0)
      .paddingTop((tile) => tile.depth > 0 && isTitled(tile) ? 19 : 0)
      .round(true)(root);
    const placed = (root.children ?? []) as unknown as Placed[];
    const tiles = placed.map((tile, i) => this.#tile(tile, i, chosen));
    this.#map.setAttribute(
      "aria-label",
      `Treemap of ${this.#model.path(this.#directory)}: arrow keys move, ` +
        "Enter opens, Backspace goes up",
    );
    this.#map.replaceChildren(
      ...tiles.length > 0
        ? tiles
        : [element("p", { class: "empty", text: "No bytes are in here." })],
    );
    const first = this.#map.querySelector('[aria-pressed="true"]') ?? tiles[0];
    first?.setAttribute("tabindex", "0");
  }

  /** The directory with its tiles, and the boxes in them. */
  #tiles(): Tile {
    const model = this.#model;
    const total = model.bytes[this.#directory]!;
    const level = (node: number, depth: number): Tile[] => {
      const all = model.children(node).filter((at) => model.bytes[at]! > 0);
      const least = depth === 1 ? 0 : total * LEAST_SHARE;
      const shown = all.slice(0, MAX_TILES).filter((at) =>
        model.bytes[at]! >= least
      );
      const tiles: Tile[] = shown.map((at) => {
        const bytes = model.bytes[at]!;
        const opens = depth < MAX_DEPTH && model.isDirectory(at);
        const children = opens ? level(at, depth + 1) : [];
        return { node: at, bytes, ...(children.length > 0 && { children }) };
      });
      const rest = all.slice(shown.length);
      if (rest.length > 0) {
        const bytes = rest.reduce((sum, at) => sum + model.bytes[at]!, 0);
        tiles.push({ node, bytes, rest: rest.length });
      }
      return tiles;
    };
    const node = this.#directory;
    return { node, bytes: 0, children: level(node, 1) };
  }

  #tile(placed: Placed, i: number, chosen: number | undefined): HTMLElement {
    const { data, x0, x1, y0, y1 } = placed;
    const model = this.#model;
    const isRest = data.rest !== undefined;
    const isDirectory = !isRest && model.isDirectory(data.node);
    const name = isRest
      ? counted(data.rest!, "smaller entry", "smaller entries")
      : model.name(data.node) + (isDirectory ? "/" : "");
    const size = humanSize(data.bytes);
    const label = isDirectory
      ? `${name}, directory, ${size}, ${
        counted(model.files[data.node]!, "file", "files")
      }`
      : `${name}, ${size}`;
    const tile = element("button", {
      type: "button",
      class: `tile hue${i % HUES}${isDirectory ? " directory" : ""}`,
      tabindex: "-1",
      title: label,
      "aria-label": label,
      "data-node": isRest ? undefined : data.node,
      "aria-pressed": isDirectory || isRest
        ? undefined
        : String(data.node === chosen),
      click: () => isRest ? this.#rows.scrollIntoView() : this.#open(data.node),
    });
    place(tile, x0, y0, x1 - x0, y1 - y0);
    if (x1 - x0 > 36 && y1 - y0 > 18) {
      tile.append(element("span", { class: "name", text: name }));
      if (x1 - x0 > 70 && y1 - y0 > 34) {
        tile.append(element("span", { class: "size", text: size }));
      }
    }
    for (const inner of placed.children ?? []) {
      this.#addBox(tile, inner, x0, y0);
    }
    return tile;
  }

  /** Adds what is inside of a tile; screen readers pass over it. */
  #addBox(tile: HTMLElement, inner: Placed, left: number, top: number): void {
    const { data, x0, x1, y0, y1 } = inner;
    const model = this.#model;
    if (x1 - x0 < 2 || y1 - y0 < 2) return;
    const box = element("span", { class: "inner", "aria-hidden": "true" });
    place(box, x0 - left, y0 - top, x1 - x0, y1 - y0);
    const isOpen = inner.children !== undefined;
    if (isOpen ? isTitled(inner) : x1 - x0 > 40 && y1 - y0 > 17) {
      box.textContent = data.rest !== undefined
        ? `+ ${data.rest}`
        : model.name(data.node) + (model.isDirectory(data.node) ? "/" : "");
    }
    tile.append(box);
    for (const next of inner.children ?? []) {
      this.#addBox(tile, next, left, top);
    }
  }

  #drawRows(chosen?: number): void {
    const model = this.#model;
    const all = model.children(this.#directory);
    const total = Math.max(model.bytes[this.#directory]!, 1);
    const rows = all.slice(0, MAX_ROWS).map((node) => {
      const isDirectory = model.isDirectory(node);
      const bar = element("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${100 * model.bytes[node]! / total}%`;
      const name = model.name(node) + (isDirectory ? "/" : "");
      return element(
        "tr",
        { class: node === chosen ? "chosen" : undefined },
        element(
          "th",
          { scope: "row" },
          element("button", {
            type: "button",
            text: name,
            click: () => this.#open(node),
          }),
        ),
        element("td", { text: humanSize(model.bytes[node]!) }),
        element("td", { class: "share" }, bar),
        element("td", {
          text: isDirectory
            ? counted(model.files[node]!, "file", "files")
            : `layer ${model.layer(node)}`,
        }),
      );
    });
    if (all.length > MAX_ROWS) {
      const text = `${
        counted(all.length - MAX_ROWS, "more", "more")
      }; search finds them`;
      rows.push(element("tr", {}, element("td", { colspan: 4, text })));
    }
    this.#rows.replaceChildren(...rows);
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Backspace" || event.key === "Escape") {
      event.preventDefault();
      if (this.#directory > 0) {
        this.show(this.#model.parent(this.#directory), undefined, true);
      }
      return;
    }
    const tiles = [...this.#map.querySelectorAll<HTMLElement>(".tile")];
    const from = tiles.indexOf(document.activeElement as HTMLElement);
    if (from < 0) return;
    const to = event.key === "Home"
      ? tiles[0]
      : event.key === "End"
      ? tiles.at(-1)
      : nearest(tiles, tiles[from]!, event.key);
    if (!to) return;
    event.preventDefault();
    for (const tile of tiles) tile.setAttribute("tabindex", "-1");
    to.setAttribute("tabindex", "0");
    to.focus();
  }
}

/** Whether a tile has room for its name above what is inside of it. */
function isTitled({ x0, x1, y0, y1 }: Omit<Placed, "children">): boolean {
  return x1 - x0 > 40 && y1 - y0 > 40;
}

/** A tile that the layout has placed. */
interface Placed {
  data: Tile;
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  children?: Placed[];
}

function place(
  box: HTMLElement,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
  box.style.width = `${Math.max(width, 1)}px`;
  box.style.height = `${Math.max(height, 1)}px`;
}

const DIRECTIONS: Record<string, [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The tile that is next in the direction of an arrow key. */
function nearest(
  tiles: HTMLElement[],
  from: HTMLElement,
  key: string,
): HTMLElement | undefined {
  if (!Object.hasOwn(DIRECTIONS, key)) return undefined;
  const [dx, dy] = DIRECTIONS[key]!;
  const centre = (box: HTMLElement) => {
    const { left, top, width, height } = box.getBoundingClientRect();
    return [left + width / 2, top + height / 2] as const;
  };
  const [x, y] = centre(from);
  let best: HTMLElement | undefined;
  let least = Infinity;
  for (const tile of tiles) {
    const [tx, ty] = centre(tile);
    const along = (tx - x) * dx + (ty - y) * dy;
    const across = Math.abs((tx - x) * dy) + Math.abs((ty - y) * dx);
    if (along <= 1) continue;
    const distance = along + 2 * across;
    if (distance < least) {
      least = distance;
      best = tile;
    }
  }
  return best;
}
