/**
 * Draws what a terminal shows after a program has written to it, as an SVG of text.
 *
 * Usage: terminal_svg.ts OUTPUT COLUMNS TITLE FILE.svg
 *
 * @module
 */

/** One place of the screen. */
interface Cell {
  sign: string;
  /** Names of its looks, such as "bold green". */
  look: string;
}

/** Names of the SGR codes (ECMA-48) that are drawn. */
const LOOKS = new Map([
  [1, "bold"],
  [2, "dim"],
  [31, "red"],
  [32, "green"],
  [33, "yellow"],
  [34, "blue"],
  [36, "cyan"],
]);

// A control sequence, or one character.
// deno-lint-ignore no-control-regex
const TOKEN = /\x1b\[([\d;]*)([A-Za-z])|[^]/gu;

/**
 * The rows of a screen that is as high as it must be. It knows what ciso and its
 * runtimes write: colours, a return to the line's start, and what erases a line.
 *
 * @throws {Error} If the text holds another control sequence.
 */
export function screenOf(text: string, columns: number): Cell[][] {
  const rows: Cell[][] = [[]];
  let row = 0;
  let column = 0;
  let looks: string[] = [];
  const line = () => rows[row] ??= [];
  for (const [token, parameters = "", command] of text.matchAll(TOKEN)) {
    const codes = parameters.split(";").map(Number);
    if (command === "m") {
      for (const code of codes) {
        const look = LOOKS.get(code);
        if (code !== 0 && !look) throw new Error(`SGR ${code} is not known`);
        looks = look ? [...looks, look] : [];
      }
    } else if (command === "G") column = Math.max(codes[0]! - 1, 0);
    else if (command === "K") line().length = codes[0] === 2 ? 0 : column;
    else if (command === "J") {
      line().length = Math.min(line().length, column);
      rows.length = row + 1;
    } else if (token === "\r") column = 0;
    else if (token === "\n") row++;
    else if (token < " ") throw new Error(`${JSON.stringify(token)}: unknown`);
    else {
      if (column === columns) {
        row++;
        column = 0;
      }
      while (line().length < column) line().push({ sign: " ", look: "" });
      line()[column++] = { sign: token, look: looks.join(" ") };
    }
    line();
  }
  while (rows.length > 0 && rows.at(-1)!.length === 0) rows.pop();
  return rows;
}

/** Width and height of a cell, and the room around all of them, in pixels. */
const WIDTH = 8.4;
const HEIGHT = 20;
const MARGIN = 20;

const STYLE = `
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1d2327; }
rect { fill: #fbfbf9; stroke: #dcdfe2; }
.bold { font-weight: 700; }
.dim { fill: #5a646c; }
.red { fill: #b3261e; } .green { fill: #1a7f37; } .yellow { fill: #8a5a00; }
.blue { fill: #1257b0; } .cyan { fill: #0b6b78; }
@media (prefers-color-scheme: dark) {
text { fill: #e7eaed; }
rect { fill: #14171a; stroke: #363d44; }
.dim { fill: #a3adb5; }
.red { fill: #ffb4ab; } .green { fill: #6fdd8b; } .yellow { fill: #f0c060; }
.blue { fill: #8ab4f8; } .cyan { fill: #7fd4e0; }
}
`;

/**
 * An SVG of a screen. It has no font: each word has its place and its width, so
 * that columns stay columns in any.
 */
export function svgOf(rows: Cell[][], columns: number, title: string): string {
  const width = round(2 * MARGIN + columns * WIDTH);
  const height = 2 * MARGIN + rows.length * HEIGHT;
  const lines = rows.flatMap((row, y) =>
    [...runsOf(row)].map(({ text, look, at }) =>
      `<text x="${round(MARGIN + at * WIDTH)}" y="${
        MARGIN + y * HEIGHT + 15
      }"` +
      ` textLength="${round([...text].length * WIDTH)}"` +
      ` lengthAdjust="spacingAndGlyphs"` +
      `${look && ` class="${look}"`}>${escaped(text)}</text>\n`
    )
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" role="img" aria-labelledby="title">\n` +
    `<!-- Made by scripts/picture: do not edit. -->\n` +
    `<title id="title">${escaped(title)}</title>\n<style>${STYLE}</style>\n` +
    `<rect x="0.5" y="0.5" width="${round(width - 1)}" height="${
      height - 1
    }" rx="10"/>\n` +
    `${lines.join("")}</svg>\n`;
}

/** Stretches of one look, without blanks around them or two blanks in them. */
function* runsOf(
  row: Cell[],
): Generator<{ text: string; look: string; at: number }> {
  for (let start = 0; start < row.length;) {
    const { look } = row[start]!;
    let end = start;
    while (end < row.length && row[end]!.look === look) end++;
    const signs = row.slice(start, end).map(({ sign }) => sign);
    // Of the BMP, as all that ciso prints is: an index is a column.
    for (const match of signs.join("").matchAll(/\S+(?: \S+)*/g)) {
      yield { text: match[0], look, at: start + match.index };
    }
    start = end;
  }
}

function round(size: number): number {
  return Math.round(size * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

if (import.meta.main) {
  const [output, columns, title, target] = Deno.args;
  if (!output || !columns || !title || !target) {
    console.error("usage: terminal_svg.ts OUTPUT COLUMNS TITLE FILE.svg");
    Deno.exit(2);
  }
  const rows = screenOf(await Deno.readTextFile(output), Number(columns));
  await Deno.writeTextFile(target, svgOf(rows, Number(columns), title));
}
