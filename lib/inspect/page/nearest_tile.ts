/// <reference lib="dom" />

const DIRECTIONS: Record<string, [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The tile that is next in the direction of an arrow key. */
export function nearestTile(
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
