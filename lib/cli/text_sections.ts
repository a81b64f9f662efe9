import type { Paint } from "./style.ts";

/** A name, and its value or values; none is shown of an empty one. */
export type Pair = readonly [name: string, value: string | readonly string[]];

/** Names and values; a list has a line for each value. */
export function pairs(all: readonly Pair[], paint: Paint): string[] {
  const rows = all.flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((text, i) =>
      [i === 0 ? name : "", text] as const
    )
  ).filter(([, text]) => text !== "");
  const width = rows.reduce((most, [name]) => Math.max(most, name.length), 0);
  return rows.map(([name, text]) =>
    `  ${paint("dim", name.padEnd(width))}  ${text}`
  );
}

/** Lines below a title; nothing where there are none. */
export function section(title: string, lines: string[], paint: Paint): string {
  return lines.length === 0
    ? ""
    : `${paint("title", title)}\n${lines.join("\n")}\n`;
}
