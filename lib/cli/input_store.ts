import type { Source } from "../streams/source.ts";
import type { Compression } from "../streams/compression.ts";
import { unpackLayer } from "../system/decompress.ts";
import type { Input } from "../system/input.ts";
import { openInput, type RawCheck } from "../system/open_input.ts";
import { openRaw, type RawFile } from "../system/open_raw.ts";
import type { UnpackLimits } from "../system/unpack_limits.ts";

/** A layer of an image, its compression taken off. */
export interface UnpackedLayer {
  source: Source;
  compression?: Compression;
}

/** A layer as its image holds it. */
export interface PackedSource {
  source: Source;
  /** What messages call it. */
  name: string;
  /** SHA-256 of its bytes in hex, where the image says it. */
  digest?: string | undefined;
  /** Whether they are known to have it. */
  isChecked?: boolean;
}

/**
 * Opens what images are built of, and closes all of it in the end. What several
 * images have, such as a layer, is opened and unpacked once.
 */
export class InputStore {
  readonly #limits: UnpackLimits;
  readonly #open: Input[] = [];
  readonly #files = new Map<string, Promise<Input>>();
  readonly #raw = new Map<string, Promise<RawFile>>();
  readonly #layers = new Map<string, Promise<UnpackedLayer>>();

  constructor(limits: UnpackLimits) {
    this.#limits = limits;
  }

  /**
   * Opens a file; `-` is standard input.
   *
   * @param raw Looks at its bytes first.
   */
  file(path: string, raw?: RawCheck): Promise<Input> {
    const key = `${raw ? "checked" : "as it is"} ${path}`;
    const file = path === "-" ? undefined : path;
    return once(
      this.#files,
      key,
      async () => this.add(await openInput(file, this.#limits, raw)),
    );
  }

  /** Opens a file whose bytes are taken as they are; `-` is standard input. */
  raw(path: string): Promise<RawFile> {
    return once(this.#raw, path, async () => {
      const file = await openRaw(path === "-" ? undefined : path);
      this.add(file.input);
      return file;
    });
  }

  /** Bytes that a tar may hold once its compression is off. */
  get maxUnpacked(): number {
    return this.#limits.maxUnpacked;
  }

  /** Takes the compression off a layer, if it has one. */
  layer(
    { source, name, digest, isChecked = false }: PackedSource,
  ): Promise<UnpackedLayer> {
    const unpack = async () => {
      const check = isChecked ? undefined : digest;
      const found = await unpackLayer(source, name, this.#limits, check);
      if (found.source !== source) this.add(found.source as Input);
      return found;
    };
    return digest ? once(this.#layers, digest, unpack) : unpack();
  }

  /** Takes what has been opened elsewhere. */
  add<T extends Input>(input: T): T {
    this.#open.push(input);
    return input;
  }

  /** Size in bytes of all that is open, where that is known. */
  get size(): number | undefined {
    let sum = 0;
    for (const { size } of this.#open) {
      if (size === undefined) return undefined;
      sum += size;
    }
    return sum;
  }

  /** Closes files, removes temporary ones. */
  close(): void {
    for (const input of this.#open.splice(0)) input.close();
  }
}

function once<T>(
  known: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
