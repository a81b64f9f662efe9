/**
 * The paths of files together with their sizes, as hashes of 53 bits under a
 * random key: 8 bytes a file.
 */
export class SizedPaths {
  static readonly #PAGE = 1 << 13;
  readonly #pages: Float64Array[] = [];
  readonly #key = crypto.getRandomValues(new Uint32Array(2));
  #count = 0;
  #sorted: Float64Array | undefined;

  /** Adds a file by its normalized path. */
  add(path: Uint8Array, size: number): void {
    const at = this.#count++ % SizedPaths.#PAGE;
    if (at === 0) this.#pages.push(new Float64Array(SizedPaths.#PAGE));
    this.#pages.at(-1)![at] = this.#hash(path, size);
  }

  /** Whether a file is among those added; then no more are added. */
  has(path: Uint8Array, size: number): boolean {
    const sorted = this.#sorted ??= this.#sort();
    const hash = this.#hash(path, size);
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return sorted[low] === hash;
  }

  /** Forgets all, once nobody needs it. */
  clear(): void {
    this.#pages.length = 0;
    this.#count = 0;
  }

  #sort(): Float64Array {
    const all = new Float64Array(this.#count);
    for (const [i, page] of this.#pages.entries()) {
      const start = i * SizedPaths.#PAGE;
      all.set(page.subarray(0, this.#count - start), start);
    }
    this.#pages.length = 0;
    return all.sort();
  }

  /** Two lanes of multiply and rotate that feed each other, mixed at the end. */
  #hash(path: Uint8Array, size: number): number {
    let a = this.#key[0]! ^ size;
    let b = this.#key[1]! ^ Math.floor(size / 2 ** 32);
    for (let i = 0; i < path.length; i++) {
      a = Math.imul(a ^ path[i]!, 0x9e3779b1);
      b = Math.imul(b ^ path[i]! ^ (a >>> 15), 0x85ebca6b);
      a = ((a << 13) | (a >>> 19)) ^ b;
    }
    a = Math.imul(a ^ (a >>> 16) ^ b, 0xc2b2ae35);
    b = Math.imul(b ^ (b >>> 13) ^ a, 0x27d4eb2f);
    a ^= (a >>> 15) ^ (b >>> 7);
    b ^= b >>> 16;
    return (b >>> 11) * 2 ** 32 + (a >>> 0);
  }
}
