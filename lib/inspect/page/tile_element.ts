/// <reference lib="dom" />
import { counted, element } from "./dom.ts";
import { humanSize } from "../human_size.ts";
import { isTitled, type Placed } from "./tile_layout.ts";
import type { TreeModel } from "./tree_model.ts";

/** Hues of the tiles, which the style sheet knows. */
const HUES = 8;

/** How a tile looks, and what happens when somebody clicks it. */
export interface TileOptions {
  /** Its number among the tiles of the treemap. */
  number: number;
  /** Whether it is pointed out. */
  isChosen: boolean;
  click: () => void;
}

/** Makes the element of a placed tile, with the boxes in it. */
export function tileElement(
  model: TreeModel,
  placed: Placed,
  { number, isChosen, click }: TileOptions,
): HTMLElement {
  const { data, x0, x1, y0, y1 } = placed;
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
    class: `tile hue${number % HUES}${isDirectory ? " directory" : ""}`,
    tabindex: "-1",
    title: label,
    "aria-label": label,
    "data-node": isRest ? undefined : data.node,
    "aria-pressed": isDirectory || isRest ? undefined : String(isChosen),
    click,
  });
  place(tile, placed, { x0: 0, y0: 0 });
  if (x1 - x0 > 36 && y1 - y0 > 18) {
    tile.append(element("span", { class: "name", text: name }));
    if (x1 - x0 > 70 && y1 - y0 > 34) {
      tile.append(element("span", { class: "size", text: size }));
    }
  }
  for (const inner of placed.children ?? []) {
    addBox(model, tile, inner, placed);
  }
  return tile;
}

/** Adds what is inside of a tile; screen readers pass over it. */
function addBox(
  model: TreeModel,
  tile: HTMLElement,
  inner: Placed,
  outer: Placed,
): void {
  const { data, x0, x1, y0, y1 } = inner;
  if (x1 - x0 < 2 || y1 - y0 < 2) return;
  const box = element("span", { class: "inner", "aria-hidden": "true" });
  place(box, inner, outer);
  const isOpen = inner.children !== undefined;
  if (isOpen ? isTitled(inner) : x1 - x0 > 40 && y1 - y0 > 17) {
    box.textContent = data.rest !== undefined
      ? `+ ${data.rest}`
      : model.name(data.node) + (model.isDirectory(data.node) ? "/" : "");
  }
  tile.append(box);
  for (const next of inner.children ?? []) addBox(model, tile, next, outer);
}

/** Places a box inside of a tile, or a tile inside of the treemap. */
function place(
  box: HTMLElement,
  { x0, x1, y0, y1 }: Placed,
  corner: { x0: number; y0: number },
): void {
  box.style.left = `${x0 - corner.x0}px`;
  box.style.top = `${y0 - corner.y0}px`;
  box.style.width = `${Math.max(x1 - x0, 1)}px`;
  box.style.height = `${Math.max(y1 - y0, 1)}px`;
}
