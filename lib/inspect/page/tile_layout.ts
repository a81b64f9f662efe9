// @ts-types="@types/d3-hierarchy"
import { hierarchy, treemap, treemapSquarify } from "d3-hierarchy";
import type { TreeModel } from "./tree_model.ts";

/** Tiles of one directory at most; the rest is one tile. */
const MAX_TILES = 150;
/** Levels of boxes inside of a tile, and their least share of all bytes. */
const MAX_DEPTH = 4;
const LEAST_SHARE = 0.0004;

/** A tile in the making: a node, or the rest of a directory. */
interface Tile {
  node: number;
  bytes: number;
  /** How many files the tile of the rest shows. */
  rest?: number;
  children?: Tile[];
}

/** A tile that the layout has placed. */
export interface Placed {
  data: Tile;
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  children?: Placed[];
}

/** Places the tiles of a directory, and the boxes in them, in a rectangle. */
export function placedTiles(
  model: TreeModel,
  directory: number,
  size: [width: number, height: number],
): Placed[] {
  const root = hierarchy<Tile>(tilesOf(model, directory)).sum((tile) =>
    tile.children ? 0 : tile.bytes
  );
  treemap<Tile>().tile(treemapSquarify.ratio(1.4)).size(size)
    .paddingInner((tile) => tile.depth === 0 ? 3 : 1)
    .paddingOuter((tile) => tile.depth > 1 && isTitled(tile) ? 2 : 0)
    .paddingTop((tile) => tile.depth > 0 && isTitled(tile) ? 19 : 0)
    .round(true)(root);
  return (root.children ?? []) as unknown as Placed[];
}

/** Whether a tile has room for its name above what is inside of it. */
export function isTitled(
  { x0, x1, y0, y1 }: Omit<Placed, "children">,
): boolean {
  return x1 - x0 > 40 && y1 - y0 > 40;
}

/** A directory with its tiles, and the boxes in them. */
function tilesOf(model: TreeModel, directory: number): Tile {
  const total = model.bytes[directory]!;
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
  return { node: directory, bytes: 0, children: level(directory, 1) };
}
