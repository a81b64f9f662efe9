/** What a progress bar needs to know. */
export interface ProgressOptions {
  /** Draws a text on the terminal. */
  write: (text: string) => void;
  /** How many bytes there will be, where that is known. */
  total?: number | undefined;
  /** Width of the terminal in characters; 80 unless given. */
  columns?: number | undefined;
  /** What is being done, at the beginning of the line. */
  label?: string | undefined;
  /** Says what time it is, in milliseconds; `performance.now` unless given. */
  now?: (() => number) | undefined;
}

/** Milliseconds before a bar appears: short work shows none. */
const DELAY = 500;
/** Milliseconds between two drawings. */
const INTERVAL = 100;

const CLEAR_LINE = "\r\x1b[K";

/**
 * A line on a terminal that shows how far a copy has come: a bar, percent, bytes
 * done and in all, bytes per second and the time left. Where the total is not
 * known it shows bytes and rate. It appears after half a second, is drawn at most
 * ten times a second, and never wraps: what does not fit is left out, the bar
 * first.
 *
 * It draws only when {@linkcode Progress.add} is called, so it needs no timer,
 * and the program can end.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #start: number;
  #bytes = 0;
  #next: number;
  #drawn = false;
  #ended = false;

  /**
   * Starts the clock; nothing is drawn yet.
   *
   * @param options What to draw on, how wide, and the total.
   */
  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
    this.#next = this.#start + DELAY;
  }

  /**
   * Counts bytes and draws the line if it is time to.
   *
   * @param bytes How many bytes have been done since the last call.
   */
  add(bytes: number): void {
    this.#bytes += bytes;
    const now = this.#now();
    if (this.#ended || now < this.#next) return;
    this.#next = now + INTERVAL;
    this.#drawn = true;
    this.#options.write(`\r${this.#line(now)}\x1b[K`);
  }

  /** Clears the line, if it was drawn. Nothing is drawn after that. */
  end(): void {
    if (this.#drawn && !this.#ended) this.#options.write(CLEAR_LINE);
    this.#ended = true;
  }

  #line(now: number): string {
    const { total, label, columns = 80 } = this.#options;
    // A character in the last column makes some terminals wrap.
    const width = columns - 1;
    const rate = this.#bytes / Math.max(now - this.#start, 1) * 1000;
    const speed = `${formatBytes(rate)}/s`;
    const head = label ? [label] : [];
    if (!total) {
      return longest(width, [
        [...head, formatBytes(this.#bytes), speed],
        [formatBytes(this.#bytes), speed],
        [formatBytes(this.#bytes)],
      ]);
    }
    // More bytes than said must not make a bar that is too long.
    const share = Math.min(this.#bytes / total, 1);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const bytes = `${formatBytes(this.#bytes)} of ${formatBytes(total)}`;
    const left = rate > 0
      ? formatDuration(Math.max(total - this.#bytes, 0) / rate)
      : "-:--";
    const text = longest(width, [
      [...head, percent, bytes, speed, `${left} left`],
      [percent, bytes, speed, `${left} left`],
      [percent, speed, `${left} left`],
      [percent, `${left} left`],
      [percent],
    ]);
    // The bar takes what is left: two brackets, two blanks, eight signs or more.
    const room = Math.min(width - text.length - 4, 40);
    if (room < 8) return text;
    const full = Math.floor(share * room);
    const bar = `[${"#".repeat(full)}${" ".repeat(room - full)}]  `;
    const at = text.lastIndexOf(percent);
    return text.slice(0, at) + bar + text.slice(at);
  }
}

/** Joins the first list of parts that fits. */
function longest(width: number, choices: string[][]): string {
  return choices.map((parts) => parts.join("  "))
    .find((text) => text.length <= width) ?? "";
}

/**
 * Writes a number of bytes for people to read.
 *
 * @param bytes How many bytes.
 * @returns Such as `512 B`, `3.1 MiB` or `12 GiB`.
 */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  // 1023.5 rounds to 1024, which is one of the next unit.
  for (; bytes >= 1023.5 && unit < units.length - 1; unit++) bytes /= 1024;
  const digits = unit > 0 && bytes < 9.95 ? 1 : 0;
  return `${bytes.toFixed(digits)} ${units[unit]}`;
}

/**
 * Writes a number of seconds for people to read.
 *
 * @param seconds How many seconds; a part of one counts as a whole one.
 * @returns Such as `0:07`, `12:00` or `1:02:03`.
 */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}`
    : `${minutes}:${rest}`;
}
