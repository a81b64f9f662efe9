import { FileStretches } from "../streams/file_stretches.ts";
import {
  fromStream,
  type Making,
  type Source,
  toStream,
} from "../streams/source.ts";

/** A source, and where its first bytes are. */
interface Part {
  source: Source;
  start: number;
  end: number;
}

/** Several sources, one after another. */
export class StackedSource implements Source {
  /** Size in bytes of all of them, but for one that is still growing. */
  size = 0;
  readonly #parts: Part[] = [];

  /** Adds the first bytes of a source. */
  push(source: Source, size: number): void {
    if (size === 0) return;
    const start = this.size;
    this.size += size;
    this.#parts.push({ source, start, end: this.size });
  }

  /**
   * Adds a source of which nobody knows yet how many bytes belong to it.
   * {@linkcode push} or {@linkcode clear} must be called in the end.
   */
  grow(source: Source): void {
    this.#parts.push({ source, start: this.size, end: Infinity });
  }

  /** Takes all sources out. */
  clear(): void {
    this.#parts.splice(0);
    this.size = 0;
  }

  /** There if all of them have it. */
  get fill(): Source["fill"] {
    if (!this.#parts.every(({ source }) => source.fill)) return undefined;
    return (buffer, start) => {
      let filled = 0;
      for (const part of this.#parts) {
        const from = start + filled;
        const length = Math.min(buffer.length - filled, part.end - from);
        if (from < part.start || length <= 0) continue;
        const room = buffer.subarray(filled, filled + length);
        filled += part.source.fill!(room, from - part.start);
      }
      return filled;
    };
  }

  stream(): ReadableStream<Uint8Array> {
    return this.slice(0, this.size).stream();
  }

  slice(start: number, end: number): Pick<Source, "stream"> {
    return { stream: () => toStream(this.#chunks(start, end)) };
  }

  /**
   * Has something made of the bytes from an offset on, while another thread helps
   * to read the largest part that is in a file.
   *
   * @param pieces Makes it, as {@linkcode Making.pieces} does.
   * @returns `undefined` if no part is in a file.
   */
  makingFrom(start: number, pieces: Making["pieces"]): Making | undefined {
    const sizeOf = (part: Part) => part.end - Math.max(part.start, start);
    const [largest] = this.#parts
      .filter((part) => part.source.place && sizeOf(part) > 0)
      .sort((a, b) => sizeOf(b) - sizeOf(a));
    const place = largest?.source.place;
    if (!place) return undefined;
    const end = largest.end - largest.start;
    return {
      patchwork: new FileStretches(place, [end - sizeOf(largest), end]),
      pieces: (chunks) =>
        pieces(this.#chunks(start, this.size, { part: largest, chunks })),
    };
  }

  /** @param known The bytes of a part, where somebody else reads them. */
  async *#chunks(
    start: number,
    end: number,
    known?: { part: Part; chunks: AsyncGenerator<Uint8Array> },
  ): AsyncGenerator<Uint8Array> {
    for (const part of this.#parts) {
      if (part === known?.part) {
        yield* known.chunks;
        continue;
      }
      const from = Math.max(start, part.start);
      const to = Math.min(end, part.end);
      if (from >= to) continue;
      yield* fromStream(
        part.source.slice(from - part.start, to - part.start).stream(),
      );
    }
  }
}
