/// <reference lib="dom" />
import { contentsRows } from "./contents_rows.ts";
import { byId, counted, element } from "./dom.ts";
import { humanSize } from "../human_size.ts";
import { nearestTile } from "./nearest_tile.ts";
import { tileElement } from "./tile_element.ts";
import { placedTiles } from "./tile_layout.ts";
import type { TreeModel } from "./tree_model.ts";

/** What the letters of {@linkcode TreeModel.type} mean; all others, a file. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["d", "directory"],
  ["l", "symlink"],
  ["h", "hard link"],
  ["c", "character device"],
  ["b", "block device"],
  ["p", "FIFO"],
]);

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
    this.#rows.replaceChildren(...contentsRows(this.#model, directory, {
      chosen,
      open: (node) => this.#open(node),
    }));
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
    const parts = [
      TYPES.get(model.type(node)) ?? "file",
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
    const placed = placedTiles(this.#model, this.#directory, [width, height]);
    const tiles = placed.map((tile, number) => {
      const { node, rest } = tile.data;
      return tileElement(this.#model, tile, {
        number,
        isChosen: node === chosen,
        click: () =>
          rest === undefined ? this.#open(node) : this.#rows.scrollIntoView(),
      });
    });
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
      : nearestTile(tiles, tiles[from]!, event.key);
    if (!to) return;
    event.preventDefault();
    for (const tile of tiles) tile.setAttribute("tabindex", "-1");
    to.setAttribute("tabindex", "0");
    to.focus();
  }
}
