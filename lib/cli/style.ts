import { shown } from "../errors/shown.ts";
import { host } from "../system/host.ts";
import type { Parsed } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What text can look like on a terminal: SGR codes of ECMA-48. */
const LOOKS = {
  title: "1",
  dim: "2",
  directory: "34;1",
  link: "36",
  program: "32",
  added: "32",
  removed: "31",
  changed: "33",
} as const;

/** Gives text one of the looks, or leaves it as it is. */
export type Paint = (look: keyof typeof LOOKS, text: string) => string;

/**
 * Reads --color, and looks at standard output and NO_COLOR where it says
 * nothing, see https://no-color.org.
 *
 * @throws {UsageError} If --color says something else.
 */
export function paintFor(parsed: Parsed): Paint {
  const when = parsed.value("color") ?? "auto";
  if (!["auto", "always", "never"].includes(when)) {
    throw new UsageError(
      `--color: ${shown(when)} is not one of auto, always, never`,
    );
  }
  const isOn = when === "always" ||
    (when === "auto" && host.isTerminal(1) &&
      !host.env("NO_COLOR") && host.env("TERM") !== "dumb");
  return isOn
    ? (look, text) => text && `\x1b[${LOOKS[look]}m${text}\x1b[0m`
    : (_, text) => text;
}

/** Characters of foreign text in a report at most. */
const LONGEST = 4096;

/**
 * Foreign text for a report: as it is where that is safe, else in quotes with
 * escapes, so that it can neither command the terminal nor look like more lines.
 */
export function plain(text: string | Uint8Array, limit = LONGEST): string {
  const quoted = shown(text, limit);
  const inner = quoted.slice(1, -1);
  return inner === (typeof text === "string" ? text : lenient.decode(text))
    ? inner
    : quoted;
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** A count with a comma between groups of three digits. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** One column of a table: its title, and to which side it is set. */
export interface TableColumn {
  title: string;
  right?: boolean;
}

/**
 * Lines of a table whose columns are aligned. The last column is as long as it
 * is.
 *
 * @param indent Blanks before each line.
 */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  indent = 2,
): string[] {
  const width = (text: string) => [...text].length;
  const widths = columns.map(({ title }, i) =>
    rows.reduce((most, row) => Math.max(most, width(row[i]!)), width(title))
  );
  const line = (cells: readonly string[]) =>
    " ".repeat(indent) + cells.map((cell, i) => {
      const space = " ".repeat(widths[i]! - width(cell));
      if (columns[i]!.right) return space + cell;
      return i === cells.length - 1 ? cell : cell + space;
    }).join("  ").trimEnd();
  const titles = columns.map(({ title }) => title);
  const head = titles.some((title) => title !== "")
    ? [paint("dim", line(titles))]
    : [];
  return [...head, ...rows.map(line)];
}
